"""A small project on disk, and the command line called on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from cadran.cli import cli

AS_OF = ("--as-of", "2026-07-01")
KPIS = """\
version: 1
calendar: {timezone: Europe/Paris}
currency: EUR
locale: en
sources: {files: {connector: files, path: data}}
datasets:
  orders: {from: files.orders, key: id, date: day, money: {amount: EUR}}
kpis:
  revenue:
    label: Revenue
    formula: sum(orders.amount)
    period: [month, quarter]
    segment: [shop, channel, [shop, channel]]
    unit: EUR
    compare: [previous]
    target: [{segment: total, grain: month, value: 15}, {grain: month, value: 15}]
    alert: {name: low, when: value < 10, grain: month}
    tags: [money]
  basket: {formula: avg(orders.amount), period: month, segment: shop, unit: EUR, tags: [money]}
  number: {formula: count(orders), period: month}
reports:
  monthly: {title: The month, kpis: [revenue, number], period: last month}
"""
ORDERS = """\
id,day,amount,shop,channel
1,2026-05-03,10.10,north,web
2,2026-05-04,5.50,south,web
3,2026-06-01,7.25,north,fair / show
4,2026-06-02,0.05,,web
"""


@dataclass(frozen=True)
class Done:
    """How a call ended."""

    code: int
    out: str
    err: str
    raw: bytes

    @property
    def all(self) -> str:
        return self.out + self.err

    def json(self) -> Any:
        return json.loads(self.out)


def project(folder: Path, text: str = KPIS, tables: Mapping[str, str] | None = None) -> Path:
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    for name, rows in (tables or {"orders": ORDERS}).items():
        (data / f"{name}.csv").write_text(rows, encoding="utf-8")
    (folder / "kpis.yaml").write_text(text, encoding="utf-8")
    return folder


def call(folder: Path | None, *args: str, env: Mapping[str, str] | None = None) -> Done:
    """``cadran -C folder args…``. A traceback is never an answer."""
    where = [] if folder is None else ["-C", str(folder)]
    result = CliRunner().invoke(cli, [*where, *args], env=dict(env or {}), prog_name="cadran")
    expected = result.exception is None or isinstance(result.exception, SystemExit)
    assert expected, f"{result.exception!r}\n{result.output}"
    out = result.stdout_bytes.decode("utf-8", errors="replace")
    return Done(result.exit_code, out, result.stderr, result.stdout_bytes)
