"""What ``cadran report --context`` tells: every name that a template meets, with its meaning."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from cadran.publish.describe import as_json, as_text, classes, meanings
from cadran.publish.gather import gather

from . import fakes


@pytest.mark.parametrize("kind", classes(), ids=lambda kind: kind.__name__)
def test_every_field_has_a_meaning_and_no_meaning_is_left_over(kind: type) -> None:
    assert list(meanings(kind)) == [field.name for field in fields(kind)]


def test_all_that_a_template_meets_is_told() -> None:
    text = as_text()
    for kind in classes():
        assert all(f"\n  {field.name} " in text for field in fields(kind))
    assert "Literal" not in text and "tuple" not in text and "<class" not in text
    assert max(map(len, text.splitlines())) <= 110


def test_values_are_json() -> None:
    found = json.loads(as_json(gather(fakes.results(), fakes.declaration(), None, "fr")))
    first = found["kpis"][0]
    assert first["label"] == "Taux de conversion des leads"
    assert first["value"]["text"] == "20,7\u00a0%"
    assert first["chart"] is None
