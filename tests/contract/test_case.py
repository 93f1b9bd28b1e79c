"""Mistakes in a case are said as such, and what a check sees is said with what was set aside."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from cadran.plugins import Column
from cadran.testing.contract.case import EXCUSABLE, Case
from cadran.testing.contract.running import all_checks, outcome
from contract.acme import AcmeConnector, Sound

CHECKS = {check.name: check for check in all_checks()}


def why(check: str, connector: type[AcmeConnector] = AcmeConnector, **more: Any) -> str:
    case = type("Mine", (Sound,), {"connector": connector, **more})
    found = outcome(CHECKS[check], case, connector)
    assert found.state == "broken", found
    return found.why


def test_what_may_be_excused_is_what_checks_need() -> None:
    needed = {need for check in CHECKS.values() for need in check.needs}
    assert needed | {"resume", "repeat", "secrets"} == set(EXCUSABLE)
    assert all(hasattr(Case, name) for name in EXCUSABLE if name not in ("resume", "repeat"))


class Silent(AcmeConnector):
    """Gives no row of any table."""

    def _asked(self, path: str, params: Any = None) -> Any:
        answer = super()._asked(path, params)
        return {"rows": [], "next": None} if path.startswith("/v1/rows/") else answer


@pytest.mark.parametrize(
    "check",
    [
        "keys_are_unique_and_never_null",
        "rows_are_of_the_declared_types",
        "two_reads_are_equal",
        "no_row_is_set_aside",
    ],
)
def test_no_row_is_no_success(check: str) -> None:
    assert why(check, Silent) == "no row of 'orders' came, and the stand-in holds 250"


def test_a_failure_begins_with_the_rows_that_were_set_aside() -> None:
    class Unsound(Sound):
        def start(self, folder: Any) -> str:
            url = str(super().start(folder))
            for number in (8, 9, 10, 11):
                self.fake.put({**self.fake.rows["orders"][number], "amount": "on request"})
            return url

    found = outcome(CHECKS["all_pages_come"], Unsound, AcmeConnector)
    assert found.why.startswith("4 rows were set aside (Rejected): orders, id 8: amount: 'on request'")
    assert "; …. 'orders' did not come whole: " in found.why
    assert (
        "rows of 'orders' were set aside though they are sound"
        in outcome(CHECKS["no_row_is_set_aside"], Unsound, AcmeConnector).why
    )


@pytest.mark.parametrize(
    ("check", "what"),
    [
        ("a_removed_field_shows", "remove_field"), ("a_retyped_field_shows", "retype_field"),
        ("the_copy_takes_no_value_of_another_type", "retype_field"),
    ],
)  # fmt: skip
def test_a_field_that_there_is_not_is_said(check: str, what: str) -> None:
    said = why(check, **{what: lambda _: "nonsense"})
    assert (
        said.startswith(f"{what}() of the case gives 'nonsense', and ")
        and "'id', 'customer', 'amount'" in said
    )


def test_a_table_that_there_is_not_is_said() -> None:
    assert "discover() knows no table 'nope'" in why("all_pages_come", table="nope")
    assert "discover() knows no table 'nope'" in why("keys_are_unique_and_never_null", table="nope")
    assert why("asking_changes_nothing", table="nope").startswith(
        "rows('nope') of the case raised KeyError: 'nope'"
    )


@pytest.mark.parametrize("check", ["secrets_are_marked", "no_secret_is_told", "no_secret_lies_on_the_disk"])
def test_secrets_that_nobody_names_are_said(check: str) -> None:
    said = why(check, secrets=())
    assert said.startswith("the settings token are writeOnly, and the case names no secrets")
    assert "write secrets = (TOKEN,)" in said


def test_wrong_hosts_are_said_under_wrong_credentials() -> None:
    class Elsewhere(AcmeConnector):
        hosts = ("api.acme.example",)

    assert "does 'hosts' name it? It has ['api.acme.example']" in why(
        "wrong_credentials_are_told_at_once", Elsewhere
    )


class WithJson(AcmeConnector):
    """The customers of Acme's orders as JSON: objects."""

    def discover(self) -> Any:
        for table in super().discover():
            columns = tuple(Column(c.name, "JSON") if c.name == "customer" else c for c in table.columns)
            self._tables[table.name] = replace(table, columns=columns)
        return list(self._tables.values())

    def _asked(self, path: str, params: Any = None) -> Any:
        answer = super()._asked(path, params)
        for row in answer.get("rows", ()) if path.endswith("/orders") else ():
            row["customer"] = {"name": row.get("customer"), "share": Decimal("0.1"), "tags": [1]}
        return answer


@pytest.mark.parametrize(
    "written",
    [dict, json.dumps, lambda value: json.dumps(value, indent=1)],
    ids=["value", "text", "spaced text"],
)
@pytest.mark.parametrize("check", ["all_pages_come", "values_are_exact", "the_next_read_brings_what_changed"])
def test_json_is_compared_as_what_it_means(written: Any, check: str) -> None:
    def rows(self: Any, table: str) -> Any:
        held = Sound.rows(self, table)
        value = lambda row: {"tags": [1], "share": 0.1, "name": row.get("customer")}  # noqa: E731
        return [{**row, "customer": written(value(row))} for row in held] if table == "orders" else held

    case = type("Mine", (Sound,), {"rows": rows})
    found = outcome(CHECKS[check], case, WithJson)
    assert found.state == "kept", found.why


@pytest.mark.parametrize(
    "check", ["a_server_error_loses_nothing", "an_answer_that_breaks_off_is_no_end", "reading_goes_on_behind_each_page", "a_sync_that_is_killed_goes_on"]
)  # fmt: skip
def test_rows_that_differ_in_peace_are_not_the_fault_of_a_fault(check: str) -> None:
    def rows(self: Any, table: str) -> Any:
        return [{**row, "customer": "nobody"} for row in Sound.rows(self, table)]

    assert why(check, rows=rows).startswith(
        "'orders' does not come as the case's rows() has it, though nothing is disturbed; put that right first"
    )


@pytest.mark.parametrize(
    ("check", "method"),
    [
        ("the_next_read_brings_what_changed", "insert"), ("the_next_read_brings_what_changed", "update"),
        ("rows_at_the_boundary_come_again", "tie"), ("deleted_rows_show", "delete"),
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("inv_1", "gave 'inv_1'; give the key's values as a tuple: ('inv_1',)"),
        (None, "gave None; give the key's values as a tuple: ('…',)"),
        ([5], "gave [5]; give the key's values as a tuple: (5,)"),
        ((5, 6), "gave (5, 6), and the key of 'orders' is ('id',): give a value for each"),
    ],
)
def test_what_is_no_key_is_said(check: str, method: str, given: Any, said: str) -> None:
    assert why(check, **{method: lambda _: given}).startswith(f"{method}() {said}")


def test_a_key_that_no_row_has_is_said() -> None:
    said = why("rows_at_the_boundary_come_again", tie=lambda _: ("251",))
    assert said.startswith("tie() gave ('251',), and rows() has no row of this key")


def test_an_address_and_rows_that_are_none_are_said() -> None:
    stopped = []
    said = why("all_pages_come", start=lambda *_: None, stop=lambda _: stopped.append(1))
    assert said.startswith("start() gave None: it gives the address of the stand-in") and stopped
    assert why("all_pages_come", rows=lambda *_: None).startswith("rows('orders') of the case gave None")
