"""Silences as people give them: what they are about, and until when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from cadran.calendar import parse_duration
from cadran.declare.model import Declaration
from cadran.problems import Problem, ProblemsFound, listed, suggest
from cadran.state.alerting import Silence
from cadran.state.store import alerts

if TYPE_CHECKING:
    from sqlalchemy import Connection

Day = dt.date | None
TOTAL = "total"  # in the place of a segment: alerts that are of none
_WORDS = frozenset(
    {"kpi", "rule", "owner", "severity", "tag", "dataset", "source", "subject", "grain", "segment", "value"}
)


def silence_of(
    declaration: Declaration, given: Mapping[str, Sequence[str]], segments: Sequence[str],
    *, known: Mapping[str, Sequence[str]] | None = None, begin: Day, until: Day, length: str, now: dt.datetime, reason: str = "", author: str = "",
) -> Silence:  # fmt: skip
    """``given`` holds names by what they are of; ``segments`` are ``channel``, ``channel=paid`` or ``total``; ``known`` holds
    the values of segments that alerts are of, as far as any were judged. Raises ProblemsFound."""
    problems = [*_unknown(declaration, given), *_unknown_segments(declaration, segments, known or {})]
    matchers = {word: tuple(names) for word, names in given.items() if names}
    for text in segments:
        name, found, value = text.partition("=")
        # A segment goes by its own name, so that values of two of them have to meet; unless that is another's.
        key, fits = (name, value) if found and name not in _WORDS else ("segment", text)
        matchers[key] = (*matchers.get(key, ()), fits)
    if not matchers:
        problems.append(
            _wrong(
                "a silence needs to say which alerts", "give --kpi, --segment, --owner, --rule or --source"
            )
        )
    starts = now if begin is None else _instant(declaration, begin)
    ends = _end(declaration, starts, until, length, problems)
    if ends is not None and ends <= max(now, starts):
        problems.append(_wrong("the silence would be over before it begins", "give a later --until"))
    if not reason.strip():
        problems.append(_wrong("--reason says nothing", "say why, for whoever misses the alert"))
    if problems or ends is None:
        raise ProblemsFound(problems)
    return Silence(matchers, starts, ends, reason.strip(), author.strip())


def _end(
    declaration: Declaration, starts: dt.datetime, until: Day, length: str, problems: list[Problem]
) -> dt.datetime | None:
    if (until is None) == (not length):
        problems.append(_wrong("a silence needs an end", "give either --for 3d or --until 2026-07-01"))
        return None
    if until is not None:
        return _instant(declaration, until)
    try:
        return declaration.calendar.after(starts, parse_duration(length))
    except (ValueError, OverflowError) as error:
        problems.append(_wrong(f"--for: {error}", ""))
        return None


def _instant(declaration: Declaration, moment: dt.date) -> dt.datetime:
    zone = declaration.calendar.zone
    if isinstance(moment, dt.datetime):
        return moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return declaration.calendar.midnight(moment)


def _unknown(declaration: Declaration, given: Mapping[str, Sequence[str]]) -> Iterator[Problem]:
    kpis = declaration.kpis.values()
    known: dict[str, Iterable[str]] = {
        "kpi": declaration.kpis, "dataset": declaration.datasets, "source": declaration.sources,
        "rule": [*(rule.name for kpi in kpis for rule in kpi.alerts), "failed", "max_age", "min_rows"],
        "owner": [kpi.owner for kpi in kpis if kpi.owner], "tag": [tag for kpi in kpis for tag in kpi.tags],
        "severity": [*(rule.severity for kpi in kpis for rule in kpi.alerts), "critical", "warning", "info"],
    }  # fmt: skip
    for word, names in given.items():
        every = sorted(set(known[word]))
        yield from (_not_there(word, name, every) for name in names if name not in every)


def _unknown_segments(
    declaration: Declaration, segments: Sequence[str], known: Mapping[str, Sequence[str]]
) -> Iterator[Problem]:
    every = sorted({name for kpi in declaration.kpis.values() for names in kpi.segments for name in names})
    for text in segments:
        name, given, value = text.partition("=")
        if name not in every and text != TOTAL:
            yield _not_there("segment", name, every)
        elif given and name in known and value not in known[name]:
            values = sorted(known[name])
            hint = suggest(value, values) or f"there are: {listed(values)}"
            message = f"no alert is of {name} '{value}', so this would silence nothing"
            yield Problem("unknown-value", message, None, "", hint)


def _not_there(word: str, name: str, known: Sequence[str]) -> Problem:
    hint = suggest(name, known) or (f"there are: {listed(known)}" if known else "there are none")
    return Problem(f"unknown-{word}", f"no alert can be of the {word} '{name}'", None, "", hint)


def _wrong(message: str, hint: str) -> Problem:
    return Problem("silence", message, None, "", hint)


def values_known(c: Connection) -> dict[str, list[str]]:
    """By segment, the values that alerts are of, also those that are ok."""
    out: dict[str, dict[str, None]] = {}
    for one in alerts.load(c).values():
        for name, value in zip(one.identity.segment, one.identity.segment_value, strict=True):
            out.setdefault(name, {})[value] = None
    return {name: list(values) for name, values in out.items()}
