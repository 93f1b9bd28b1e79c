"""``scores``: points for each row of a dataset, and the bands that they fall into, as derived columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from cadran.declare import datasets, values
from cadran.declare.additions import Additions, quoted
from cadran.declare.document import Place
from cadran.declare.findings import Findings
from cadran.declare.model import Localized, Score, ScoreRule
from cadran.declare.names import check_name
from cadran.declare.sections import Entry, Sections

_MOST_SUMS = 4096  # beyond so many different totals, bands are not checked for being reachable


def score(name: str, entry: Entry, sections: Sections, added: Additions, found: Findings) -> Score | None:
    """The score, its columns put among ``added``; None where its dataset is unknown."""
    value, place = entry.value, entry.place
    check_name("score", name, entry.key, found)
    if not datasets.known_dataset(value["dataset"], place.child("dataset"), sections, found):
        return None
    made = Score(
        name=name,
        dataset=value["dataset"],
        place=place,
        rules=tuple(_rules(name, value["rules"], place.child("rules"), found)),
        bands=_bands(value.get("bands", {}), place.child("bands"), found),
        band_labels={n: values.localized(v) for n, v in value.get("band_labels", {}).items()},
        label=values.localized(value.get("label")),
        description=values.localized(value.get("description")),
        show=values.texts(value["show"], place.child("show")) if "show" in value else (),
        only=values.text(value["only"], place.child("only")) if "only" in value else None,
    )
    _check_labels(made, found)
    _check_bands(made, found)
    _add_columns(made, added)
    return made


def _rules(score: str, value: list[Any], place: Place, found: Findings) -> Iterator[ScoreRule]:
    number = 0
    for item, at in values.each(value, place):
        group = number if "first" in item else None
        rules = values.each(item["first"], at.child("first")) if "first" in item else [(item, at)]
        for rule, where in rules:
            number += 1
            yield _rule(f"{score}__{number}", rule, where, group, found)


def _rule(
    column: str, value: Mapping[str, Any], place: Place, group: int | None, found: Findings
) -> ScoreRule:
    points = Decimal(str(value["points"]))
    if not points:
        found.warn(
            "no-points", "this rule gives no points", place.child("points"), "drop it, or give it points"
        )
    label: Localized = values.localized(value.get("label"))
    when = values.text(value["when"], place.child("when"))
    return ScoreRule(when, points, column, place, label, group, bool(value.get("adds", False)))


def _bands(value: Mapping[str, Any], place: Place, found: Findings) -> dict[str, Decimal]:
    bands = {name: Decimal(str(least)) for name, least in value.items()}
    seen: dict[Decimal, str] = {}
    for name, least in bands.items():
        first = seen.setdefault(least, name)
        if first != name:
            message = f"'{name}' and '{first}' begin at the same points"
            found.error(
                "same-band", message, place.child(name), "give each band points of its own to begin at"
            )
    return dict(sorted(bands.items(), key=lambda band: -band[1]))


def _check_labels(made: Score, found: Findings) -> None:
    for name in made.band_labels:
        if name not in made.bands:
            at = made.place.child("band_labels", name, on_key=True)
            found.error(
                "unknown-band", f"there is no band '{name}'", at, f"bands are {', '.join(made.bands)}"
            )


def _check_bands(made: Score, found: Findings) -> None:
    """Bands that no sum of points falls into, and sums that fall into no band."""
    sums = _sums(made)
    if sums is None or not made.bands:
        return
    above: Decimal | None = None
    for name, least in made.bands.items():
        if not any(least <= total and (above is None or total < above) for total in sums):
            message = f"no sum of these points falls into the band '{name}' (the most is {max(sums)})"
            found.warn(
                "unreachable-band", message, made.place.child("bands", name), "lower it, or give more points"
            )
        above = least
    if above is not None and min(sums) < above:
        message = f"scores from {min(sums)} up to {above} fall into no band"
        hint = f"let '{list(made.bands)[-1]}' begin at {min(sums)}"
        found.warn("below-all-bands", message, made.place.child("bands"), hint)


def _sums(made: Score) -> set[Decimal] | None:
    """All totals that rules could give if each could hold beside every other; None where there are too many."""
    sums = {Decimal(0)}
    for choices in _alternatives(made):
        sums = {total + points for total in sums for points in choices}
        if len(sums) > _MOST_SUMS:
            return None
    return sums


def _alternatives(made: Score) -> Iterator[list[Decimal]]:
    """What each rule, or each group of rules of which one counts, can add."""
    groups: dict[int, list[Decimal]] = {}
    for rule in made.rules:
        if rule.group is None:
            yield [Decimal(0), rule.points]
        else:
            groups.setdefault(rule.group, [Decimal(0)]).append(rule.points)
    yield from groups.values()


def _add_columns(made: Score, added: Additions) -> None:
    for rule in made.rules:
        added.column(made.dataset, rule.column, rule.when, "condition")
    added.made(made.dataset, made.name, " + ".join(_terms(made)), made.place)
    for number, text in enumerate(made.show, 1):
        added.column(made.dataset, shown_column(made, number), text)
    if made.only is not None:
        added.column(made.dataset, only_column(made), made.only, "condition")
    if made.bands:
        cases = " ".join(
            f"when {quoted(made.name)} >= {least:f} then {literal(name)}"
            for name, least in made.bands.items()
        )
        added.made(made.dataset, f"{made.name}_band", f"case {cases} end", made.place)


def _terms(made: Score) -> Iterator[str]:
    groups: dict[int, list[ScoreRule]] = {}
    for rule in made.rules:
        if rule.group is None:
            yield f"case {_then(rule)} else 0 end"
        else:
            groups.setdefault(rule.group, []).append(rule)
    for rules in groups.values():
        yield f"case {' '.join(map(_then, rules))} else 0 end"


def _then(rule: ScoreRule) -> str:
    return f"when {quoted(rule.column)} then {rule.points:f}"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def shown_column(made: Score, number: int) -> str:
    """The derived column that holds what the list of the best shows at this place, counted from 1."""
    return f"{made.name}__show_{number}"


def only_column(made: Score) -> str:
    """The derived column that holds whether a row belongs to the list of the best."""
    return f"{made.name}__only"
