"""A message that is held back says what it would have said at once."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from cadran.deliver.jobs import jobs
from cadran.deliver.turns import turns
from cadran.state.store.store import open_store
from deliver.projects import Small

ROUTED = """
  mail: {notifier: email, smtp: "smtp://127.0.0.1:1", from: kpi@example.com}
routes:
  - {to: [{channel: mail, to: [ops@example.com]}]HELD}
"""
FALLING = {day: {"ana": 10.0 if day < 5 else 1.0, "bob": 20.0 if day < 5 else 3.0} for day in range(1, 28)}


def mail_of(folder: Path, held: str, *looks: str) -> str:
    made = Small.made(folder, ROUTED.replace("HELD", held))
    made.due("04 08:00")
    made.due("05 06:00")
    made.orders(FALLING)
    for look in looks:
        assert not made.deliveries()
        made.due(look)
    [row] = made.deliveries()
    return made.mail(row)


@pytest.mark.parametrize(
    ("held", "look"), [(", mute: {hours: 20:00-07:00}", "06 07:00"), (", wait: 20m", "06 06:20")]
)
def test_it_says_the_same_as_one_that_was_not_held_back(held: str, look: str, tmp_path: Path) -> None:
    at_once = mail_of(tmp_path / "a", "", "06 06:00")
    assert "-86.7%" in at_once.replace("\N{MINUS SIGN}", "-")
    assert "bob" in at_once, "what it comes from"
    assert mail_of(tmp_path / "b", held, "06 06:00", look) == at_once


def test_an_alert_that_is_kept_where_there_is_no_data_says_so(tmp_path: Path) -> None:
    made = Small.made(tmp_path, ROUTED.replace("HELD", ""))
    file = made.folder / "kpis.yaml"
    file.write_text(file.read_text().replace("sum(orders.amount)", "avg(orders.amount)"))
    made.orders({day: {"ana": 30.0 if day < 4 else 1.0} for day in range(1, 28) if day != 5})
    made.due("04 08:00")
    made.due("06 06:00")
    [row] = made.deliveries()
    assert "no data any more: kept as it stood in March 4, 2026" in made.mail(row)


def test_a_repeat_keeps_to_the_hour_of_the_look(tmp_path: Path) -> None:
    """Some seconds earlier or later do not matter."""
    made = Small.made(tmp_path, ROUTED.replace("HELD", ", mute: {hours: 20:00-07:00}, repeat: 2 days"))
    made.orders(FALLING)
    made.due("04 08:00")
    made.due("06 06:00")
    for look in ("06 07:01:05", "08 07:01:02", "10 07:01:04"):
        made.due(look)
    assert ["Still firing" in row.subject for row in made.deliveries()] == [False, True, True]


def test_nothing_is_said_again_while_it_is_judged(tmp_path: Path) -> None:
    """By another process, which will find that it is over."""
    made = Small.made(tmp_path, ROUTED.replace("HELD", ", repeat: 1 day"))
    made.orders(FALLING)
    made.due("04 08:00")
    made.due("06 06:00")
    made.clock.set("07 06:00")
    declaration = made.project.declaration()[0]
    assert declaration is not None
    with closing(open_store(made.folder)) as store:
        with store.write() as c:
            turns(c, jobs(declaration), made.clock.now(), "another")
        assert made.due()[0] == "alerts 07 06:00 busy: another process is at it"
    assert len(made.deliveries()) == 1
