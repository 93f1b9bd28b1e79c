"""A team with a token: ``cadran init`` over each CRM that Belvoir could have, ``cadran sync``, and the catalogue's KPIs are those of the CSV files
that filled the CRM, to the last digit, for every period and segment (doubles, to 12 digits: rows come in another order)."""

from __future__ import annotations

import datetime as dt
import math
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.simulators import hubspot_account
from tests.simulators import odoo as odoo_api
from tests.simulators import pipedrive as pipedrive_api
from tests.simulators.hubspot import HubSpot
from tests.simulators.hubspot_fill import fill as fill_hubspot
from tests.simulators.odoo import Odoo
from tests.simulators.pipedrive import Pipedrive
from tests.simulators.salesforce import SalesforceSimulator
from tests.simulators.salesforce_fill import fill as fill_salesforce

import cadran
from cadran.starting import starter
from cadran.starting.init import init

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "data" / "crm"
AS_OF = "2026-07-01"


@dataclass(frozen=True)
class Crm:
    """``reach`` is a line of the starter's source and what stands in its place, so that it leads to the simulator."""

    connector: str
    filled: Callable[[], Any]
    environ: dict[str, str]
    reach: tuple[str, str]


def hubspot() -> HubSpot:
    return fill_hubspot(HubSpot(), SAMPLE)


def salesforce() -> SalesforceSimulator:
    simulator = SalesforceSimulator()
    fill_salesforce(simulator, SAMPLE)
    return simulator


def pipedrive() -> Pipedrive:
    simulator = Pipedrive()
    simulator.fill(SAMPLE)
    return simulator


def odoo() -> Odoo:
    simulator = Odoo()
    simulator.fill(SAMPLE)
    return simulator


CRMS = [
    Crm("hubspot", hubspot, {"HUBSPOT_TOKEN": hubspot_account.TOKEN}, ("connector: hubspot,", 'connector: hubspot, url: "URL",')),
    Crm("salesforce", salesforce, {"SALESFORCE_DOMAIN": "x", "SALESFORCE_CLIENT_ID": "3MVG9.cadran.tests", "SALESFORCE_CLIENT_SECRET": "2F1D8A77C0FFEE"},
        (r"domain: \$\{SALESFORCE_DOMAIN\}", "url: URL")),
    Crm("pipedrive", pipedrive, {"PIPEDRIVE_COMPANY": "belvoir", "PIPEDRIVE_TOKEN": pipedrive_api.TOKEN}, (r"company: \$\{PIPEDRIVE_COMPANY\}", "url: URL\n    burst: 100000")),
    Crm("odoo", odoo, {"ODOO_URL": "URL", "ODOO_DATABASE": "belvoir", "ODOO_API_KEY": odoo_api.KEY}, (r"\$\{ODOO_URL\}", "URL")),
]  # fmt: skip


@contextmanager
def leading_to(crm: Crm, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The starter leads to the simulator instead of the CRM's own address."""
    render = starter.render

    def led(folder: Path, tables: starter.Tables | None, given: Collection[str] = ()) -> str:
        text, found = re.subn(crm.reach[0], crm.reach[1].replace("URL", url), render(folder, tables, given))
        assert found, "the starter's source is written in another way"
        return text

    with monkeypatch.context() as patched:
        patched.setattr(starter, "render", led)
        yield


def over_files(folder: Path, made: Path) -> cadran.Project:
    """The sample project over its CSV files, with the KPIs that init gave the CRM."""
    text = (ROOT / "kpis.yaml").read_text(encoding="utf-8")
    text = text.partition("\nmilestones:")[0]
    text = re.sub(r"^include: .*$", "include: [kpis/*.yaml]", text, flags=re.M)
    text = text.replace("fiscal_year_starts: april", "fiscal_year_starts: january")
    text = text.replace("path: data/", f"path: {ROOT}/data/")
    folder.mkdir()
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    shutil.copytree(made / "kpis", folder / "kpis")
    return cadran.open(folder, allow_paths=[ROOT])


def with_rates(made: Path) -> None:
    """Belvoir's Swiss orders need rates, which are in no CRM."""
    file = made / "kpis.yaml"
    finance = f'  finance: {{connector: files, path: "{ROOT}/data/finance", delimiter: ";", decimal: ",", encoding: cp1252, date_format: "%d/%m/%Y"}}\n'
    text = re.sub(
        r"^sources:\n",
        f"rates: {{from: finance.rates, date: day}}\n\nsources:\n{finance}",
        file.read_text(encoding="utf-8"),
        flags=re.M,
    )
    file.write_text(text, encoding="utf-8")


def values(results: cadran.Results) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    return {
        (row.kpi, row.grain, row.period, row.segment, row.segment_value):
        (row.value, row.base, row.previous, row.year_ago, row.target, row.status, row.state)
        for row in results
    }  # fmt: skip


def same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Exact numbers are equal; doubles up to the order in which rows were added."""
    return all(
        math.isclose(a, b, rel_tol=1e-12) if isinstance(a, float) and isinstance(b, float) else a == b
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.slow
@pytest.mark.parametrize("crm", CRMS, ids=lambda crm: crm.connector)
def test_the_catalogue_over_a_crm_is_that_over_its_files(
    crm: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator, made = crm.filled(), tmp_path / "made"
    with simulator.serving(), leading_to(crm, simulator.url, monkeypatch):
        told = init(made, crm.connector, {**os.environ, **crm.environ})
        assert told.account
        with_rates(made)
        project = cadran.open(made, environ={**os.environ, **crm.environ}, allow_paths=[ROOT])
        synced = project.sync(now=lambda: dt.datetime(2026, 11, 27, tzinfo=dt.UTC))
        assert not [table.problems for table in synced if table.error]
        results = project.run(as_of=AS_OF)
    found, wanted = values(results), values(over_files(tmp_path / "files", made).run(as_of=AS_OF))
    assert told.kpis >= 15
    assert {key[0] for key in found} == {key[0] for key in wanted}
    assert found.keys() == wanted.keys()
    different = {
        key: (found.get(key), wanted.get(key)) for key in wanted if not same(found[key], wanted[key])
    }
    assert not different, f"{len(different)} of {len(wanted)}: {dict(sorted(different.items())[:10])}"
