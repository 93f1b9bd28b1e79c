"""What is cut out of the catalogue where a project's data does not answer it: as little as can be, and nothing that is left is broken."""

from __future__ import annotations

import pytest

from cadran.problems import Position, Problem
from cadran.starting.catalogue import File, fitting

TEXT = """\
# What we sell.
kpis:
  # a building block
  sold: sum(orders.amount)

  revenue:
    formula: sold
    segment: [range, satisfaction, [channel, owner]]
    alert:
      - {name: low, when: value < 10}
      - {name: lower, when: value < other}
    read_with: [sold, churn]

  churn:
    formula: lost(count(customers))
    segment: satisfaction

scores:
  lead_score:
    dataset: leads

tests:
  one:
    given: {orders: [{id: 1}]}
"""


def at(word: str, line_with: str) -> Problem:
    """A problem that points at a word in the line that begins so."""
    lines = TEXT.splitlines()
    number = next(n for n, line in enumerate(lines) if line.strip().startswith(line_with))
    return Problem("p", "", Position("a.yaml", number + 1, lines[number].index(word) + 1, len(word)))


@pytest.mark.parametrize(
    ("problems", "gone", "there"),
    [
        ([], "tests:", "lead_score"),
        ([at("satisfaction", "segment: [range")], "segment: [range, satisfaction", "segment: [range, [channel, owner]]"),
        ([at("range", "segment: [range")], "[range, ", "segment: [satisfaction, [channel, owner]]"),
        ([at("channel", "segment: [range")], "channel", "segment: [range, satisfaction, [owner]]"),
        ([at("churn", "read_with:")], "sold, churn", "read_with: [sold]"),
        ([at("churn", "read_with:"), at("sold", "read_with:")], "read_with", "revenue:"),
        ([at("other", "- {name: lower")], "lower", "- {name: low, when: value < 10}"),
        ([at("other", "- {name: lower"), at("10", "- {name: low,")], "alert:", "read_with: [sold, churn]"),
        ([at("satisfaction", "segment: satis")], "segment: satisfaction", "formula: lost(count(customers))"),
        ([at("lost", "formula: lost")], "churn:\n", "scores:"),
        ([at("leads", "dataset: leads")], "scores:", "churn:\n"),
        ([at("sum", "sold: sum")], "a building block", "revenue:"),
    ],
)  # fmt: skip
def test_as_little_goes_as_can_be(problems: list[Problem], gone: str, there: str) -> None:
    left = File.read("a.yaml", File.read("a.yaml", TEXT).text).without(problems).text
    assert gone not in left
    assert there in left
    assert left.startswith("# What we sell.\nkpis:\n")
    assert "\n\n\n" not in left


def test_a_file_of_which_nothing_is_left_goes() -> None:
    file = File.read("a.yaml", "# only one\nkpis:\n  a: sum(b.c)\n")
    assert file.without([Problem("p", "", Position("a.yaml", 3, 3))]).text == ""


def test_what_rests_on_what_has_gone_goes_too() -> None:
    text = "kpis:\n  a: sum(orders.x)\n\n  b: a / 2\n\n  c: count(orders)\n"

    def wrong(files: dict[str, str]) -> list[Problem]:
        lines = files.get("a.yaml", "").splitlines()
        words = ["orders.x"] if any("orders.x" in line for line in lines) else ["a / 2"]
        return [
            Problem("p", "", Position("a.yaml", n + 1, 3))
            for n, line in enumerate(lines)
            if any(w in line for w in words)
        ]

    kept, cut = fitting({"a.yaml": text}, wrong)  # type: ignore[arg-type]
    assert kept == {"a.yaml": "kpis:\n  c: count(orders)\n"} and list(cut) == ["a", "b"]
