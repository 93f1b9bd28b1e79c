"""Each broken connector is caught, by the check that is meant for it and by no other; the sound one keeps all."""

from __future__ import annotations

import os

import pytest

from cadran.testing.contract.running import all_checks, outcome
from contract.acme import Sound
from contract.broken.connectors import BROKEN

CHECKS = {check.name: check for check in all_checks()}
FULL = bool(os.environ.get("CADRAN_FULL"))


class OffsetAcme(Sound):
    """A server that can skip rows as well, as many do."""

    def start(self, folder):  # type: ignore[no-untyped-def]
        url = super().start(folder)
        page = self.fake.page

        def skipping(table, query):  # type: ignore[no-untyped-def]
            if "offset" not in query:
                return page(table, query)
            offset, limit = int(query["offset"]), int(query["limit"])
            if self.fake.big:
                return page(table, {**query, "after": str(offset)})
            status, found = page(table, {**query, "limit": "100000"})
            return status, {**found, "rows": found["rows"][offset : offset + limit]}

        self.fake.page = skipping
        return url


def _case(name: str) -> type[Sound]:
    base = OffsetAcme if name == "WalksByOffset" else Sound
    return type(name, (base,), {"connector": BROKEN[name].connector()})


@pytest.mark.parametrize("check", CHECKS)
def test_the_sound_connector_keeps_it(check: str) -> None:
    found = outcome(CHECKS[check], Sound, Sound.connector)
    assert found.state != "broken", found.why


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_connector_is_caught_by_the_check_that_is_meant_for_it(name: str) -> None:
    case = _case(name)
    found = outcome(CHECKS[BROKEN[name].check], case, case.connector)
    assert found.state == "broken"
    assert "Traceback" not in found.why.split("\n\n")[0], "the kit itself failed"


@pytest.mark.slow
@pytest.mark.skipif(not FULL, reason="the whole matrix takes minutes: CADRAN_FULL=1")
@pytest.mark.parametrize("name", BROKEN)
def test_no_other_check_catches_it(name: str) -> None:
    case = _case(name)
    rest = [c for n, c in CHECKS.items() if n != "memory_stays_bounded" or BROKEN[name].check == n]
    caught = {
        c.name: found.why for c in rest if (found := outcome(c, case, case.connector)).state == "broken"
    }
    assert set(caught) == {BROKEN[name].check, *BROKEN[name].also}, caught


def test_almost_every_check_has_a_connector_that_breaks_it() -> None:
    caught = {one.check for one in BROKEN.values()} | set().union(*(one.also for one in BROKEN.values()))
    assert set(CHECKS) - caught == {
        "all_pages_come", "two_reads_are_equal", "what_is_kept_is_known_again", "a_query_says_what_reading_says",
        "a_query_that_is_refused_is_said", "archived_rows_show",
    }  # fmt: skip
