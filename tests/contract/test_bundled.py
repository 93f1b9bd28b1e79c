"""Every bundled connector passes the kit that third parties run.

Some checks run only where CADRAN_FULL is set: of large tables, and those of the copy, which ``tests/sync`` holds to every kill.
"""

from __future__ import annotations

import os

import pytest

from cadran.testing import Case
from cadran.testing.contract.running import all_checks, connector_of, outcome
from contract.cases.files import FilesCase
from contract.cases.hubspot import HubSpotCase
from contract.cases.odoo import OdooCase
from contract.cases.pipedrive import PipedriveCase
from contract.cases.salesforce import SalesforceCase
from contract.cases.sql import SqlCase

CASES = {
    str(case.connector): case
    for case in (FilesCase, SqlCase, HubSpotCase, SalesforceCase, PipedriveCase, OdooCase)
}
CHECKS = {check.name: check for check in all_checks()}
LONG = {"memory_stays_bounded", "a_sync_that_is_killed_goes_on", "the_copy_gets_an_added_field", "the_copy_takes_no_value_of_another_type", "the_copy_follows_the_source"}  # fmt: skip
FULL = bool(os.environ.get("CADRAN_FULL"))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("check", CHECKS)
def test_a_bundled_connector_keeps_it(name: str, check: str) -> None:
    if check in LONG and not FULL:
        pytest.skip("CADRAN_FULL is not set")
    case: type[Case] = CASES[name]
    found = outcome(CHECKS[check], case, connector_of(case))
    if found.state == "not shown":
        pytest.skip(found.why)
    assert found.state == "kept", found.why


@pytest.mark.parametrize("name", ["hubspot", "salesforce", "pipedrive", "odoo"])
def test_little_is_excused(name: str) -> None:
    assert len(CASES[name].cannot) <= 2
