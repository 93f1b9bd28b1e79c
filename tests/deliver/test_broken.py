"""One bad or missing table stops what rests on it, and nothing else; and it is said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

import pytest

from cadran.deliver.standing import not_judged
from cadran.state.store.store import open_store
from deliver.projects import Small

Make = Callable[..., Small]

PROJECT = """
version: 1
calendar: {timezone: Europe/Paris}
currency: EUR
sources:
  files: {connector: files, path: data}
  books: {connector: files, path: books}
datasets:
  orders: {from: files.orders, key: id, date: day}
  costs: {from: SOURCE.costs, key: id, date: day}
kpis:
  revenue: {formula: sum(orders.amount), period: day, owner: ana@example.com, alert: {name: low, when: value < 15}}
  spent: {formula: sum(costs.paid), period: day, owner: bob@example.com, alert: {name: high, when: value > 15}}
  margin: {formula: sum(orders.amount) - sum(costs.paid), period: day, owner: eve@example.com, alert: {name: none, when: value < 15}}
channels:
  out: {notifier: file, path: out}
  mail: {notifier: email, smtp: "smtp://127.0.0.1:1", from: kpi@example.com}
routes:
  - {to: [{channel: mail, to: ["{{ owner }}"]}]}
reports:
  sales: {kpis: [revenue], schedule: "0 6 * * *", to: [out]}
  money: {kpis: [revenue, spent], schedule: "0 6 * * *", to: [out]}
"""
GOOD = "id,day,paid\n" + "\n".join(f"{n},2026-03-{n:02},5" for n in range(1, 28)) + "\n"
WRONG = {
    "missing": "",
    "a text": GOOD + "28,2026-03-27,abc\n",
    "a double key": GOOD + "5,2026-03-05,5\n",
    "six fields": GOOD + "28,2026-03-27,5,1,1,1\n",
    "another column": GOOD.replace("paid", "cost"),
}


def made_of(small: Make, source: str) -> Small:
    made = small()
    (made.folder / "kpis.yaml").write_text(PROJECT.replace("SOURCE", source))
    (made.folder / "books").mkdir()
    (made.folder / "books" / "none.csv").write_text("a\n1\n")
    costs(made, source, GOOD)
    made.due("04 08:00")
    made.due("05 06:00")
    return made


def costs(made: Small, source: str, text: str) -> None:
    file = made.folder / {"files": "data", "books": "books"}[source] / "costs.csv"
    file.write_text(text)
    if not text:
        file.unlink()


@pytest.mark.parametrize("source", ["files", "books"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_bad_table(small: Make, wrong: str, source: str) -> None:
    made = made_of(small, source)
    made.orders({day: {"ana": 30.0 if day < 5 else 1.0} for day in range(1, 28)})
    costs(made, source, WRONG[wrong])
    first = made.due("06 06:00")
    assert first[0].startswith("alerts 06 06:00 retry: ")
    assert first[1] == "report:sales 06 06:00 done"
    assert first[2].startswith("report:money 06 06:00 retry: ")
    assert told(made) == {("ana@example.com", "revenue")}, "what rests on nothing of it is judged at once"
    made.due("06 07:00")
    assert told(made) == {("ana@example.com", "revenue"), ("bob@example.com", "dataset costs"), ("eve@example.com", "dataset costs")}  # fmt: skip
    costs(made, source, GOOD)
    made.due("07 06:00")
    assert ("eve@example.com", "margin") in told(made), "which was held back"
    assert [row.recipient for row in made.deliveries() if "dataset costs" in row.label] == [
        "bob@example.com", "eve@example.com", "bob@example.com", "eve@example.com"
    ], "and they hear that it is over"  # fmt: skip


def test_called_once_a_day(small: Make) -> None:
    made = made_of(small, "books")
    costs(made, "books", "")
    made.due("06 06:30")
    lines = made.due("07 06:30")
    assert [line.split(":")[0] for line in lines if line.startswith("alerts")] == [
        "alerts 06 06",
        "alerts 07 06",
    ]
    assert told(made) == {("bob@example.com", "dataset costs"), ("eve@example.com", "dataset costs")}


def test_a_source_that_does_not_answer(small: Make) -> None:
    made = made_of(small, "books")
    made.orders({day: {"ana": 1.0} for day in range(1, 28)})
    (made.folder / "books").rename(made.folder / "away")
    made.due("06 06:00")
    made.due("06 07:00")
    assert told(made) == {("ana@example.com", "revenue"), ("bob@example.com", "source books"), ("eve@example.com", "source books")}  # fmt: skip
    (made.folder / "away").rename(made.folder / "books")
    assert "alerts 07 06:00 done" in made.due("07 06:00")


def test_it_is_said_since_when_alerts_cannot_all_be_judged(small: Make) -> None:
    made = made_of(small, "books")
    costs(made, "books", "")
    for day in ("06", "07", "08"):
        made.due(f"{day} 06:00")
        made.due(f"{day} 07:30")
    assert failing(made) == "alerts cannot all be judged since 2026-03-06 06:00: datasets.costs: source 'books' has no table 'costs'"  # fmt: skip
    costs(made, "books", GOOD)
    made.due("09 06:00")
    assert failing(made) == ""


def failing(made: Small) -> str:
    declaration = made.project.declaration()[0]
    assert declaration is not None
    with closing(open_store(made.folder)) as store, store.read() as c:
        return not_judged(c, declaration)


def told(made: Small) -> set[tuple[str, str]]:
    rows = [row for row in made.deliveries() if row.kind == "alert"]
    return {(row.recipient, row.label.split(" · ")[0].split(":")[0]) for row in rows}
