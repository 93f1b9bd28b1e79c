"""Scores as people read them: the best rows, and why they are; the bands; what each rule does."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from cadran.analysis.answers import RuleSeen, ScoreAnswer, Scored, ScoredRow
from cadran.declare.model import Score
from cadran.publish.analyses.sheet import Sheet
from cadran.publish.context_parts import Figure
from cadran.publish.figures import Figures, spaced


@dataclass(frozen=True, slots=True)
class BandBlock:
    """A band of a score.

    name: its name; empty for the rows in none
    label: for people
    least: from how many points on it holds
    count: how many rows of the list it holds
    width: its share of them in whole percent, for a bar
    """

    name: str
    label: str
    least: Figure
    count: Figure
    width: int


@dataclass(frozen=True, slots=True)
class RuleBlock:
    """A rule of a score.

    label: what it says about a row, or its condition
    condition: its condition
    points: what it gives
    holds: for how many rows it holds
    counts: for how many rows its points count
    never: whether it holds for no row
    """

    label: str
    condition: str
    points: Figure
    holds: Figure
    counts: Figure
    never: bool


@dataclass(frozen=True, slots=True)
class ScoredBlock:
    """One row of a score's list.

    key: its key
    points: its points
    band: its band
    band_label: the band for people
    shown: what the score shows of it
    reasons: the rules that gave it points, as "+30 saw the prices"
    """

    key: str
    points: Figure
    band: str
    band_label: str
    shown: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScoreBlock:
    """A score: the best rows, the bands, the rules.

    name: its name
    label: for people
    description: what it is about
    dataset: whose rows are scored
    heads: the heads of the list: of the key, then of what is shown
    best: the best rows
    listed: how many rows the list is of
    bands: the bands, the highest first
    rules: the rules
    tables: all of it as plain tables
    """

    name: str
    label: str
    description: str
    dataset: str
    heads: tuple[str, ...]  # of the key, then of what is shown
    best: tuple[ScoredBlock, ...]
    listed: Figure
    bands: tuple[BandBlock, ...]
    rules: tuple[RuleBlock, ...]
    tables: tuple[Sheet, ...] = ()


def score_block(answer: ScoreAnswer, figures: Figures) -> ScoreBlock:
    score = figures.declaration.scores[answer.name]
    keys = figures.declaration.datasets[score.dataset].key
    heads = (" / ".join(spaced(key.value) for key in keys), *(_head(text.value) for text in score.show))
    block = ScoreBlock(
        name=score.name,
        label=figures.text(score.label) or spaced(score.name),
        description=figures.text(score.description),
        dataset=score.dataset,
        heads=heads,
        best=tuple(_scored(scored, score, figures) for scored in answer.best),
        listed=figures.figure(answer.listed),
        bands=tuple(_bands(answer, score, figures)),
        rules=tuple(_rules(answer, score, figures)),
    )
    return replace(block, tables=tuple(sheets(block, figures)))


def _head(path: str) -> str:
    """``owner.name`` is the owner, to whoever reads the list."""
    return spaced(path.removesuffix(".name").replace(".", " ").replace('"', ""))


def _unquoted(path: str) -> str:
    """``owner."Last name"`` as a key of a record: the quotes are the formula language's, not the column's."""
    return re.sub(r'"((?:[^"]|"")*)"', lambda found: found[1].replace('""', '"'), path)


def _scored(scored: Scored, score: Score, figures: Figures) -> ScoredBlock:
    return ScoredBlock(
        key=" / ".join(_text(part, figures) for part in scored.key),
        points=figures.figure(_plain(scored.points)),
        band=scored.band,
        band_label=band_label(score, scored.band, figures),
        shown=tuple(_text(value, figures) for value in scored.shown),
        reasons=tuple(_reason(score, number, figures) for number in scored.rules),
    )


def _text(value: Any, figures: Figures) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return figures.gettext("yes") if value else figures.gettext("no")
    if isinstance(value, dt.datetime):
        value = value.date()
    if isinstance(value, dt.date):
        return figures.form.date(value)
    if isinstance(value, int | Decimal):
        return figures.figure(value).text
    return figures.figure(value).text if isinstance(value, float) else figures.said(str(value))


def _plain(points: Decimal) -> int | Decimal:
    """Whole points without a fraction."""
    return int(points) if points == points.to_integral_value() else points.normalize()


def _reason(score: Score, number: int, figures: Figures) -> str:
    rule = score.rules[number]
    points = _plain(rule.points)
    return f"{'+' * (points > 0)}{figures.figure(points).text} {rule_label(score, number, figures)}"


def rule_label(score: Score, number: int, figures: Figures) -> str:
    """A rule's label, or its condition."""
    rule = score.rules[number]
    return figures.text(rule.label) or figures.said(" ".join(rule.when.value.split()))


def band_label(score: Score, band: str, figures: Figures) -> str:
    if not band:
        return figures.gettext("no band") if score.bands else ""
    return figures.band(score, band)


def _bands(answer: ScoreAnswer, score: Score, figures: Figures) -> Iterator[BandBlock]:
    for name, count in answer.bands.items():
        least = figures.figure(_plain(score.bands[name])) if name else figures.figure(None)
        width = round(100 * count / answer.listed) if answer.listed else 0
        yield BandBlock(name, band_label(score, name, figures), least, figures.figure(count), width)


def _rules(answer: ScoreAnswer, score: Score, figures: Figures) -> Iterator[RuleBlock]:
    for found in answer.rules:
        rule = score.rules[found.number]
        yield RuleBlock(
            rule_label(score, found.number, figures),
            figures.said(" ".join(rule.when.value.split())),
            figures.figure(_plain(rule.points)),
            figures.figure(found.holds),
            figures.figure(found.counts),
            not found.holds,
        )


# --- tables and records ------------------------------------------------------------------------------------------------


def sheets(block: ScoreBlock, figures: Figures) -> Iterator[Sheet]:
    best = figures.ngettext(
        "The best of %(listed)s", "The %(num)s best of %(listed)s", len(block.best), listed=block.listed.text
    )
    band = bool(block.bands)
    heads = (
        *block.heads,
        *([figures.gettext("Band")] if band else []),
        figures.gettext("Points"),
        figures.gettext("Why"),
    )
    yield Sheet(
        f"{block.label} · {best}",
        heads,
        tuple(
            (b.key, *b.shown, *([b.band_label] if band else []), b.points.text, ", ".join(b.reasons))
            for b in block.best
        ),
        block.description,
        words=len(heads) - 2,
        last=1,
    )
    if block.bands:
        yield Sheet(
            figures.gettext("Bands"),
            (figures.gettext("Band"), figures.gettext("Points"), figures.gettext("Rows")),
            tuple(
                (
                    b.label,
                    figures.gettext("from %(points)s points", points=b.least.text) if b.name else "",
                    b.count.text,
                )
                for b in block.bands
            ),
            words=2,
        )
    yield rule_sheet(block, figures)


def rule_sheet(block: ScoreBlock, figures: Figures) -> Sheet:
    never = figures.gettext("holds for no row")
    return Sheet(
        figures.gettext("Rules"),
        (
            figures.gettext("Rule"),
            figures.gettext("Points"),
            figures.gettext("Holds for"),
            figures.gettext("Counts for"),
            "",
        ),
        tuple(
            (r.label, r.points.text, r.holds.text, r.counts.text, never if r.never else "")
            for r in block.rules
        ),
        last=1,
    )


def row_sheet(row: ScoredRow, score: Score, figures: Figures) -> Sheet:
    """One row: every rule, what it looked at, and the points that it gave."""
    key = " / ".join(_text(part, figures) for part in row.key)
    if not row.found:
        missing = figures.gettext("no row of %(dataset)s has this key", dataset=score.dataset)
        return Sheet(key, (), (), missing)
    band = f" · {band_label(score, row.band, figures)}" if score.bands else ""
    points = figures.figure(_plain(row.points)).text
    gettext = figures.gettext
    heads = (
        gettext("Rule"),
        gettext("Condition"),
        gettext("The row has"),
        gettext("Holds"),
        gettext("Points"),
    )
    rows = tuple(_seen(found, score, figures) for found in row.rules)
    total = figures.gettext("%(points)s points", points=points)
    title = f"{key} · {total}{band}"
    return Sheet(title, heads, rows, words=4)


def _seen(found: RuleSeen, score: Score, figures: Figures) -> tuple[str, ...]:
    rule = score.rules[found.number]
    label, condition = figures.text(rule.label), figures.said(" ".join(rule.when.value.split()))
    values = ", ".join(f"{name} = {_text(value, figures)}" for name, value in found.seen)
    holds = figures.gettext("yes") if found.holds else figures.gettext("no")
    if found.holds and not found.counts:
        earlier = figures.gettext("an earlier one counts")
        holds = f"{holds}, {earlier}"
    given = f"{'+' * (rule.points > 0)}{figures.figure(_plain(rule.points)).text}" if found.counts else ""
    return (label or condition, condition if label else "", values, holds, given)


def records(answer: ScoreAnswer, figures: Figures) -> Iterator[dict[str, Any]]:
    """One for each listed row, the best first."""
    score = figures.declaration.scores[answer.name]
    keys = [key.value for key in figures.declaration.datasets[score.dataset].key]
    for scored in answer.best:
        yield {
            "score": answer.name,
            **dict(zip(keys, scored.key, strict=True)),
            "points": _plain(scored.points),
            "band": scored.band or None,
            **{_unquoted(text.value): value for text, value in zip(score.show, scored.shown, strict=True)},
            "rules": [" ".join(score.rules[n].when.value.split()) for n in scored.rules],
        }
