"""Whole random projects: data, calendar, clock, and KPIs at random grains and segments."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import strategies as st

from naive.evaluator import Kpi
from properties.data import TIMES, Setting, datasets, settings
from properties.formulas import Room, formulas
from properties.render import Project

FINE = ("day", "week", "month", "quarter", "year", "fiscal_quarter", "fiscal_year", "all")
COARSE = ("month", "month", "quarter", "week", "year", "fiscal_quarter", "fiscal_year", "all")
SEGMENTS: tuple[tuple[tuple[str, ...], ...], ...] = (
    (), (), (("channel",),), (("channel",),), (("tier",),), (("channel", "tier"), ("tier",)), (("channel",), ("tier", "channel")),
)  # fmt: skip


@st.composite
def clocks(draw: st.DrawFn, setting: Setting) -> dt.datetime:
    """Mostly late in the data, often at a midnight or at the very instant of an awkward row."""
    later = setting.first + (setting.last - setting.first) * 0.6
    day = draw(st.dates(later, setting.last + dt.timedelta(days=40)) | setting.day())
    return setting.calendar.at(day, draw(st.sampled_from(TIMES)))


@st.composite
def ranges(draw: st.DrawFn, setting: Setting, clock: dt.datetime) -> tuple[bool, dt.date, dt.date]:
    """Either a few days, then also by day, or all fourteen months and some more."""
    if draw(st.booleans()):
        until = min(draw(setting.day()), setting.calendar.local_date(clock))
        return True, until - dt.timedelta(days=draw(st.integers(0, 12))), until
    return False, setting.first - dt.timedelta(days=40), setting.last + dt.timedelta(days=40)


@st.composite
def kpis(draw: st.DrawFn, name: str, room: Room, fine: bool) -> Kpi:
    grains = draw(st.lists(st.sampled_from(FINE if fine else COARSE), min_size=1, max_size=2, unique=True))
    segments = draw(st.sampled_from(SEGMENTS))
    tier = any("tier" in names for names in segments)
    own = replace(room, grains=tuple(grains), tier=tier)
    return Kpi(name, draw(formulas(own)), tuple(grains), segments)


@st.composite
def projects(draw: st.DrawFn, count: int = 8) -> Project:
    setting = draw(settings())
    rows, types = draw(datasets(setting))
    clock = draw(clocks(setting))
    fine, since, until = draw(ranges(setting, clock))
    milestone = draw(setting.day())
    # Blocks stand in any KPI, so they hold only what every grain and segment allows.
    anywhere = Room(("all",), True, setting.first, setting.last, span=True, depth=1)
    blocks = [Kpi(name, draw(formulas(anywhere))) for name in ("block_a", "block_b")]
    room = Room((), False, setting.first, setting.last, tuple(b.name for b in blocks), milestone)
    found = [draw(kpis(f"k{number}", room, fine)) for number in range(count)]
    return Project(
        rows, types, setting.calendar, clock, since, until, [*blocks, *found], {"change": milestone}
    )
