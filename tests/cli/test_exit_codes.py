"""The exit code that the shell sees, of the real command in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

GOOD = "version: 1\nsources: {f: {connector: files, path: .}}\ndatasets: {t: {from: f.t, key: id}}\n"
KPI = "kpis: {rows: {formula: count(t), period: all}}\n"


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (GOOD + KPI, ["check"], 0),
        (GOOD + KPI, ["run"], 0),
        (GOOD + KPI, ["--help"], 0),
        (GOOD + KPI.replace("count(t)", "count(u)"), ["check"], 2),
        (GOOD + KPI.replace("count(t)", "count(u)"), ["check", "--format", "json"], 2),
        (GOOD + KPI.replace("count(t)", "count(u)"), ["run"], 2),
        (GOOD + KPI, ["run", "row"], 2),
        (GOOD + KPI, ["-C", "nowhere", "check"], 2),
        (GOOD + KPI, ["chekc"], 2),
        (GOOD + KPI, ["run", "--nope"], 2),
    ],
)
def test_exit_code(tmp_path: Path, text: str, arguments: list[str], code: int) -> None:
    (tmp_path / "kpis.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "t.csv").write_text("id\n1\n", encoding="utf-8")
    command = [sys.executable, "-m", "cadran", *arguments]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
