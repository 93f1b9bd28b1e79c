"""Which formulas come down to one sum over another, and why the others do not."""

from __future__ import annotations

from pathlib import Path

import pytest

import cadran
from cadran.formula.derive import Derivation
from cadran.formula.ratio import NotARatio, Ratio, Sum, ratio_of

HEAD = """\
version: 1
sources: {{files: {{connector: files, path: data}}}}
datasets: {{o: {{from: files.o, key: id, date: day}}}}
kpis:
  a: sum(o.a)
  b: sum(o.b)
  c: sum(o.c)
  tested: {{formula: "{formula}", period: month}}
"""


def resolved(folder: Path, formula: str) -> tuple[Ratio, Derivation]:
    (folder / "data").mkdir()
    (folder / "data" / "o.csv").write_text("id,day,a,b,c\n1,2026-01-01,1,2,3\n", encoding="utf-8")
    (folder / "kpis.yaml").write_text(HEAD.format(formula=formula), encoding="utf-8")
    _, model, _ = cadran.open(folder, environ={}).model()
    derivation = Derivation(model)
    return ratio_of(model.kpis["tested"].value, derivation), derivation


def shown(terms: Sum, derivation: Derivation) -> str:
    """``2 sum a - 1``"""
    names = {None: ""}
    for part in terms:
        if part is not None:
            measure = derivation.leaf_of(part).measure if part.key == "placeholder" else None  # type: ignore[arg-type]
            names[part] = (
                f"{measure.function} {measure.argument.name}" if measure and measure.argument else part.key
            )  # type: ignore[index]
    return " + ".join(f"{factor} {names[part]}".strip() for part, factor in terms.items()) or "0"


@pytest.mark.parametrize(
    ("formula", "numerator", "denominator"),
    [
        ("a", "1 sum a", "1"),
        ("a - 2 * (b + c)", "1 sum a + -2 sum b + -2 sum c", "1"),
        ("-a / 4 + 1", "-1/4 sum a + 1", "1"),
        ("a / b", "1 sum a", "1 sum b"),
        ("1 - a / b", "-1 sum a + 1 sum b", "1 sum b"),
        ("100 * (a - b) / c", "100 sum a + -100 sum b", "1 sum c"),
        ("(a - b) / b", "1 sum a + -1 sum b", "1 sum b"),
        ("a / b + c / b", "1 sum a + 1 sum c", "1 sum b"),
        ("a / b - c / (2 * b)", "1 sum a + -1/2 sum c", "1 sum b"),
        ("avg(o.a)", "1 sum a", "1 count a"),
        ("avg(o.a) / 100 + 15%", "1/100 sum a + 3/20 count a", "1 count a"),
        ("avg(o.a) * count(o.a) / b", "1 sum a", "1 sum b"),
        ("1 / (a / b)", "1 sum b", "1 sum a"),
        ("coalesce(a, 0) / b", "1 coalesce", "1 sum b"),
        ("a - a", "0", "1"),
    ],
)
def test_a_sum_over_a_sum(tmp_path: Path, formula: str, numerator: str, denominator: str) -> None:
    ratio, derivation = resolved(tmp_path, formula)
    assert shown(ratio.numerator, derivation) == numerator
    assert shown(ratio.denominator, derivation) == denominator
    assert ratio.additive == (denominator == "1")


@pytest.mark.parametrize(
    ("formula", "why", "what"),
    [
        ("a * b", "product", ""),
        ("a / b / c", "product", ""),
        ("a / b * c", "product", ""),
        ("avg(o.a) * b", "product", ""),
        ("a / b + a / c", "denominators", ""),
        ("a + b / c", "denominators", ""),
        ("median(o.a)", "statistic", "median"),
        ("a / max(o.a)", "statistic", "max"),
        ("a / total(a)", "total", "total"),
        ("coalesce(a, 1)", "function", "coalesce"),
        ("greatest(a, b)", "function", "greatest"),
        ("case when a > b then a end", "function", "case"),
        ("a / 0", "function", "/ 0"),
    ],
)
def test_what_is_none(tmp_path: Path, formula: str, why: str, what: str) -> None:
    with pytest.raises(NotARatio) as raised:
        resolved(tmp_path, formula)
    assert (raised.value.why, raised.value.what) == (why, what)
