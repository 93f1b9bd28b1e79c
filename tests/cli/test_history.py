"""``cadran history``: what was known when, in both languages, for programs, and what it refuses."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import cadran
from cadran.deliver.observing import observe
from cadran.publish.analyses.history import COLUMNS
from cadran.state.store import runs

from .user import KPIS, ORDERS, call

GOLDENS = Path(__file__).parent / "goldens"


def recorded(folder: Path, as_of: str) -> int:
    """What a scheduled run writes down; how many final values it restated."""
    project = cadran.open(folder)
    results = project.run(as_of=as_of)
    store = project.store(results.declaration)
    now = results.as_of + dt.timedelta(minutes=1)
    try:
        with store.write() as c:
            run = runs.claim(
                c, job="alerts", logical_time=results.as_of, state="done", started=results.as_of, finished=now
            )
            return len(observe(c, results, run, now))
    finally:
        store.close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Recorded four times; on the third of July the first order became a bigger one."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "data").mkdir()
    (folder / "kpis.yaml").write_text(KPIS, encoding="utf-8")
    (folder / "data" / "orders.csv").write_text(ORDERS, encoding="utf-8")
    assert [recorded(folder, time) for time in ("2026-06-02T06:00", "2026-07-01T06:00")] == [0, 0]
    (folder / "data" / "orders.csv").write_text(ORDERS.replace("10.10", "1011.10"), encoding="utf-8")
    assert recorded(folder, "2026-07-03T06:00") > 0
    assert recorded(folder, "2026-07-04T06:00") == 0
    yield folder


def lines(folder: Path, *more: str) -> list[dict[str, str]]:
    done = call(folder, "history", "revenue", "--format", "csv", *more)
    assert done.code == 0, done.all
    read = csv.DictReader(io.StringIO(done.out), strict=True)
    return list(read)


@pytest.mark.parametrize("locale", ["fr", "en"])
def test_in_words(shop: Path, locale: str, golden: bool) -> None:
    parts = [
        call(shop, "history", "revenue", "--locale", locale, *more)
        for more in (
            (), ("--known-at", "2026-07-01"), ("--segment", "shop", "--period", "2026-05", "--revisions"),
        )
    ]  # fmt: skip
    assert [done.code for done in parts] == [0, 0, 0], parts[0].all
    text = "\n".join(line.rstrip() for done in parts for line in done.out.splitlines()) + "\n"
    path = GOLDENS / f"history_{locale}.txt"
    if golden:
        path.write_bytes(text.encode())
    assert text == path.read_bytes().decode()


def test_what_held_and_every_revision(shop: Path) -> None:
    def told(found: list[dict[str, str]]) -> list[tuple[str, ...]]:
        keys = ("period", "value", "revision", "known", "until", "restated", "before")
        return [tuple(line[key][:10] for key in keys) for line in found if line["period"] == "2026-05"]

    assert told(lines(shop)) == [("2026-05", "1016.60", "2", "2026-07-03", "", "2026-07-03", "15.60")]
    first, second = told(lines(shop, "--revisions"))
    assert first == ("2026-05", "15.60", "1", "2026-06-02", "2026-07-03", "", "")
    assert second == ("2026-05", "1016.60", "2", "2026-07-03", "", "2026-07-03", "15.60")


KNOWN = [
    ("2026-06-01", None), ("2026-06-02", "15.60"), ("2026-06-02T06:00", "15.60"), ("2026-07-03T05:59", "15.60"),
    ("2026-07-03T06:00", "1016.60"), ("2026-07-03", "1016.60"), ("2027-01-01", "1016.60"), ("2026-07-03T03:59+00:00", "15.60"),
]  # fmt: skip


@pytest.mark.parametrize(("time", "value"), KNOWN)
def test_what_was_known_at_a_time_a_bare_date_is_all_of_the_day(
    shop: Path, time: str, value: str | None
) -> None:
    if value is None:
        done = call(shop, "history", "revenue", "--known-at", time)
        assert (done.code, "nothing was known of 'revenue'" in done.err) == (2, True)
        assert "it has been recorded since 2026-06-02 06:00" in done.err
        return
    found = lines(shop, "--known-at", time, "--period", "2026-05")
    assert [(line["value"], line["until"]) for line in found] == [(value, "")]


def test_json_and_csv_say_the_same(shop: Path) -> None:
    more = ("--segment", "shop=north", "--segment", "channel", "--revisions")
    found = call(shop, "history", "revenue", "--format", "json", *more).json()
    assert (found["kpi"], found["known_at"]) == ("revenue", None)
    read = lines(shop, *more)
    assert tuple(read[0]) == COLUMNS
    assert len(found["rows"]) == len(read) > 2
    for item, line in zip(found["rows"], read, strict=True):
        assert line["segment"] == " / ".join(item["segment"])
        assert item["segment"]["shop"] == "north"
        for name in ("period", "period_end", "status", "state", "known", "recorded"):
            assert item[name] == line[name]
        assert item["value"] == float(line["value"])
        assert item["revision"] == int(line["revision"])


def test_a_grain_and_a_period_narrow_it(shop: Path) -> None:
    assert {line["period"] for line in lines(shop)} == {"2026-05", "2026-06", "2026-Q2"}
    assert {line["period"] for line in lines(shop, "--period", "quarter")} == {"2026-Q2"}
    assert {line["period"] for line in lines(shop, "--period", "2026-06")} == {"2026-06"}


REFUSED: list[tuple[tuple[str, ...], str]] = [
    (("revenu",), "unknown KPI 'revenu'; did you mean 'revenue'?"),
    (("tag:money",), "'tag:money' are several KPIs; name one of them, such as revenue"),
    (("revenue", "--period", "2026-07"), "'revenue' has no recorded period '2026-07'; did you mean '2026-06'?"),
    (("revenue", "--period", "week"), "'revenue' has not been recorded by week; the newest are 2026-06, 2026-Q2"),
    (("revenue", "--segment", "chanel"), "'revenue' is not cut by 'chanel'; did you mean 'channel'?"),
    (("number", "--segment", "shop"), "'number' is not cut by 'shop'; it has none"),
    (("basket", "--segment", "channel"), "'basket' is not cut by 'channel'; segments are shop"),
    (("revenue", "--segment", "shop=nort"), "nothing has been recorded of 'revenue' for shop=nort; did you mean 'north'?"),
    (("revenue", "--known-at", "yesterday"), "'yesterday' is not a date; write 2026-07-01"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "message"), REFUSED, ids=lambda x: " ".join(x) if isinstance(x, tuple) else ""
)
def test_what_is_not_there_is_said_with_what_there_is(
    shop: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = call(shop, "history", *arguments)
    assert done.code == 2
    assert message in done.err


def test_where_nothing_was_recorded_nothing_is_made(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text(KPIS, encoding="utf-8")
    done = call(tmp_path, "history", "revenue")
    assert done.code == 2
    assert (
        "nothing has been recorded of 'revenue' yet; 'cadran run --due' and 'cadran scheduler' record"
        in done.err
    )
    assert [path.name for path in tmp_path.iterdir()] == ["kpis.yaml"]


def test_a_project_with_mistakes_says_them(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text(KPIS.replace("formula: sum", "formla: sum"), encoding="utf-8")
    done = call(tmp_path, "history", "revenue")
    assert (done.code, "formla" in done.err) == (2, True)


def test_a_damaged_store_is_said_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "kpis.yaml").write_text(KPIS, encoding="utf-8")
    (tmp_path / ".cadran").mkdir()
    (tmp_path / ".cadran" / "state.db").write_bytes(b"no database" * 100)
    done = call(tmp_path, "history", "revenue")
    assert done.code == 2
    assert "state.db is damaged" in done.err
    assert "put a backup in its place" in done.err


def test_a_store_that_cannot_be_reached_is_said_where_it_is_named_and_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "state: {url: '${STATE_URL}', schema: shop}\nsources:"
    (tmp_path / "kpis.yaml").write_text(KPIS.replace("sources:", url, 1), encoding="utf-8")
    monkeypatch.setenv("STATE_URL", "postgresql://ana:s3cr3t@127.0.0.1:1/kpis")
    done = call(tmp_path, "history", "revenue")
    assert done.code == 2
    assert "kpis.yaml:5:" in done.err
    assert "cannot be reached" in done.err
    assert "s3cr3t" not in done.all


def test_a_renamed_kpi_shows_what_it_was_before(shop: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(shop, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "kpis.yaml").read_text(encoding="utf-8")
    renamed = text.replace("  revenue:\n", "  turnover:\n    renamed_from: revenue\n").replace(
        "[revenue,", "[turnover,"
    )
    (tmp_path / "kpis.yaml").write_text(renamed, encoding="utf-8")

    def shown() -> Any:
        rows = call(tmp_path, "history", "turnover", "--format", "json").json()["rows"]
        return [(row["kpi"], row["period"], row["value"]) for row in rows]

    before = shown()
    assert before[0] == ("turnover", "2026-05", 1016.6)
    assert recorded(tmp_path, "2026-07-05T06:00") == 0  # the same values: nothing new
    assert shown() == before
