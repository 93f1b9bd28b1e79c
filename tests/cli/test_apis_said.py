"""What is wrong with the rows of an API is said in words of APIs, and with what can be done in the file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.base import Response
from simulators.rest import Rest

from .user import AS_OF, Done, call

KPIS = """\
version: 1
currency: EUR
locale: en
sources:
  shop:
    connector: http_json
    url: URL/api
    tables:
      orders: {path: /plain, records: data, pages: none, key: id, columns: COLUMNS}
datasets:
  orders: {from: shop.orders, key: id, date: day, money: {amount: EUR}}
kpis:
  revenue: {formula: sum(orders.amount), period: month}
"""
WELL = '{id: bigint, day: date, amount: "decimal(12,2)"}'
BY_SLASH = '{id: bigint, day: {type: date, format: "%m/%d/%Y"}, amount: "decimal(12,2)"}'


@pytest.fixture
def server() -> Iterator[Rest]:
    with Rest(1).serving() as served:
        assert isinstance(served, Rest)
        yield served


def shop(server: Rest, folder: Path, columns: str, rows: list[dict[str, Any]], text: str = KPIS) -> Path:
    server.answer = lambda _: Response({"data": rows})  # type: ignore[method-assign]
    text = text.replace("URL", server.url).replace("COLUMNS", columns)
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    return folder


def said(done: Done) -> str:
    return " ".join(done.all.split())


def rows(days: list[str], amount: Any = "1.00") -> list[dict[str, Any]]:
    return [{"id": number, "day": day, "amount": amount} for number, day in enumerate(days, 1)]


def test_days_that_are_not_written_as_was_declared(server: Rest, tmp_path: Path) -> None:
    folder = shop(server, tmp_path, BY_SLASH, rows(["06/11/2026", "06/17/2026", "17/06/2026"]))
    done = call(folder, "sync")
    assert "shop.orders: 1 of 3 rows was set aside" in said(done)
    assert "day: '17/06/2026' is not written as 'format: %m/%d/%Y' says" in said(done)
    assert "correct 'format:' of the column where the source's settings name it" in said(done)
    assert "a type that holds them" not in said(done)
    done = call(folder, "run", *AS_OF)
    assert done.code == 0
    assert (
        "▲ 1 row was set aside (orders 1/3) orders: day: '17/06/2026' is not written as 'format: %m/%d/%Y' says"
        in said(done)
    )


def test_days_none_of_which_is_written_as_was_declared(server: Rest, tmp_path: Path) -> None:
    done = call(shop(server, tmp_path, BY_SLASH, rows(["17/06/2026"] * 12)), "sync")
    assert done.code == 2
    assert "'17/06/2026' is not written as 'format: %m/%d/%Y' says; correct 'format:' of the column" in said(
        done
    )


def test_the_share_of_a_dataset_that_leaves_rows_out_is_not_told(server: Rest, tmp_path: Path) -> None:
    text = KPIS.replace("date: day,", "date: day, where: id > 1,")
    folder = shop(server, tmp_path, BY_SLASH, rows(["06/11/2026", "06/17/2026", "17/06/2026"]), text)
    assert "(orders 1) orders: day: '17/06/2026'" in said(call(folder, "run", *AS_OF))


@pytest.mark.parametrize(
    ("day", "amount", "hints"),
    [
        ("2026-06-17", "1 001,01", ["'1 001,01' in column 'amount' is not a number", "under 'columns:'", "format: comma"]),
        ("17/06/2026", "1.00", ["column 'day'", "under 'columns:'", 'format: "%d/%m/%Y"']),
    ],
)  # fmt: skip
def test_what_can_be_done_about_a_column_of_texts(server: Rest, tmp_path: Path, day: str, amount: str, hints: list[str]) -> None:  # fmt: skip
    columns = WELL.replace('"decimal(12,2)"', "text").replace("date", "text")
    content = [*rows(["2026-06-11"] * 3, "2.00"), {"id": 9, "day": day, "amount": amount}]
    text = KPIS.replace("sum(orders.amount)", "count(orders)") if amount == "1.00" else KPIS
    done = call(shop(server, tmp_path, columns, content, text), "run", *AS_OF)
    assert done.code == 2
    for hint in hints:
        assert hint in said(done)
    assert "database" not in said(done) and "'sql:'" not in said(done)


def test_amounts_in_several_currencies_are_converted_by_the_lines_of_the_hint(
    server: Rest, tmp_path: Path
) -> None:
    text = KPIS.replace("{amount: EUR}", "{amount: currency}")
    columns = WELL.replace("day:", "currency: text, day:")
    content = [{"id": 1, "day": "2026-06-11", "amount": "10.00", "currency": "EUR"}]
    content.append({**content[0], "id": 2, "currency": "CHF"})
    folder = shop(server, tmp_path, columns, content, text)
    done = call(folder, "run", *AS_OF)
    assert done.code == 2 and "the amounts are in CHF and EUR" in said(done)
    assert "docs/sources.md, 'Amounts in several currencies'" in said(done)
    [rates, source] = [line for line in said(done).split("'") if line.startswith(("rates: {", "finance: {"))]
    lines = (folder / "kpis.yaml").read_text().replace("sources:\n", f"{rates}\nsources:\n  {source}\n")
    (folder / "kpis.yaml").write_text(lines, encoding="utf-8")
    (folder / "data").mkdir()
    head, row = "date,currency,rate", "2026-01-01,CHF,1.07"
    assert head in said(done) and row in said(done)
    (folder / "data/rates.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    done = call(folder, "run", *AS_OF, "--format", "csv")
    assert done.code == 0, done.err
    assert "20.70" in done.out or "20.7" in done.out
