"""``cadran cache``: what is kept of which KPI, and forgetting it."""

from __future__ import annotations

from pathlib import Path

from .user import call, project

AS_OF = ("--as-of", "2026-07-01")


def test_nothing_is_kept_yet(tmp_path: Path) -> None:
    done = call(project(tmp_path), "cache")
    assert done.code == 0
    assert done.out == "nothing is kept; 'cadran run' keeps the results of final periods\n"


def test_what_is_kept_of_which_kpi_and_how_it_is_forgotten(tmp_path: Path) -> None:
    folder = project(tmp_path)
    assert call(folder, "run", *AS_OF).code == 0
    shown = call(folder, "cache").out
    head, *lines = shown.splitlines()
    assert head.split() == ["KPI", "dataset", "by", "results", "since", "last", "used", "size"]
    assert {line.split()[0] for line in lines if "  orders  " in line} >= {"revenue", "number"}
    assert lines[-1].endswith("'cadran cache clear' forgets them")
    assert "forgotten" in call(folder, "cache", "clear", "revenue").out
    assert not any(line.startswith("revenue") for line in call(folder, "cache").out.splitlines())
    assert "forgotten" in call(folder, "cache", "clear").out
    assert "nothing is kept" in call(folder, "cache").out


def test_a_kpi_of_which_nothing_is_kept(tmp_path: Path) -> None:
    folder = project(tmp_path)
    assert call(folder, "run", *AS_OF).code == 0
    done = call(folder, "cache", "clear", "revenu")
    assert done.code == 2
    assert "nothing is kept of 'revenu'; did you mean 'revenue'?" in done.err


def test_what_another_version_has_kept(tmp_path: Path) -> None:
    folder = project(tmp_path)
    assert call(folder, "run", *AS_OF).code == 0
    index = folder / ".cadran" / "kept" / "index.json"
    index.write_bytes(index.read_bytes().replace(b"duckdb ", b"duckdb 9", 1))
    assert (
        "were kept by another version of cadran or of DuckDB, and are not used" in call(folder, "cache").out
    )
    assert "taken away" in call(folder, "cache", "clear").out
    assert "nothing is kept" in call(folder, "cache").out


def test_explain_says_why_nothing_is_kept_of_a_source_that_cannot_tell_of_changes(tmp_path: Path) -> None:
    folder = project(tmp_path)
    text = call(folder, "explain", "revenue", *AS_OF).out
    assert "results come from earlier runs" in text
    assert "nothing tells whether rows" not in text  # files do
