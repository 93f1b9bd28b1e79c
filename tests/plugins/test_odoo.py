"""The ``odoo`` connector against a stand-in of Odoo 19 and of older ones: what comes out of it, and what the copy is after each change."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.simulators.base import Fault
from tests.simulators.odoo import KEY, Odoo

from cadran.plugins import (
    AuthError,
    ConfigError,
    ConnectorError,
    DataError,
    RateLimited,
    ResumeExpired,
    Transient,
    Window,
)
from cadran_plugins.odoo import history
from cadran_plugins.odoo.connector import OdooConnector

from .copying import NOON, Clock, Copy, closing_, read
from .odoo_server import VERSIONS, Server, serve, sync_error


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    yield from serve(19, tmp_path)


@pytest.fixture(params=VERSIONS)
def any_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    yield from serve(request.param, tmp_path)


# --- what there is ---------------------------------------------------------------------------------------------------------


def test_tables_are_told_whichever_protocol_is_spoken(any_server: Server) -> None:
    odoo, copy = any_server
    with closing_(copy.connect()) as connector:
        assert connector.ping() == "Belvoir"
        tables = {t.name: t for t in connector.discover()}
        assert connector.discover() == list(tables.values())
    assert not [t.problem for t in tables.values() if t.problem]
    assert {t.deletes for t in tables.values()} == {"unseen"}
    assert (tables["opportunities"].key, tables["opportunities"].cursor) == (("id",), "write_date")
    assert (tables["stages"].key, tables["stages"].cursor) == (("id",), "")
    assert any("/json/2/" in r.path for r in odoo.asked)
    assert any("/jsonrpc" in r.path for r in odoo.asked) == (odoo.version < 19)


#: A field, what Odoo has as its value, and the column's value and type.
FIELDS: list[tuple[str, Any, Any, str]] = [
    ("char", "a text", "a text", "VARCHAR"),
    ("char", None, None, "VARCHAR"),
    ("text", "", "", "VARCHAR"),
    ("selection:small,large", "small", "small", "VARCHAR"),
    ("selection:small,large", None, None, "VARCHAR"),
    ("integer", 7, 7, "BIGINT"),
    ("integer", 0, 0, "BIGINT"),
    ("boolean", True, True, "BOOLEAN"),
    ("boolean", False, False, "BOOLEAN"),
    ("boolean", None, False, "BOOLEAN"),
    ("float", 0.1, 0.1, "DOUBLE"),
    ("float:16,2", Decimal("19.99"), Decimal("19.99"), "DECIMAL(16,2)"),
    ("float:0,3", Decimal("1.125"), Decimal("1.125"), "DECIMAL(15,3)"),
    ("monetary", Decimal("1234.5"), Decimal("1234.5000"), "DECIMAL(18,4)"),
    ("date", "2026-03-15", dt.date(2026, 3, 15), "DATE"),
    ("date", None, None, "DATE"),
    ("datetime", dt.datetime(2026, 3, 15, 9, 30, 1), dt.datetime(2026, 3, 15, 9, 30, 1, tzinfo=dt.UTC), "TIMESTAMP WITH TIME ZONE"),
    ("datetime", None, None, "TIMESTAMP WITH TIME ZONE"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "value", "want", "type_"), FIELDS)
def test_values_are_what_odoo_means_by_them(
    server: Server, kind: str, value: Any, want: Any, type_: str
) -> None:
    odoo, copy = server
    odoo.add_field("crm.team", "x_studio_x", kind, "My field")
    odoo.insert("crm.team", name="Nord", x_studio_x=value)
    with closing_(copy.connect()) as connector:
        table = connector.table("teams")
        got = read(connector, "teams").rows[0]
    assert table is not None
    assert (got["my_field"], {c.name: c.type for c in table.columns}["my_field"]) == (want, type_)


def test_links_are_ids_and_lists_pictures_and_what_is_not_stored_are_left_out(server: Server) -> None:
    odoo, copy = server
    odoo.add_field("res.partner", "x_studio_many2one_field_ab1", "many2one:utm.medium", "Canal")
    medium = odoo.insert("utm.medium", name="Web")
    partner = odoo.insert("res.partner", name="Shop", x_studio_many2one_field_ab1=medium, country_id=None)
    row = copy.sync("partners")[partner]
    assert (row["canal_id"], row["country_id"]) == (medium, None)
    assert not {"image_1920", "credit", "canal", "x_studio_many2one_field_ab1"} & set(row)
    assert copy.sync("mediums")[medium]["name"] == "Web"
    assert "tag_ids" not in copy.sync("opportunities")[1]


def test_other_models_are_tables_by_the_names_one_gives_them(server: Server) -> None:
    odoo, copy = server
    odoo.insert("product.product", name="Till")
    copy.config = {**copy.config, "models": {"goods": "product.product"}}
    assert len(copy.sync("goods")) == 1
    with closing_(copy.connect()) as connector, pytest.raises(ConfigError, match="good"):
        connector.check("good")


# --- what has changed --------------------------------------------------------------------------------------------------------


def in_odoo(odoo: Odoo) -> dict[int, tuple[Any, ...]]:
    return {k: (r["name"], r["active"], r["stage_id"]) for k, r in odoo.rows["crm.lead"].items() if r["type"] == "opportunity"}  # fmt: skip


def in_copy(rows: dict[Any, dict[str, Any]]) -> dict[int, tuple[Any, ...]]:
    return {k: (r["name"], r["active"], r["stage_id"]) for k, r in rows.items()}


Change = Callable[[Odoo], Any]
CHANGES: dict[str, Change] = {
    "a new one": lambda o: o.insert("crm.lead", name="new", type="opportunity", stage_id=1),
    "a change": lambda o: o.update("crm.lead", 2, name="changed"),
    "archived": lambda o: o.archive("crm.lead", 5),
    "lost": lambda o: o.update("crm.lead", 5, active=False, probability=0),
    "a lead becomes an opportunity": lambda o: o.update("crm.lead", 11, type="opportunity"),
    "an opportunity becomes a lead": lambda o: o.update("crm.lead", 3, type="lead"),
    "all in one second": lambda o: [o.update("crm.lead", n, name="tie") for n in range(1, 11)] and o.tie("crm.lead", range(1, 11), o.clock),
    "nothing": str,
    "another field": lambda o: o.add_field("crm.lead", "x_new", "char", "New"),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_copy_is_the_database_after_each_sync(server: Server, change: Change) -> None:
    odoo, copy = server
    assert in_copy(copy.sync("opportunities")) == in_odoo(odoo)
    change(odoo)
    copy.clock.later(minutes=1)
    assert in_copy(copy.sync("opportunities")) == in_odoo(odoo)


def test_changes_come_over_json_rpc_too(tmp_path: Path) -> None:
    for odoo, copy in serve(16, tmp_path):
        copy.sync("opportunities")
        odoo.update("crm.lead", 2, name="changed")
        assert in_copy(copy.sync("opportunities")) == in_odoo(odoo)


def test_what_was_deleted_shows_once_all_are_asked_for(server: Server) -> None:
    odoo, copy = server
    copy.sync("opportunities")
    odoo.delete("crm.lead", 5)
    assert 5 in copy.sync("opportunities")
    assert in_copy(copy.sync("opportunities", full=True)) == in_odoo(odoo)


def test_a_lead_that_becomes_an_opportunity_is_no_lead_any_more(server: Server) -> None:
    odoo, copy = server
    assert sorted(copy.sync("leads")) == [11]
    odoo.update("crm.lead", 11, type="opportunity")
    assert sorted(copy.sync("leads")) == []
    assert sorted(copy.sync("leads_and_opportunities")) == list(range(1, 12))


def test_records_of_one_second_that_fill_pages_are_read_once(server: Server) -> None:
    """Odoo shows seconds and compares microseconds: a walk by write_date would go round in circles here."""
    odoo, copy = server
    odoo.tie("crm.lead", range(1, 12), NOON)
    with closing_(copy.connect()) as connector:
        window = Window(NOON, copy.clock())
        assert sorted(row["id"] for row in read(connector, "opportunities", window).rows) == list(range(1, 11))  # fmt: skip


def test_only_what_was_written_since_is_asked_for(server: Server) -> None:
    odoo, copy = server
    copy.sync("opportunities")
    copy.clock.later(days=1)
    odoo.update("crm.lead", 2, name="changed")
    odoo.asked.clear()
    copy.sync("opportunities")
    domains = [r.json["domain"] for r in odoo.asked if r.path.endswith("/crm.lead/search_read")]
    assert domains[0] == [["id", ">", 0], ["write_date", ">=", "2026-03-02 11:45:00"]]


# --- reading that stops half way ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", ["opportunities", "stage_history"])
def test_reading_goes_on_behind_any_page(server: Server, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "OPPORTUNITIES", 3)
    odoo, copy = server
    odoo.update("crm.lead", 2, stage_id=2)
    with closing_(copy.connect()) as connector:
        whole = read(connector, table)
        assert len(whole.resumes) >= 3
        for pages in range(1, len(whole.resumes) + 1):
            first = read(connector, table, most=pages)
            rest = read(connector, table, resume=first.resumes[-1])
            assert first.rows + rest.rows == whole.rows
            assert rest.end is not None and rest.end.rows == len(rest.rows)


def test_a_page_that_comes_again_is_an_error_and_no_endless_loop(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    odoo, copy = server
    found = odoo._found
    monkeypatch.setattr(odoo, "_found", lambda model, domain, context: found(model, [t for t in domain if t[0] != "id"], context))  # fmt: skip
    with closing_(copy.connect()) as connector, pytest.raises(DataError, match="again"):
        read(connector, "leads_and_opportunities")


@pytest.mark.parametrize("resume", [{"a": 1}, {"after": "x"}])
def test_places_that_it_has_not_written_itself_it_does_not_know(server: Server, resume: dict[str, Any]) -> None:  # fmt: skip
    with closing_(server[1].connect()) as connector, pytest.raises(ResumeExpired):
        read(connector, "opportunities", resume=resume)


def test_pages_that_are_just_full_are_no_circle(server: Server) -> None:
    odoo, copy = server
    for n in (9, 10):
        odoo.delete("crm.lead", n)
    assert len(copy.sync("opportunities")) == 8


def test_what_is_written_between_two_pages_is_in_the_copy_in_the_end(server: Server) -> None:
    odoo, copy = server
    with closing_(copy.connect()) as connector:
        stream = connector.changes("opportunities", Window(until=copy.clock()))
        rows = list(next(stream).data.to_pylist())  # type: ignore[union-attr]
        copy.clock.later(seconds=1)
        odoo.update("crm.lead", 1, name="after its page")
        odoo.delete("crm.lead", 2)
        odoo.update("crm.lead", 9, name="before its page")
        rows += [row for item in stream for row in (item.data.to_pylist() if hasattr(item, "data") else ())]
    assert sorted(row["id"] for row in rows) == list(range(1, 11))
    assert {row["id"]: row["name"] for row in rows}[9] == "before its page"
    odoo.insert("crm.lead", id=2, name="back", type="opportunity", stage_id=1)
    assert in_copy(copy.sync("opportunities")) == in_odoo(odoo)


# --- the history of stages ------------------------------------------------------------------------------------------------------------


def at(hours: float) -> dt.datetime:
    return NOON + dt.timedelta(hours=hours)


def stays(copy: Copy, opportunity: int) -> list[tuple[Any, ...]]:
    rows = copy.rows("stage_history").values()
    found = sorted((r["number"], r["stage_id"], r["stage_name"], r["entered_at"], r["left_at"]) for r in rows if r["opportunity_id"] == opportunity)  # fmt: skip
    return [stay[1:] for stay in found]


def test_stays_are_told_from_what_the_chatter_keeps(any_server: Server) -> None:
    odoo, copy = any_server
    copy.clock.later(hours=1)
    odoo.update("crm.lead", 1, stage_id=2)
    odoo.update("crm.lead", 2, active=False, probability=0, date_closed=copy.clock().replace(tzinfo=None))
    copy.clock.later(hours=1)
    odoo.update("crm.lead", 1, stage_id=3, date_closed=copy.clock().replace(tzinfo=None))
    copy.sync("stage_history")
    assert stays(copy, 1) == [(1, "New", at(0), at(2)), (2, "Offer", at(2), at(3)), (3, "Won", at(3), None)]
    assert stays(copy, 2) == [(1, "New", at(0), at(2))]
    assert stays(copy, 3) == [(1, "New", at(0), None)]
    odoo.update("crm.lead", 3, stage_id=2)
    moved = copy.clock()
    copy.sync("stage_history")
    assert stays(copy, 3) == [(1, "New", at(0), moved), (2, "Offer", moved, None)]


def test_a_lead_begins_as_an_opportunity_when_it_is_converted(server: Server) -> None:
    odoo, copy = server
    odoo.update("crm.lead", 11, type="opportunity", date_conversion=copy.clock().replace(tzinfo=None))
    copy.sync("stage_history")
    assert stays(copy, 11) == [(1, "New", at(1), None)]


# --- what goes wrong ------------------------------------------------------------------------------------------------------------------


REFUSED: dict[str, tuple[int, dict[str, Any], type[ConnectorError], tuple[str, ...]]] = {
    "a wrong key": (19, {"api_key": "wrong-canary"}, AuthError, ("api_key",)),
    "a wrong key, before 19": (17, {"api_key": "wrong-canary"}, AuthError, ("api_key",)),
    "another login": (17, {"login": "nobody@x"}, AuthError, ("api_key",)),
    "another database": (19, {"database": "other"}, ConfigError, ("database",)),
    "another database, before 19": (17, {"database": "other"}, ConfigError, ("database",)),
    "no login before 19": (17, {"login": ""}, ConfigError, ("login",)),
    "no database before 19": (14, {"database": ""}, ConfigError, ("database",)),
    "no login, and JSON-RPC": (17, {"login": "", "protocol": "jsonrpc"}, ConfigError, ("login",)),
    "json2 before 19": (17, {"protocol": "json2"}, DataError, ("url",)),
}


@pytest.mark.parametrize(("version", "config", "kind", "setting"), REFUSED.values(), ids=REFUSED)
def test_what_odoo_does_not_take_is_said_at_once(
    tmp_path: Path, version: int, config: dict[str, Any], kind: type[ConnectorError], setting: tuple[str, ...]
) -> None:
    for odoo, copy in serve(version, tmp_path):
        copy.config = {**copy.config, **config}
        with closing_(copy.connect()) as connector, pytest.raises(kind) as error:
            connector.ping()
        assert len(odoo.asked) <= 2
        assert error.value.setting == setting and error.value.hint
        assert isinstance(sync_error(copy), kind)


def test_what_may_not_be_read_or_is_not_installed_is_the_problem_of_its_tables_alone(
    any_server: Server,
) -> None:
    odoo, copy = any_server
    odoo.denied.add("mail.tracking.value")
    odoo.absent.update(("sale.order", "sale.order.line"))
    with closing_(copy.connect()) as connector:
        problems = {t.name: t.problem for t in connector.discover() if t.problem}
    assert sorted(problems) == ["order_lines", "orders", "stage_history"]
    assert "rights" in problems["stage_history"].hint and "installed" in problems["orders"].hint
    assert in_copy(copy.sync("opportunities")) == in_odoo(odoo)


GOES_ON = {
    "429": Fault("limited", path="search_read|jsonrpc", skip=3, times=2),
    "429 with a time": Fault("limited", path="search_read|jsonrpc", skip=3, retry_after=3),
    "500": Fault("error", path="search_read|jsonrpc", skip=3, times=2),
    "a web page": Fault("html", path="search_read|jsonrpc", skip=3),
    "cut off": Fault("truncated", path="search_read|jsonrpc", skip=3),
    "no answer": Fault("drop", path="search_read|jsonrpc", skip=3),
}


@pytest.mark.parametrize("fault", GOES_ON.values(), ids=GOES_ON)
@pytest.mark.parametrize("version", [19, 17])
def test_what_passes_is_waited_for(tmp_path: Path, version: int, fault: Fault) -> None:
    for odoo, copy in serve(version, tmp_path):
        odoo.faults.append(Fault(**vars(fault)))
        assert in_copy(copy.sync("opportunities")) == in_odoo(odoo)
        assert odoo.faults[0].times == 0


def test_a_server_that_asks_to_come_back_tomorrow_is_left_alone_and_reading_goes_on_there(
    server: Server,
) -> None:
    odoo, copy = server
    odoo.faults.append(Fault("quota", path="crm.lead/search_read", skip=1, times=99))
    error = sync_error(copy)
    assert isinstance(error, RateLimited) and error.retry_at is not None
    assert odoo.faults[0].times == 98, "it is not asked again"
    odoo.faults.clear()
    odoo.asked.clear()
    assert in_copy(copy.sync("opportunities")) == in_odoo(odoo)
    first = next(r for r in odoo.asked if r.path.endswith("crm.lead/search_read"))
    assert first.json["domain"][0] == ["id", ">", 4]


def test_no_secret_is_said(any_server: Server) -> None:
    odoo, copy = any_server
    said: list[str] = []
    for fault in (Fault("error", times=99), Fault("limited", times=99), Fault("html", times=99), Fault("redirect", times=9, location=f"https://x.example/?k={KEY}")):  # fmt: skip
        odoo.faults[:] = [fault]
        error = sync_error(copy)
        assert error is not None
        said += [error.message, error.hint, *copy.said]
    assert not [line for line in said if KEY in line]
    assert all(KEY.encode() not in file.read_bytes() for file in copy.folder.rglob("*") if file.is_file())


def test_an_answer_that_is_none_of_odoos_is_worth_another_try(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    odoo, copy = server
    monkeypatch.setattr(odoo, "_search_read", lambda *_: {"message": "hello"})
    with closing_(copy.connect()) as connector, pytest.raises(Transient):
        read(connector, "opportunities")


@pytest.mark.parametrize("url", ["belvoir.odoo.com", "https://a:b@belvoir.odoo.com", "ftp://belvoir.odoo.com"])  # fmt: skip
def test_an_address_that_cannot_be_read(tmp_path: Path, url: str) -> None:
    with pytest.raises(ConfigError) as error:
        Copy(OdooConnector, {"url": url, "api_key": "x"}, tmp_path, Clock()).connect().check("leads")
    assert error.value.setting == ("url",) and "https://" in error.value.hint


@pytest.mark.parametrize(("url", "host"), [
    ("https://belvoir.odoo.com/", "belvoir.odoo.com"), ("https://belvoir.odoo.com/odoo", "belvoir.odoo.com"), ("https://erp.belvoir.fr:8069", "erp.belvoir.fr:8069"),
])  # fmt: skip
def test_only_the_databases_own_machine_is_asked(tmp_path: Path, url: str, host: str) -> None:
    copy = Copy(OdooConnector, {"url": url, "api_key": "x"}, tmp_path, Clock())
    assert list(copy.connect().hosts) == [host]
