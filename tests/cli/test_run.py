"""``cadran run``: every format, to the terminal and to a file, and the choice of rows."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest

import cadran
from cadran.cli.run import FORMATS
from cadran.compute.results import COLUMNS

from .user import AS_OF, KPIS, ORDERS, Done, call, project


def lines(done: Done) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(done.out), strict=True))


def one(rows: list[dict[str, str]], **wanted: str) -> dict[str, str]:
    (row,) = [r for r in rows if all(r[k] == v for k, v in wanted.items())]
    return row


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_to_stdout_and_to_a_file(tmp_path: Path, kind: str) -> None:
    folder, file = project(tmp_path / "p"), tmp_path / "out" / f"result.{kind}"
    shown = call(folder, "run", *AS_OF, "--format", kind, "revenue")
    written = call(folder, "run", *AS_OF, "--format", kind, "revenue", "--output", str(file))
    assert (shown.code, written.code) == (0, 0), shown.all + written.all
    assert shown.raw and file.stat().st_size
    assert not written.out
    if kind == "parquet":
        assert pyarrow.parquet.read_table(io.BytesIO(shown.raw)).equals(pyarrow.parquet.read_table(file))
    elif kind != "table":
        assert file.read_bytes() == shown.raw
    if kind != "parquet":
        text = file.read_text(encoding="utf-8")
        assert "revenue" in text.lower() and "7.30" in text.replace(",", ".")


def test_csv_conventions(tmp_path: Path) -> None:
    done = call(project(tmp_path), "run", *AS_OF, "--format", "csv", "revenue", "basket")
    assert done.out.splitlines()[0] == ",".join(COLUMNS)
    assert COLUMNS[:14] == (
        "kpi", "period", "period_start", "period_end", "segment", "segment_value", "value", "base",
        "previous", "year_ago", "change", "target", "status", "state",
    )  # fmt: skip
    rows = lines(done)
    june = one(rows, kpi="revenue", period="2026-06", segment="")
    assert june["segment_value"] == "" and june["value"] == "7.30"  # exact: 7.25 + 0.05
    assert (june["previous"], june["change"], june["year_ago"]) == ("15.60", "-8.30", "")
    assert (june["period_start"], june["period_end"]) == ("2026-06-01", "2026-06-30")
    assert (june["target"], june["status"], june["state"]) == ("15", "off_target", "final")
    assert (
        one(rows, kpi="revenue", period="2026-05", segment="shop", segment_value="north")["value"] == "10.10"
    )
    assert (
        one(rows, kpi="revenue", period="2026-06", segment="shop", segment_value="(none)")["value"] == "0.05"
    )
    cross = {
        r["segment_value"] for r in rows if r["period"] == "2026-06" and r["segment"] == "shop / channel"
    }
    assert 'north / "fair / show"' in cross and "(none) / web" in cross
    alone = {r["segment_value"] for r in rows if r["segment"] == "channel"}
    assert any("fair" in value for value in alone)
    basket = one(rows, kpi="basket", period="2026-06", segment="shop", segment_value="south")
    assert basket["value"] == ""  # no data is an empty field, not 0


def test_json_conventions(tmp_path: Path) -> None:
    done = call(project(tmp_path), "run", *AS_OF, "--format", "json", "revenue")
    found = json.loads(done.out, parse_float=Decimal)
    assert found["as_of"] == "2026-07-01T00:00:00+02:00"
    june = [r for r in found["rows"] if r["period"] == "2026-06"]
    segments: list[Any] = [r["segment"] for r in june]
    assert {} in segments
    assert {"shop": "north", "channel": "fair / show"} in segments
    (total,) = [r for r in june if not r["segment"]]
    assert (total["value"], total["previous"], total["target"]) == (Decimal("7.30"), Decimal("15.60"), 15)
    assert "segment_value" not in total
    (alert, *_) = [a for a in found["alerts"] if not a["segment"]]
    assert (alert["rule"], alert["state"], alert["period"]) == ("low", "firing", "2026-06")


def test_all_formats_hold_the_same_values(tmp_path: Path) -> None:
    folder = project(tmp_path)
    rows = lines(call(folder, "run", *AS_OF, "--format", "csv"))
    found = call(folder, "run", *AS_OF, "--format", "json").json()["rows"]
    table = pyarrow.parquet.read_table(
        io.BytesIO(call(folder, "run", *AS_OF, "--format", "parquet").raw)
    ).to_pylist()
    results = cadran.open(folder, environ={}).run(as_of=dt.date(2026, 7, 1))
    assert len(rows) == len(found) == len(table) == len(results)
    for text, item, arrow in zip(rows, found, table, strict=True):
        assert (float(text["value"]) if text["value"] else None) == item["value"] == arrow["value"]
        assert text["kpi"] == item["kpi"] == arrow["kpi"]
        assert text["segment_value"] == arrow["segment_value"]


def test_arrow_pandas_and_polars_are_equal(tmp_path: Path) -> None:
    results = cadran.open(project(tmp_path), environ={}).run(as_of=dt.date(2026, 7, 1))
    arrow, frame, polars = results.arrow(), results.pandas(), results.polars()
    assert tuple(arrow.column_names) == tuple(frame.columns) == tuple(polars.columns) == COLUMNS
    for name in COLUMNS:
        values = arrow[name].to_pylist()
        assert polars[name].to_list() == values, name
        plain = [None if v is None or v != v else v for v in frame[name].tolist()]
        assert plain == values, name
    assert [d["value"] for d in results.dicts()] == [row.value for row in results]


# --- what is asked for ----------------------------------------------------------------------------------------------


def kpis(done: Done) -> set[str]:
    assert done.code == 0, done.all
    return {r["kpi"] for r in lines(done)}


def test_kpis_by_name_and_by_tag(tmp_path: Path) -> None:
    folder = project(tmp_path)
    assert kpis(call(folder, "run", *AS_OF, "--format", "csv")) == {"revenue", "basket", "number"}
    assert kpis(call(folder, "run", *AS_OF, "--format", "csv", "number")) == {"number"}
    assert kpis(call(folder, "run", *AS_OF, "--format", "csv", "tag:money")) == {"revenue", "basket"}
    assert kpis(call(folder, "run", *AS_OF, "--format", "csv", "tag:money", "number")) == {
        "revenue",
        "basket",
        "number",
    }
    for kind in ("markdown", "html"):
        page = call(folder, "run", *AS_OF, "--format", kind, "number").out
        assert "Basket" not in page and "basket" not in page, (
            "what was not asked for is not said to have no data"
        )
    unknown = call(folder, "run", *AS_OF, "revenu", "tag:mony")
    assert unknown.code == 2
    assert "did you mean 'revenue'?" in unknown.err and "did you mean 'money'?" in unknown.err
    assert not unknown.out


def test_segments(tmp_path: Path) -> None:
    folder = project(tmp_path)

    def found(*args: str) -> set[tuple[str, str, str]]:
        rows = lines(
            call(folder, "run", *AS_OF, "--since", "2026-06", "--until", "2026-06", "--format", "csv", *args)
        )
        return {(r["kpi"], r["segment"], r["segment_value"]) for r in rows if r["period"] == "2026-06"}

    every = found("--segment", "shop")
    assert ("revenue", "", "") in every and ("revenue", "shop", "(none)") in every
    assert not any("channel" in segment for _, segment, _ in every)
    assert not any(kpi == "number" for kpi, _, _ in every)  # it has no such segment
    north = found("--segment", "shop=north", "revenue")
    assert north == {("revenue", "", ""), ("revenue", "shop", "north")}
    crossed = found("--segment", "shop=north", "--segment", "channel", "revenue")
    assert ("revenue", "shop / channel", 'north / "fair / show"') in crossed
    assert not any(segment == "shop" and value != "north" for _, segment, value in crossed)
    wrong = call(folder, "run", *AS_OF, "--segment", "shp=north")
    assert wrong.code == 2 and "did you mean 'shop'?" in wrong.err


def test_a_segment_value_that_no_row_has(tmp_path: Path) -> None:
    done = call(project(tmp_path), "run", *AS_OF, "--format", "csv", "--segment", "shop=nroth", "revenue")
    rows = [r for r in lines(done) if r["segment"]] if done.code == 0 else []
    assert not rows
    assert "nroth" in done.err  # else a typing error looks like a shop without revenue


def test_since_and_until(tmp_path: Path) -> None:
    folder = project(tmp_path)

    def periods(*args: str) -> list[str]:
        done = call(folder, "run", *AS_OF, "--format", "csv", "number", *args)
        assert done.code == 0, done.all
        return [r["period"] for r in lines(done)]

    assert periods() == ["2026-05", "2026-06", "2026-07"]
    assert periods("--since", "2026-06") == ["2026-06", "2026-07"]
    assert periods("--since", "2026-06-15", "--until", "2026-06-16") == ["2026-06"]
    assert periods("--until", "2026-05") == ["2026-05"]
    assert periods("--since", "2030") == []
    inverted = call(folder, "run", "--since", "2026-07", "--until", "2026-06")
    assert inverted.code == 2 and "--since" in inverted.err
    for bad in ("yesterday", "2026-13", "2026-02-30"):
        assert call(folder, "run", "--since", bad).code == 2


def test_rows_are_chosen_and_not_what_is_seen(tmp_path: Path) -> None:
    """``--since`` changes no value, no comparison and no alert."""
    folder = project(tmp_path, KPIS.replace("period: [month, quarter]", "period: [month, quarter, all]"))
    whole = call(folder, "run", *AS_OF, "--format", "json").json()
    part = call(folder, "run", *AS_OF, "--format", "json", "--since", "2026-06").json()

    def key(row: dict[str, Any]) -> tuple[str, ...]:
        return (row["kpi"], row["period"], *row["segment"].items())

    all_rows = {key(row): row for row in whole["rows"]}
    assert len(part["rows"]) > 4
    for row in part["rows"]:
        assert row == all_rows[key(row)]
    assert part["alerts"] == whole["alerts"]


def test_folder_or_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path / "deep" / "er")
    expected = call(folder, "run", *AS_OF, "--format", "csv").out
    assert call(folder / "kpis.yaml", "run", *AS_OF, "--format", "csv").out == expected
    monkeypatch.chdir(folder)
    assert call(None, "run", *AS_OF, "--format", "csv").out == expected
    monkeypatch.chdir(tmp_path)
    assert call(Path("deep/er"), "run", *AS_OF, "--format", "csv").out == expected
    missing = call(tmp_path / "nowhere", "run")
    assert missing.code == 2 and "nowhere" in missing.err


def test_the_table_writes_the_reports(tmp_path: Path) -> None:
    folder = project(tmp_path)
    done = call(folder, "run", *AS_OF)
    report = folder / "reports" / "monthly.html"
    assert done.code == 0 and "monthly" in done.out
    assert "The month" in report.read_text(encoding="utf-8")
    report.unlink()
    call(folder, "run", *AS_OF, "number")
    assert not report.exists()  # a question about one KPI writes nothing


def test_a_folder_that_cannot_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path)
    (folder / "reports").write_text("a file where the folder would go", encoding="utf-8")
    done = call(folder, "run", *AS_OF)
    assert done.code == 0
    assert "Revenue" in done.out
    assert "report 'monthly' not written" in done.err and "--output" in done.err
    (folder / "reports").unlink()

    def refuse(self: Path, *_args: object, **_named: object) -> None:
        raise PermissionError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    done = call(folder, "run", *AS_OF)
    assert done.code == 0 and "Revenue" in done.out and "Read-only file system" in done.err


@pytest.mark.parametrize("kind", FORMATS)
def test_an_output_that_cannot_be_written(tmp_path: Path, kind: str) -> None:
    folder = project(tmp_path)
    (tmp_path / "blocked").write_text("")
    done = call(folder, "run", *AS_OF, "--format", kind, "--output", str(tmp_path / "blocked" / "out"))
    assert done.code == 2
    assert "blocked" in done.err


def test_excel(tmp_path: Path) -> None:
    from openpyxl import Workbook

    folder = project(tmp_path / "excel", KPIS.replace("files.orders", '"files.shop/orders"'))
    expected = call(project(tmp_path / "csv"), "run", *AS_OF, "--format", "csv").out
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in csv.reader(io.StringIO(ORDERS)):
        sheet.append([float(v) if i == 2 and v[0].isdigit() else v or None for i, v in enumerate(row)])
    (folder / "data" / "orders.csv").unlink()
    book.save(folder / "data" / "shop.xlsx")
    text = (folder / "kpis.yaml").read_text().replace('"files.shop/orders"', "files.shop")
    (folder / "kpis.yaml").write_text(text)
    done = call(folder, "run", *AS_OF, "--format", "csv")
    assert done.code == 0, done.all
    values = [
        [
            (r["kpi"], r["period"], r["segment_value"], float(r["value"] or 0))
            for r in csv.DictReader(io.StringIO(t))
        ]
        for t in (done.out, expected)
    ]
    assert values[0] == values[1]


BAD = ORDERS + "5,2026-06-03,abc,north,web\n6,not a day,1.00,north,web\n"
TYPED = KPIS.replace(
    "path: data", 'path: data, on_bad_row: quarantine, types: {amount: "decimal(12,2)", day: date}'
)


@pytest.mark.parametrize("kind", FORMATS)
def test_quarantine_is_counted_in_every_format(tmp_path: Path, kind: str) -> None:
    folder = project(tmp_path, TYPED, {"orders": BAD})
    done = call(folder, "run", *AS_OF, "--format", kind)
    assert done.code == 0, done.all
    if kind == "csv":
        assert {r["quarantined"] for r in lines(done)} == {"2"}
    elif kind == "json":
        found = done.json()
        assert {r["quarantined"] for r in found["rows"]} == {2}
        (quality,) = found["quality"]
        assert quality["quarantined"] == 2 and len(quality["rejected"]) == 2
        assert "orders.csv" in quality["rejected"][0]["where"]
    elif kind == "parquet":
        table = pyarrow.parquet.read_table(io.BytesIO(done.raw))
        assert set(table["quarantined"].to_pylist()) == {2}
    else:
        assert "2 rows were set aside" in done.out


def test_without_quarantine_a_bad_row_fails_the_run(tmp_path: Path) -> None:
    folder = project(tmp_path, TYPED.replace("on_bad_row: quarantine, ", ""), {"orders": BAD})
    done = call(folder, "run", *AS_OF, "--format", "csv")
    assert done.code == 2 and {row["status"] for row in lines(done)} == {"failed"}
    assert "orders.csv:6" in done.err and "orders.csv:7" in done.err
