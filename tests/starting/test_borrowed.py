"""What of the catalogue is true only of the company that it was written for goes, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from cadran.starting.borrowed import borrowed
from cadran.starting.catalogue import File

FILES = sorted((Path(__file__).parents[2] / "kpis").glob("*.yaml"))
THEIRS = {"target", "tolerance", "alert", "owner"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_figure_of_another_company_judges_a_team(file: Path) -> None:
    before = file.read_text(encoding="utf-8")
    after = File.read(file.name, borrowed(before)).text
    there, left = (yaml.load(text, yaml.BaseLoader) for text in (before, after))
    wanted = {
        name: {key: value for key, value in kpi.items() if key not in THEIRS} if isinstance(kpi, dict) else kpi
        for name, kpi in there["kpis"].items()
    }  # fmt: skip
    assert left["kpis"] == wanted
    assert {key: left[key] for key in left if key != "kpis"} == {key: there[key] for key in there if key not in ("kpis", "tests")}  # fmt: skip
    with_target = sum("target" in kpi for kpi in there["kpis"].values() if isinstance(kpi, dict))
    assert after.count("    # target: …") == with_target > 0
    assert "belvoir" not in after and "yaml-language-server" not in after


def test_examples_that_are_not_there_are_not_spoken_of() -> None:
    text = borrowed((FILES[0].parent / "acquisition.yaml").read_text(encoding="utf-8"))
    assert "# what is easily misread.\nkpis:\n" in text and "tests at the end" not in text
