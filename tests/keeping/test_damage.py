"""What is kept may be damaged, half-written, of another version, or shared by processes: no number is ever wrong for it."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import cadran
from cadran.state import durable
from cadran.state.kept import Kept
from cli.user import call
from keeping.shop import CLOCK, Shop, made, months, taken, values

ALL = months("revenue", 1, 2, 3) | months("sales", 1, 2, 3) | months("cost", 1, 2, 3)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path, segment={"revenue": "tier"})
    shop.declare(first="new(orders.customer)", last="max(orders.amount)")
    return shop


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 0x20]) + content[at + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "cut": lambda c: c[: len(c) // 2],
    "cut by one": lambda c: c[:-1],
    "longer": lambda c: c + b"\0",
    "first byte": lambda c: flipped(c, 0),
    "in the middle": lambda c: flipped(c, len(c) // 2),
    "in the last third": lambda c: flipped(c, 5 * len(c) // 6),
    "something else": lambda _: b"PAR1 nothing of the kind PAR1",
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("which", ["index.json", "*.parquet"])
def test_what_is_damaged_is_computed_again_and_replaced(shop: Shop, which: str, damage: str) -> None:
    right = values(shop.run())
    for file in shop.kept.glob(which):
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    after = shop.run()
    assert values(after) == right
    assert made(after) >= ALL
    again = shop.run()
    assert values(again) == right
    assert not made(again)


def test_one_damaged_file_costs_only_what_it_held(shop: Shop) -> None:
    right = values(shop.run())
    kept = Kept.open(shop.kept, _engine(shop), dt.date.today())
    (name,) = [n for n, piece in kept.pieces.items() if piece.dataset == "costs"]
    kept.path(name).write_bytes(b"gone")
    after = shop.run()
    assert values(after) == right
    assert made(after) == months("cost", 1, 2, 3)


@pytest.mark.parametrize("which", ["index.json", "*.parquet"])
def test_what_is_missing_is_computed_again(shop: Shop, which: str) -> None:
    right = values(shop.run())
    for file in shop.kept.glob(which):
        file.unlink()
    assert values(shop.run()) == right
    assert not shop.made()


def test_another_format_or_version_counts_as_nothing(shop: Shop) -> None:
    right = values(shop.run())
    for change in (
        {"format": 0},
        {"engine": "cadran 0.0.1, duckdb 1.0.0"},
        {"pieces": {"x": {}}},
        {"facts": 3},
        {"salt": None},
    ):
        body = json.dumps({**_index(shop), **change}).encode()
        (shop.kept / "index.json").write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        after = shop.run()
        assert values(after) == right, change
        if change != {"salt": None}:
            assert made(after) >= ALL, change


def test_a_file_that_vanishes_after_it_was_looked_at(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    right = values(shop.run())
    monkeypatch.setattr(Kept, "sound", lambda self, file: self.path(file).unlink(missing_ok=True) or True)
    assert values(shop.run()) == right


def test_an_unfinished_file_is_passed_over_and_cleared_away(shop: Shop) -> None:
    right = values(shop.run())
    left = shop.kept / "results.parquet.123-abc.part"
    left.write_bytes(b"half a file")
    os.utime(left, (1_700_000_000, 1_700_000_000))
    shop.save("costs", "more", [(50, "2026-04-03", 1)])
    assert values(shop.run())["cost", "2026-03"] == right["cost", "2026-03"]
    assert not left.exists()


@pytest.mark.parametrize(
    "blocked", [".cadran", ".cadran/kept", ".cadran/kept/lock", ".cadran/kept/index.json"]
)
def test_a_folder_that_cannot_be_written_is_a_warning(shop: Shop, blocked: str) -> None:
    place = shop.folder / blocked
    place.parent.mkdir(parents=True, exist_ok=True)
    if "." in place.name[1:] or place.name == "lock":
        place.mkdir()
    else:
        place.write_text("a file", encoding="utf-8")
    results = shop.run()
    assert values(results)["sales", "2026-01"] == 3
    (warning,) = [w for w in results.warnings if w.code == "nothing-kept"]
    assert warning.severity == "warning"
    assert warning.message.startswith("results cannot be kept: ")
    assert "let cadran write to .cadran/kept" in warning.hint
    done = call(shop.folder, "run", "--as-of", "2026-04-15", "--format", "csv")
    assert done.code == 0
    assert "warning: results cannot be kept" in done.err
    assert not list(shop.kept.glob("*.parquet")), "nothing would ever find these again"


def test_a_run_that_is_halted_while_it_saves_does_not_hold_up_others(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cadran.state.durable.PATIENCE", 0.2)
    shop.kept.mkdir(parents=True)
    with durable.alone(shop.kept / "lock"):
        results = shop.run()
    (warning,) = [w for w in results.warnings if w.code == "nothing-kept"]
    assert warning.message == "results cannot be kept: another run holds the lock"
    assert not list(shop.kept.glob("*.parquet"))
    assert not [w for w in shop.run().warnings if w.code == "nothing-kept"]


# --- several processes ------------------------------------------------------------------------------------------------

RUN = """
import datetime as dt, os, signal, sys
import cadran
from cadran.state import durable
dies_at, count = int(sys.argv[2]), 0
def step(name):
    original = getattr(durable, name)
    def counted(*args, **more):
        global count
        count += 1
        if count == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        done = original(*args, **more)
        count += 1
        if count == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    setattr(durable, name, counted)
for name in ("settle", "write", "checksum", "unfinished"):
    step(name)
found = cadran.open(sys.argv[1], environ={}).run(as_of=dt.date.fromisoformat(sys.argv[3]), since=dt.date(2026, 1, 1))
print(sorted((r.kpi, r.period, r.segment_value, str(r.value)) for r in found))
print(count)
"""


def start(shop: Shop, dies_at: int = 0, as_of: str = "2026-04-15") -> subprocess.Popen[str]:
    command = [sys.executable, "-c", RUN, str(shop.folder), str(dies_at), as_of]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_writes_leaves_nothing_half_done(shop: Shop) -> None:
    whole = start(shop)
    right, steps = whole.communicate()[0].splitlines()
    assert whole.returncode == 0
    total = int(steps)
    assert total > 10
    for dies_at in sorted({1, 3, total // 2, *range(total - 3, total + 1)}):
        call(shop.folder, "cache", "clear")
        killed = start(shop, dies_at)
        killed.communicate()
        assert killed.returncode == -9
        after = start(shop)
        assert after.communicate()[0].splitlines()[0] == right, dies_at
        assert not made(shop.run()), dies_at


@pytest.mark.slow
def test_processes_at_once_do_not_disturb_each_other(shop: Shop) -> None:
    days = ["2026-04-15", "2026-04-16", "2026-03-20", "2026-04-15"]
    alone = {}
    for day in dict.fromkeys(days):
        (shop.folder / "other").mkdir(exist_ok=True)
        process = start(shop, as_of=day)
        alone[day] = process.communicate()[0].splitlines()[0]
        call(shop.folder, "cache", "clear")
    for _ in range(2):
        running = [(day, start(shop, as_of=day)) for day in days]
        for day, process in running:
            out, err = process.communicate()
            assert process.returncode == 0, err
            assert out.splitlines()[0] == alone[day]
    assert not made(shop.run())
    named = {f"{name}.parquet" for name in Kept.open(shop.kept, _engine(shop), dt.date.today()).pieces}
    assert named <= {p.name for p in shop.kept.iterdir()}


# --- the data changes under a run -------------------------------------------------------------------------------------


def test_nothing_is_kept_of_data_that_changed_while_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cadran.compute.engine import Engine

    shop, compute = Shop(tmp_path, suffix="csv"), Engine.compute

    def and_then_it_changes(self: Engine, request: object) -> object:
        found = compute(self, request)  # type: ignore[arg-type]
        shop.save("costs", "all", [(1, "2026-01-05", 99)])
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Engine, "compute", and_then_it_changes)
        shop.run()
    assert not taken(shop.run(full=False)) & months("cost", 1)
    assert values(shop.run())["cost", "2026-01"] == 99


# --- room -------------------------------------------------------------------------------------------------------------


def test_what_is_not_used_for_long_is_dropped(shop: Shop) -> None:
    shop.run()
    later = Kept.open(shop.kept, _engine(shop), dt.date.today() + dt.timedelta(days=91))
    assert later.pieces
    assert later.facts
    later.prune(90, 10**9)
    later.save()
    assert not list(shop.kept.glob("*.parquet"))
    assert made(shop.run()) >= ALL


def test_no_more_room_than_is_granted_is_taken(shop: Shop) -> None:
    shop.run()
    kept = Kept.open(shop.kept, _engine(shop), dt.date.today())
    size = sum(p.bytes for p in kept.pieces.values())
    kept.prune(90, size // 2)
    kept.save()
    assert 0 < sum(p.stat().st_size for p in shop.kept.glob("*.parquet")) <= size // 2
    assert not made(shop.run()) >= ALL


def test_many_small_additions_become_one_file(tmp_path: Path) -> None:
    shop = Shop(tmp_path, period="day")
    shop.declare()
    since = dt.date(2026, 3, 20)
    for day in range(12):
        shop.run(as_of=CLOCK + dt.timedelta(days=day), since=since)
    files = len(list(shop.kept.glob("*.parquet")))
    assert files <= 3 * 7
    assert not shop.made(as_of=CLOCK + dt.timedelta(days=11), since=since)


def _index(shop: Shop) -> dict[str, object]:
    found = json.loads((shop.kept / "index.json").read_bytes().partition(b"\n")[2])
    assert isinstance(found, dict)
    return found


def _engine(shop: Shop) -> str:
    return str(_index(shop)["engine"])


def test_the_folder_holds_no_setting_from_the_environment(tmp_path: Path) -> None:
    shop = Shop(tmp_path, suffix="csv")
    text = (
        (tmp_path / "kpis.yaml")
        .read_text(encoding="utf-8")
        .replace("path: data\n", "path: ${WHERE}\n    encoding: ${ENCODING}\n")
    )
    (tmp_path / "kpis.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "data").rename(tmp_path / "a-secret-place")
    environ = {"WHERE": "a-secret-place", "ENCODING": "utf-8"}

    def run(**other: str) -> set[str]:
        return made(
            cadran.open(tmp_path, environ={**environ, **other}).run(as_of=CLOCK, since=dt.date(2026, 1, 1))
        )

    assert run() >= months("cost", 1)
    assert not run()
    assert run(ENCODING="latin-1") >= months("cost", 1)
    content = b"".join(p.read_bytes() for p in shop.kept.iterdir())
    for word in (b"a-secret-place", b"latin-1"):
        assert word not in content
