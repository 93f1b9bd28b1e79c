"""The whole context of a report: which KPIs it has, what stands first, what the data were like."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Context, Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from cadran.publish.alerting import Alerts, in_order
from cadran.publish.analyses.gather import answered
from cadran.publish.blocks import Blocks
from cadran.publish.choose import RowIndex, Wanted
from cadran.publish.context import (
    Event,
    Group,
    Move,
    QualityLine,
    ReportContext,
    Tally,
    Unfinished,
)
from cadran.publish.context_kpi import KpiBlock
from cadran.publish.failing import failures
from cadran.publish.figures import Figures, spaced
from cadran.publish.formatting import difference, exact, ratio
from cadran.publish.wording import STATE

if TYPE_CHECKING:
    from cadran.compute.results import Alert, Quality, Results
    from cadran.declare.model import Declaration, Kpi, Report

STATUSES = ("failed", "off_target", "at_risk", "on_target", "no_target", "no_data", "not_judged")
MOST_MOVES = 3
_FEWEST_MOVES = 4  # a KPI with a shorter history has no usual move


def gather(
    results: Results,
    declaration: Declaration,
    report: Report | None,
    locale: str = "",
    paper: bool = False,
) -> ReportContext:
    """Everything that a template may show. ``locale`` wins over the report's, that over the project's.

    ``paper`` is for what is printed: charts of one size, in plain colours.
    """
    locale = locale or (report.locale if report else "") or declaration.locale
    figures = Figures(declaration, locale)
    chosen = chosen_kpis(declaration, report)
    if report is None and results.kpis:
        chosen = [kpi for kpi in chosen if kpi.name in results.kpis]
    names = frozenset(kpi.name for kpi in chosen)
    index, wanted = RowIndex(results), Wanted.of(report, declaration.calendar)
    standing = [
        a
        for a in in_order(results.alerts)
        if a.kpi in names and wanted.reaches(a.period, declaration.calendar)
    ]
    alerts = Alerts(figures)
    titles = _group_titles(chosen, report, figures)
    failed = {one.kpi: figures.said(one.reason) for one in results.failed}
    builder = Blocks(figures, index, wanted, names, _by_kpi(standing), titles, paper, failed)
    blocks = tuple(builder.block(kpi) for kpi in chosen)
    title = figures.text(report.title) if report else ""
    attention = tuple(sorted(filter(_needs_attention, blocks), key=_widest_gap_first))
    movers = _movers(blocks, figures)
    return ReportContext(
        name=report.name if report else "",
        title=title or figures.gettext("Key figures"),
        locale=locale,
        language=figures.form.language,
        period_text=_usual_period(blocks),
        as_of=results.as_of,
        as_of_text=figures.form.instant(results.as_of),
        zone=str(declaration.calendar.zone),
        kpis=blocks,
        groups=_groups(blocks, figures),
        tally=_tally(blocks, figures),
        attention=attention,
        movers=movers,
        **answered(
            results, report, figures, wanted, [kpi.name for kpi in (*attention, *(m.kpi for m in movers))]
        ),
        alerts=tuple(alerts.line(a) for a in standing),
        alert_groups=alerts.groups(standing),
        events=tuple(
            Event(day, figures.form.date(day), " · ".join(texts)) for day, texts in figures.events().items()
        ),
        quality=tuple(_quality(q, figures, results) for q in results.quality),
        quarantined=results.quarantined,
        unfinished=_unfinished(chosen, results, figures),
        # What is expected of the data and not met stands with its dataset.
        warnings=tuple(
            figures.warning(replace(p, where=None)) for p in results.warnings if p.code != "expectation"
        ),
        notes=tuple(figures.notes(note for note in results.notes if note.kpi in names)),
        blocks=tuple(text.value for text in report.blocks) if report else (),
        banners=tuple(
            f"{text} ({', '.join(labels)})" for text, labels in failures(results, figures, names).items()
        ),
    )


def _group_titles(chosen: Sequence[Kpi], report: Report | None, figures: Figures) -> dict[str, str]:
    """KPI -> the title it stands under: its part's in the report, the tag it was chosen by, else its first tag."""
    if report is None or not report.parts:
        return {kpi.name: _tag_title(kpi.tags[0], figures) if kpi.tags else "" for kpi in chosen}
    titles: dict[str, str] = {}
    for part in report.parts:
        for entry in part.kpis:
            tag = entry.value.removeprefix("tag:")
            by_tag = _tag_title(tag, figures) if tag != entry.value else ""
            for name in _named(entry.value, figures.declaration):
                titles.setdefault(name, figures.text(part.title) or by_tag)
    return titles


def _tag_title(tag: str, figures: Figures) -> str:
    text = spaced(figures.said(tag))
    return text[:1].upper() + text[1:]


def _groups(blocks: Sequence[KpiBlock], figures: Figures) -> tuple[Group, ...]:
    """By title, in the order of each one's first KPI."""
    found: dict[str, list[KpiBlock]] = defaultdict(list)
    for block in blocks:
        found[block.group].append(block)
    rest = figures.gettext("Other KPIs") if len(found) > 1 else ""
    return tuple(
        Group(f"group-{number}", title or rest, tuple(kpis))
        for number, (title, kpis) in enumerate(found.items(), 1)
    )


def chosen_kpis(declaration: Declaration, report: Report | None) -> list[Kpi]:
    """The KPIs of a report in its order, each once: by name, by ``tag:``, else all that are reported."""
    kpis = declaration.kpis
    if report is None or not report.kpis:
        return [kpi for kpi in kpis.values() if kpi.reported]
    names = [name for entry in report.kpis for name in _named(entry.value, declaration)]
    return [kpis[name] for name in dict.fromkeys(names) if name in kpis]


def _named(entry: str, declaration: Declaration) -> list[str]:
    """The KPIs that an entry of a report stands for: itself, or those with a tag."""
    tag = entry.removeprefix("tag:")
    return [k.name for k in declaration.kpis.values() if tag in k.tags] if tag != entry else [entry]


def _by_kpi(alerts: Iterable[Alert]) -> dict[str, list[Alert]]:
    out: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        out[alert.kpi].append(alert)
    return out


def _usual_period(blocks: Sequence[KpiBlock]) -> str:
    common = Counter(b.period_text for b in blocks if b.period).most_common(1)
    return common[0][0] if common else ""


def _tally(blocks: Sequence[KpiBlock], figures: Figures) -> tuple[Tally, ...]:
    counts = Counter(b.status for b in blocks)
    return tuple(Tally(s, _counted(s, counts[s], figures), counts[s]) for s in STATUSES if counts[s])


def _counted(status: str, count: int, figures: Figures) -> str:
    ngettext = figures.ngettext
    match status:
        case "failed":
            return ngettext("%(num)s failed", "%(num)s failed", count)
        case "off_target":
            return ngettext("%(num)s off target", "%(num)s off target", count)
        case "at_risk":
            return ngettext("%(num)s at risk", "%(num)s at risk", count)
        case "on_target":
            return ngettext("%(num)s on target", "%(num)s on target", count)
        case "no_target":
            return ngettext("%(num)s without target", "%(num)s without target", count)
        case "no_data":
            return ngettext("%(num)s without data", "%(num)s without data", count)
    return ngettext("%(num)s not judged yet", "%(num)s not judged yet", count)


def _needs_attention(block: KpiBlock) -> bool:
    return block.status in ("off_target", "at_risk")


def _widest_gap_first(block: KpiBlock) -> tuple[bool, Decimal]:
    gap = ratio(block.gap.raw, block.target.raw) or block.gap.raw or Decimal(0)
    return block.status != "off_target", -gap.copy_abs()


def _movers(blocks: Iterable[KpiBlock], figures: Figures) -> tuple[Move, ...]:
    """The changes that stand out against what their KPI usually does from one period to the next."""
    moves = [(times, block) for block in blocks if (times := _unusual(block)) is not None]
    moves.sort(key=lambda pair: (-pair[0], pair[1].name))
    return tuple(
        Move(block, times, figures.gettext("%(times)s× its usual move", times=figures.form.number(times, 1)))
        for times, block in moves[:MOST_MOVES]
    )


def _unusual(block: KpiBlock) -> Decimal | None:
    """The last change as a multiple of the median one before it; None unless it is larger."""
    place = next((i for i, p in enumerate(block.history) if p.period == block.period), 0)
    values = [exact(p.value.raw) for p in block.history[:place]]
    pairs = pairwise(values)
    moves = [d.copy_abs() for a, b in pairs if (d := difference(b, a)) is not None]
    if block.change.raw is None or len(moves) < _FEWEST_MOVES:
        return None
    usual = statistics.median(moves)
    times = Context(prec=12).divide(block.change.raw.copy_abs(), usual) if usual else None
    return times if times is not None and times > 1 else None


def _quality(quality: Quality, figures: Figures, results: Results) -> QualityLine:
    date = figures.form.date
    return QualityLine(
        dataset=quality.dataset,
        rows=figures.figure(quality.rows),
        quarantined=figures.figure(quality.quarantined),
        undated=figures.figure(quality.undated),
        first_text=date(quality.first) if quality.first else "",
        last_text=date(quality.last) if quality.last else "",
        last=quality.last,
        age_text=figures.age(quality.last, results.as_of.date()),
        findings=tuple(figures.told(text) for text in quality.findings),
        rejected=tuple((figures.said(where), figures.said(why)) for where, why in quality.rejected),
    )


def _unfinished(chosen: Iterable[Kpi], results: Results, figures: Figures) -> tuple[Unfinished, ...]:
    names = {kpi.name for kpi in chosen}
    concerned: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in results.rows:
        if row.state != "final" and not row.segment and row.kpi in names:
            concerned[row.period, row.state].append(figures.label(row.kpi))
    return tuple(
        Unfinished(period, figures.form.period(period), state, figures.gettext(STATE[state]), tuple(labels))
        for (period, state), labels in concerned.items()
    )
