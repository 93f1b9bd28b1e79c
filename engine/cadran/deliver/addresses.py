"""Whether each value that a report is made for has somebody to send it to: known once there is data."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cadran.declare.destinations import blanks, filled
from cadran.deliver import per
from cadran.problems import Problem, listed, suggest
from cadran.publish.gather import chosen_kpis

if TYPE_CHECKING:
    from cadran.compute.results import Results
    from cadran.declare.destinations import Addressed
    from cadran.declare.model import Declaration, Report

_NONE = "(none)"


def unaddressed(declaration: Declaration, results: Results, plugins: Addressed) -> Iterator[Problem]:
    """Warnings: addresses of values that there are not, and values that have none, of reports that are ``per`` a segment."""
    for report in declaration.reports.values():
        if report.per is not None:
            kpis = [kpi.name for kpi in chosen_kpis(declaration, report)]
            values = per.values(results, report.per.segment.value, kpis)
            yield from _of_report(declaration, report, [v for v in values if v != _NONE], plugins)


def _of_report(
    declaration: Declaration, report: Report, values: list[str], plugins: Addressed
) -> Iterator[Problem]:
    assert report.per is not None
    segment, where = report.per.segment.value, f"reports.{report.name}"
    strange = [name for name in report.per.addresses if name not in values]
    for name in strange:
        place = report.place.at_setting(("per", "addresses", name))
        hint = suggest(name, values) or f"there are: {listed(values)}"
        message = f"'{name}' has an address, but the segment '{segment}' has no such value"
        yield Problem("needless-address", message, place, where, hint, "warning")
    without = [value for value in values if not _reached(declaration, report, value, plugins)]
    if without:
        message = f"nobody gets the report of {listed(without)}: there is no address for it"
        hint = (
            f"add it under 'addresses' of 'per', or is it '{strange[0]}' there?"
            if strange
            else "add it under 'addresses' of 'per'"
        )
        yield Problem("no-address", message, report.per.segment.place.position(), where, hint, "warning")


def _reached(declaration: Declaration, report: Report, value: str, plugins: Addressed) -> bool:
    """Whether somebody is sent the one of this value on each channel that names people by it."""
    assert report.per is not None
    address = report.per.addresses.get(value, "")
    words = {"owner": report.owner, "report": report.name, "value": value, "address": address, report.per.segment.value: address or value}  # fmt: skip
    for one in report.to:
        notifier = declaration.channels[one.channel.value].notifier
        texts = [text.value for text in one.to] if plugins.addressed(notifier) else []
        own = [text for text in texts if {"value", "address", report.per.segment.value} & {*blanks(text)}]
        if own and not any(_fits(filled(text, words), notifier, plugins) for text in own):
            return False
    return True


def _fits(recipient: str, notifier: str, plugins: Addressed) -> bool:
    return bool(recipient) and not plugins.recipient_problem(notifier, recipient)
