"""The outbox as people and programs read it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from cadran.publish.analyses.sheet import Sheet
from cadran.state.store.by_hand import Attempt
from cadran.state.store.outbox import Delivery

SHORT = 12  # digits of a key that are shown: enough to name a delivery by
_ROOM = 60  # characters of a reason in a table; all of it is in what is shown of one, and in JSON


def sheet(rows: Sequence[Delivery], zone: dt.tzinfo) -> Sheet:
    """Deliveries as a table, one line each; times by the clock of ``zone``."""
    heads = ("key", "state", "message", "to", "tries", "when", "why")
    lines = tuple(
        (
            row.key[:SHORT],
            row.state,
            _message(row),
            to(row),
            str(row.attempts),
            _when(row, zone),
            cut(row.reason),
        )
        for row in rows
    )
    return Sheet(f"{len(rows)} {'delivery' if len(rows) == 1 else 'deliveries'}", heads, lines, words=4, last=2)  # fmt: skip


def _message(row: Delivery) -> str:
    """``report: Weekly sales``; the period where the subject does not say it."""
    subject = " ".join(row.subject.split())  # a label has spaces that do not break, a subject has none
    left = [part for part in " ".join(row.label.split()).split(" · ") if part not in subject]
    label = f" ({' · '.join(left)})" if any(left) else ""
    return f"{row.kind}: {row.subject}{label}"


def to(row: Delivery) -> str:
    return f"{row.channel}: {row.recipient}" if row.recipient else row.channel


def cut(text: str) -> str:
    """As much of a reason as a table has room for."""
    return text if len(text) <= _ROOM else text[: _ROOM - 1].rstrip() + "…"


def _when(row: Delivery, zone: dt.tzinfo) -> str:
    if row.state in ("waiting", "retry") or (row.state == "unknown" and _goes_again(row)):
        return f"due {_time(row.due, zone)}"
    if row.state == "leased" and row.lease is not None:
        return f"until {_time(row.lease, zone)}"
    return _time(row.finished or row.created, zone)


def _goes_again(row: Delivery) -> bool:
    return row.on_unknown == "send" and row.finished is None


def _time(moment: dt.datetime, zone: dt.tzinfo) -> str:
    return moment.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def one(row: Delivery, history: Sequence[Attempt], zone: dt.tzinfo) -> str:
    """All that is known of one delivery, as text."""
    size = "not kept any more" if row.content is None else f"{len(row.content)} bytes, SHA-256 {row.digest}"
    facts = [
        ("key", row.key), ("state", row.state + (f": {row.reason}" if row.reason else "")), ("message", _message(row)),
        ("to", to(row)), ("went", row.where), ("job", f"{row.job} of {_time(row.logical_time, zone)}"), ("owner", row.owner),
        ("made", _time(row.created, zone)), ("due", _time(row.due, zone) if row.finished is None else ""),
        ("until", _time(row.deadline, zone)), ("after", (row.after or "")[:SHORT]),
        ("if unknown", "it is sent again" if row.on_unknown == "send" else "it waits for 'cadran outbox retry'"),
        ("content", "" if row.state == "skipped" else size),
    ]  # fmt: skip
    lines = [f"{name:<11} {said}" for name, said in facts if said]
    lines += ["", "history"] if history else []
    return "\n".join([*lines, *(_attempt(each, zone) for each in history)]) + "\n"


def _attempt(each: Attempt, zone: dt.tzinfo) -> str:
    took = f"{each.seconds} s" if each.seconds is not None else ""
    at = each.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    return "  ".join(filter(None, (f"  {at}", f"{each.outcome:<10}", each.host, took, each.detail))).rstrip()


def to_json(rows: Sequence[Delivery], histories: Sequence[Sequence[Attempt]] = ()) -> str:
    """A list of objects, one a delivery, named as the table's columns are; without the content."""
    out = []
    for number, row in enumerate(rows):
        fields = {
            name: _plain(value) for name, value in asdict(row).items() if name not in ("content", "holder")
        }
        if histories:
            fields["history"] = [
                {name: _plain(value) for name, value in asdict(each).items()} for each in histories[number]
            ]
        out.append(fields)
    return json.dumps(out, ensure_ascii=False, indent=2) + "\n"


def _plain(value: Any) -> Any:
    return value.astimezone(dt.UTC).isoformat() if isinstance(value, dt.datetime) else value
