"""Rules, histories and runs for tests of alerts, without data."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from cadran.calendar import Calendar
from cadran.compute.results import Judging
from cadran.declare.document import nowhere
from cadran.declare.model import AlertRule, Text
from cadran.judge.states import advance
from cadran.state.alerting import Instance, Transition

EXAMPLES = int(os.environ.get("CADRAN_EXAMPLES", "12")) * (10 if os.environ.get("CADRAN_FULL") else 5)
PARIS = Calendar(ZoneInfo("Europe/Paris"))
MONTHS = [f"{year}-{month:02}" for year in range(2020, 2030) for month in range(1, 13)]

Answer = tuple[bool | None, bool | None]
LETTERS: dict[str, Answer] = {
    "x": (True, False), ".": (False, False), "c": (False, True), "?": (None, None), "b": (True, True)
}  # fmt: skip


def rule(when: str = "value < 3", name: str = "low", **more: object) -> AlertRule:
    clear = more.pop("clear", None)
    made = AlertRule(name, Text(when, nowhere()), nowhere(), Text(str(clear), nowhere()) if clear else None)
    return replace(made, **more)  # type: ignore[arg-type]


def answered(letters: str) -> tuple[Answer, ...]:
    """``x`` a breach, ``.`` none, ``c`` clear as well, ``b`` a breach that is clear, ``?`` unknown."""
    return tuple(LETTERS[letter] for letter in letters)


def history(of: AlertRule, answers: Sequence[Answer], first: int = 0, **more: object) -> Judging:
    """Months from January 2020 on."""
    months = tuple(MONTHS[first : first + len(answers)])
    figures = tuple((n, 3) for n in range(len(answers)))
    return replace(Judging("leads", of, "month", (), (), months, tuple(answers), figures), **more)


def at(run: int) -> dt.datetime:
    return dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=run)


def run(
    of: AlertRule, answers: Sequence[Answer], prior: Instance | None = None, number: int = 0
) -> tuple[Instance, list[Transition]]:
    return advance(history(of, answers), prior, PARIS, at(number))
