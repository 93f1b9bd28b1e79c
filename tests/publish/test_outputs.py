"""CSV, JSON and Parquet: columns, exact numbers, crosses, what was set aside."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal as D

import pyarrow.parquet
import pytest

from cadran.compute.results import COLUMNS, Quality, Results, Row
from cadran.publish.outputs import FORMATS, write

from . import fakes

ROWS = (
    Row(
        "revenue", "month", "2026-03", dt.date(2026, 3, 1), dt.date(2026, 3, 31), value=D("1E+3"), base=3,
        previous=D("12345678901234567890123456789012345678.10"), year_ago=0.1, change=-1e-7, target=D("1e-9"),
        status="off_target", target_high=float("inf"), quarantined=2,
    ),
    Row(
        "rate", "all", "all", None, None, ("channel", "owner"), ("a / b", 'É,"x"\n'), status="no_data",
        state="maturing",
    ),
)  # fmt: skip
RUN = Results(ROWS, fakes.AS_OF, fakes.declaration(), quality=(Quality("orders", 10, 2),))


def test_csv(matches: Callable[[str, str], None]) -> None:
    text = write(RUN, fakes.declaration(), "csv")
    assert isinstance(text, str)
    matches("rows.csv", text)
    header, total, crossed = csv.reader(io.StringIO(text))
    assert tuple(header) == COLUMNS
    first, second = dict(zip(header, total, strict=True)), dict(zip(header, crossed, strict=True))
    assert (first["segment"], first["segment_value"]) == ("", "")
    assert (first["value"], first["previous"]) == ("1000", "12345678901234567890123456789012345678.10")
    assert (first["target"], first["change"], first["target_high"]) == ("0.000000001", "-1e-07", "")
    assert (second["segment"], second["segment_value"]) == ("channel / owner", '"a / b" / É,"x"\n')
    assert (second["value"], second["period_start"]) == ("", "")


def test_json_is_exact(matches: Callable[[str, str], None]) -> None:
    text = write(
        replace(RUN, alerts=fakes.alerts(), warnings=fakes.results().warnings), fakes.declaration(), "json"
    )
    assert isinstance(text, str)
    matches("rows.json", text)
    read = json.loads(text, parse_float=D)
    assert list(read) == ["as_of", "rows", "failed", "alerts", "quality", "warnings", "notes"]
    total, crossed = read["rows"]
    assert total["value"] == 1000
    assert total["previous"] == D("12345678901234567890123456789012345678.10")
    assert total["target"] == D("1E-9")
    assert total["target_high"] is None
    assert total["segment"] == {}
    assert crossed["segment"] == {"channel": "a / b", "owner": 'É,"x"\n'}
    assert read["as_of"] == "2026-04-09T07:00:00+02:00"
    assert read["quality"][0]["quarantined"] == 2
    assert read["warnings"][0]["line"] == 41


def test_json_of_an_empty_run() -> None:
    text = write(Results((), fakes.AS_OF, fakes.declaration()), fakes.declaration(), "json")
    assert json.loads(text)["rows"] == []


def test_json_hides_values_from_the_environment() -> None:
    run = replace(RUN, quality=(Quality("orders", findings=("no answer from hunter22",)),))
    text = write(run, fakes.declaration(secrets=frozenset(["hunter22"])), "json")
    assert "hunter22" not in str(text)


def test_parquet() -> None:
    data = write(RUN, fakes.declaration(), "parquet")
    assert isinstance(data, bytes)
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    assert tuple(table.column_names) == COLUMNS
    assert table["quarantined"].to_pylist() == [2, 0]
    assert table.schema.metadata[b"as_of"] == b"2026-04-09T07:00:00+02:00"


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_tells_what_was_set_aside(format_: str) -> None:
    out = write(
        fakes.results(), fakes.declaration(), format_, locale="en", template_folders=[fakes.TEMPLATES]
    )
    if format_ in ("markdown", "html"):
        assert "6 rows were set aside" in str(out)
    elif format_ in ("csv", "json"):
        assert "quarantined" in str(out)
    assert out


def test_an_unknown_format() -> None:
    with pytest.raises(ValueError, match="'xml' is not an output format; there is csv, json"):
        write(RUN, fakes.declaration(), "xml")
