"""What lies on disk is gone or damaged: the next sync makes it anew, and until then runs say what to do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from cadran.plugins.connector import ConnectorError, Rejected
from cadran.problems import ProblemsFound
from cadran.sync import current
from cadran.sync.places import Places
from sync.fake import world
from sync.syncing import Copy
from sync.test_runs import project, value


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    made = Copy(tmp_path, world())
    made.of.deal(1)
    made.of.strange = lambda stream: iter([Rejected("deals, id 9", "amount: 'x' is no number"), *stream])
    made.one()
    made.of.strange = None
    return made


def _flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 3] ^= 0xFF
    file.write_bytes(content)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": Path.unlink,
    "cut off": lambda file: file.write_bytes(file.read_bytes()[:-30]),
    "empty": lambda file: file.write_bytes(b""),
    "one byte": _flip,
}


@pytest.mark.parametrize("how", DAMAGE)
@pytest.mark.parametrize("aside", [False, True])
def test_a_sync_without_news_writes_a_damaged_table_anew(copy: Copy, how: str, aside: bool) -> None:
    was = copy.rows(), copy.aside()
    file = copy.file()
    DAMAGE[how](current.aside_file(file) if aside else file)
    assert copy.one().counts.changed == 0
    assert (copy.rows(), copy.aside()) == was


@pytest.mark.parametrize("how", ["gone", "cut off", "empty"])
def test_a_run_over_a_damaged_table_says_the_way_out(tmp_path: Path, how: str) -> None:
    of = world()
    of.now = dt.datetime.now(dt.UTC)
    of.deal(1, amount="11.25", changed=dt.datetime(2026, 3, 1, tzinfo=dt.UTC))
    opened = project(tmp_path, of)
    opened.sync()
    [file] = Places.of(tmp_path, "crm").tables.glob("*.parquet")
    DAMAGE[how](file)
    with pytest.raises(ProblemsFound) as caught:
        value(opened)
    [problem] = caught.value.problems
    assert problem.message.startswith(f"table 'deals': .cadran/sources/crm/tables/{file.name} cannot be read")
    assert problem.hint == "'cadran sync crm' writes it anew"
    opened.sync()
    assert str(value(opened)) == "11.25"


def test_half_an_emoji_in_what_is_set_aside_stops_nothing(copy: Copy) -> None:
    copy.of.strange = lambda stream: iter([Rejected("deals, id \ud83d", "name: '\ud83d'"), *stream])
    assert copy.sync()["deals"].error is None
    assert ("deals, id \ufffd", "name: '\ufffd'") in copy.aside()


@pytest.mark.parametrize("facts", ["{}", "[]", "x", '{"format": 2}'])
def test_a_store_that_cannot_be_understood_says_the_way_out(copy: Copy, facts: str) -> None:
    with duckdb.connect(str(copy.places.store)) as store:
        store.execute("UPDATE cadran.tables SET facts = ?", [facts])
    with pytest.raises(ConnectorError, match=r"store\.duckdb is damaged, or of another version") as caught:
        copy.sync()
    assert caught.value.hint == f"take {copy.places.folder} away: the next sync reads all anew"


def test_a_store_that_was_cut_off_says_the_way_out(copy: Copy) -> None:
    for number in range(2000):
        copy.of.deal(number)
    copy.of.size = 500
    copy.one()
    content = copy.places.store.read_bytes()
    copy.places.store.write_bytes(content[: len(content) // 2])
    with pytest.raises(ConnectorError) as caught:
        copy.sync()
    assert f"take {copy.places.folder} away: the next sync reads all anew" in caught.value.hint
