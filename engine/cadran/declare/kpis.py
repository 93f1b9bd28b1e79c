"""``kpis`` as values: targets, alerts, and what one KPI says about others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

from cadran.calendar import Calendar, Grain
from cadran.declare import values
from cadran.declare.document import Place
from cadran.declare.findings import Findings, line_and_column
from cadran.declare.model import AlertRule, Kpi, TargetCase, Text
from cadran.declare.names import check_name
from cadran.declare.sections import Entry
from cadran.problems import listed, suggest

_NEEDS_PERIOD = ("segment", "target", "alert", "compare", "action")


def kpi(name: str, entry: Entry, calendar: Calendar, currency: str, found: Findings) -> Kpi:
    check_name("KPI", name, entry.key, found)
    value, place = entry.value, entry.place
    if not isinstance(value, dict):
        return Kpi(name, values.text(value, place), place, reported=False)
    periods = tuple(Grain(g) for g, _ in values.each(value["period"], place)) if "period" in value else ()
    segments = list(values.each(value["segment"], place.child("segment"))) if "segment" in value else []
    made = Kpi(
        name=name,
        formula=values.text(value["formula"], place.child("formula")),
        place=place,
        reported=bool(periods),
        label=values.localized(value.get("label")),
        description=values.localized(value.get("description")),
        periods=periods,
        segments=tuple((part,) if isinstance(part, str) else tuple(part) for part, _ in segments),
        segment_places=tuple(at for _, at in segments),
        unit=_unit(value.get("unit", ""), place.child("unit"), currency, found),
        good=value.get("good", "up"),
        compare=_compare(value, place),
        targets=_targets(value.get("target"), place.child("target"), calendar, found),
        tolerance=_tolerance(value.get("tolerance"), place.child("tolerance"), found),
        alerts=_alerts(value.get("alert"), place.child("alert"), found),
        action=values.localized(value.get("action")),
        read_with=values.texts(value["read_with"], place.child("read_with")) if "read_with" in value else (),
        owner=value.get("owner", ""),
        tags=tuple(tag for tag, _ in values.each(value["tags"], place)) if "tags" in value else (),
        renamed_from=value.get("renamed_from", ""),
        pitfalls=values.localized(value.get("pitfalls")),
    )
    _check_periods(made, value, found)
    _check_segments(made, found)
    return made


def _compare(value: dict[str, Any], place: Place) -> tuple[Literal["previous", "year_ago"], ...]:
    if "compare" not in value:
        return ("previous", "year_ago")
    return tuple(part for part, _ in values.each(value["compare"], place))


def _unit(unit: str, place: Place, currency: str, found: Findings) -> str:
    if unit == "%":
        found.error("bad-unit", "the unit '%' is written as a word", place, "write 'unit: percent'")
    elif unit.islower() and unit.upper() == currency:
        found.error(
            "bad-unit", f"a currency is written in capitals, not '{unit}'", place, f"write 'unit: {currency}'"
        )
    return unit


def _tolerance(value: Any, place: Place, found: Findings) -> Decimal:
    if value is None:
        return Decimal("0.05")
    number = values.constant(values.text(value, place).value)
    if number is None or not 0 <= number < 1:
        shown = values.text(value, place).value
        found.error(
            "bad-tolerance", f"'{shown}' is not a tolerance", place, "write a part of the target such as 5%"
        )
        return Decimal("0.05")
    return number


def _check_periods(made: Kpi, value: dict[str, Any], found: Findings) -> None:
    """Without a period a KPI is a building block; then nothing can be reported or judged about it."""
    if made.periods:
        return
    key = next((k for k in _NEEDS_PERIOD if k in value), None)
    if key is not None:
        message = f"'{key}' is given, but no period, so nothing would be reported"
        at = made.place.child(key, on_key=True)
        found.error("missing-period", message, at, "add 'period: month', for example")


def _check_segments(made: Kpi, found: Findings) -> None:
    """What a target case or an alert rule names must be among the KPI's own segments and periods."""
    names = list(dict.fromkeys(name for cross in made.segments for name in cross))
    for case in made.targets:
        wanted = case.segment if isinstance(case.segment, dict) else {}
        for name in wanted:
            _among(name, names, case.place.child("segment", name, on_key=True), "segment", found)
        _among_periods(case.grain, made, case.place.child("grain"), found)
    for rule in made.alerts:
        for index, name in enumerate(rule.scope if isinstance(rule.scope, tuple) else ()):
            _among(name, names, rule.place.child("scope", index), "segment", found)
        _among_periods(rule.grain, made, rule.place.child("grain"), found)


def _among_periods(grain: Grain | None, made: Kpi, place: Place, found: Findings) -> None:
    if grain is not None and made.periods:
        _among(str(grain), [str(g) for g in made.periods], place, "period", found)


def _among(name: str, known: list[str], place: Place, what: str, found: Findings) -> None:
    if name in known:
        return
    hint = suggest(name, known) or (f"it has: {listed(known)}" if known else f"add it under '{what}'")
    found.error(f"not-a-{what}-of-it", f"this KPI has no {what} '{name}'", place, hint)


# --- targets ---------------------------------------------------------------------------------------------------------


def _targets(value: Any, place: Place, calendar: Calendar, found: Findings) -> tuple[TargetCase, ...]:
    if value is None:
        return ()
    if not isinstance(value, dict | list):
        return (TargetCase(place, values.text(value, place)),)
    before = len(found.problems)
    cases = [_case(part, at, calendar, found) for part, at in values.each(value, place)]
    if len(found.problems) > before:
        return tuple(cases)  # what a wrong case would catch is not known
    for index, case in enumerate(cases):
        hiding = next((earlier for earlier in cases[:index] if _catches(earlier, case)), None)
        if hiding is not None:
            message = f"this case is never reached: the one at {line_and_column(hiding.place)} comes first and fits too"
            found.warn("unreachable-case", message, case.place, "put the special cases first")
    return tuple(cases)


def _case(value: dict[str, Any], place: Place, calendar: Calendar, found: Findings) -> TargetCase:
    if ("value" in value) == ("between" in value):
        both = "value" in value
        message = (
            "a target case has both 'value' and 'between'" if both else "this target case has no 'value'"
        )
        hint = "keep one of them" if both else "add 'value: 25%', or 'between: [20%, 30%]'"
        found.error("bad-case", message, place.child("between", on_key=True) if both else place, hint)
    low, high = _between(value.get("between"), place.child("between"), found)
    label = values.text(value["period"], place.child("period")) if "period" in value else None
    return TargetCase(
        place=place,
        value=values.text(value["value"], place.child("value")) if "value" in value else None,
        low=low,
        high=high,
        segment=_case_segment(value.get("segment"), place.child("segment")),
        grain=Grain(value["grain"]) if "grain" in value else None,
        period=values.period(label, calendar, found) if label is not None else None,
        since=values.date(value["since"], place.child("since"), found) if "since" in value else None,
    )


def _case_segment(value: Any, place: Place) -> Any:
    if not isinstance(value, dict):
        return value  # None, or "total"
    return {name: values.text(part, place.child(name)).value for name, part in value.items()}


def _between(value: Any, place: Place, found: Findings) -> tuple[Text | None, Text | None]:
    if value is None:
        return None, None
    low, high = values.texts(value, place)
    first, last = values.constant(low.value), values.constant(high.value)
    if first is not None and last is not None and first >= last:
        message = f"a range goes from low to high, not from {low.value} to {high.value}"
        found.error(
            "bad-range", message, place, "swap the two" if first > last else "use 'value' for a single figure"
        )
    return low, high


def _catches(earlier: TargetCase, later: TargetCase) -> bool:
    """Whether every cell that ``later`` fits is already taken by ``earlier``."""
    return (
        earlier.segment in (None, later.segment)
        and earlier.grain in (None, later.grain)
        and (
            earlier.period is None
            or (later.period is not None and earlier.period.value == later.period.value)
        )
        and (earlier.since is None or (later.since is not None and earlier.since <= later.since))
    )


# --- alerts ----------------------------------------------------------------------------------------------------------


def _alerts(value: Any, place: Place, found: Findings) -> tuple[AlertRule, ...]:
    if value is None:
        return ()
    rules: dict[str, AlertRule] = {}
    for part, at in values.each(value, place):
        rule = _rule({"when": part}, at, at) if isinstance(part, str) else _rule(part, at, at.child("when"))
        first = rules.setdefault(rule.name, rule)
        if first is not rule:
            message = f"two alerts are called '{rule.name}'; the other is at {line_and_column(first.place)}"
            found.error("same-alert", message, at, "give each a 'name' of its own")
    return tuple(rules.values())


def _rule(value: dict[str, Any], place: Place, when: Place) -> AlertRule:
    scope = value.get("scope", "each")
    return AlertRule(
        name=value.get("name") or " ".join(value["when"].split()),
        when=values.text(value["when"], when),
        place=place,
        clear=values.text(value["clear"], place.child("clear")) if "clear" in value else None,
        hold=value.get("for", 1),
        keep=value.get("keep", 1),
        severity=value.get("severity", "warning"),
        scope=tuple(scope) if isinstance(scope, list) else scope,
        grain=Grain(value["grain"]) if "grain" in value else None,
        on_missing=value.get("on_missing", "keep"),
    )
