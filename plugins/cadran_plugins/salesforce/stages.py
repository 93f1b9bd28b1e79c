"""How opportunities went through their stages: one row for each stay in a stage, from the lines of OpportunityHistory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from cadran.plugins import Table, Transient
from cadran.plugins.typed.records import turned
from cadran_plugins.salesforce.objects import DELETED, ID, STAMP, Row, Source, is_true
from cadran_plugins.salesforce.reading import Found, Reading
from cadran_plugins.salesforce.session import Session
from cadran_plugins.salesforce.walk import Step, steps

_AT_ONCE = 300  # ids in one query: more would not fit into an address

_OPPORTUNITIES = Source("Opportunity", (ID, STAMP), lambda _: [], stamped=True, binned=True)


class StageReading(Reading):
    """Reads the histories of all opportunities that have changed: a new stage ends the stay in the one before.

    A row's cursor is that of its opportunity, as lines of a history have none that can be relied on when an opportunity is deleted.
    """

    def __init__(self, session: Session, table: Table) -> None:
        super().__init__(session, table, [_OPPORTUNITIES])

    def _source(self, index: int, since: Any, where: Any) -> Found:
        for step in steps(self.session, _OPPORTUNITIES, since, where):
            yield from self._step(index, step)

    def _step(self, index: int, step: Step) -> Found:
        rows: list[Row] = []
        gone: list[str] = []
        values = step.values
        opportunities = list(zip(values[ID], values[STAMP], values[DELETED], strict=True))
        for start in range(0, len(opportunities), _AT_ONCE):
            part = {
                str(id_): (stamp, deleted) for id_, stamp, deleted in opportunities[start : start + _AT_ONCE]
            }
            for id_, lines in groupby(self._lines(list(part)), key=lambda line: str(line["OpportunityId"])):
                stamp, deleted = part[id_]
                if is_true(deleted):
                    gone += [str(line["Id"]) for line in lines]
                else:
                    rows += _stays(list(lines), stamp)
        columns = turned(rows, [column.name for column in self.table.columns])
        yield from self._given(columns, gone, self._token(index, step.place))

    def _lines(self, ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """All lines of the histories of these, in order."""
        wanted = ", ".join(f"'{id_}'" for id_ in ids)
        query = f"SELECT Id, OpportunityId, StageName, CreatedDate FROM OpportunityHistory WHERE OpportunityId IN ({wanted}) ORDER BY OpportunityId, CreatedDate, Id"
        answer = self.session.query(query)
        total, come = answer["totalSize"], 0
        while True:
            come += len(answer["records"])
            yield from answer["records"]
            if answer["done"]:
                break
            answer = self.session.query(query, more=str(answer["nextRecordsUrl"]))
        if come < total:
            raise Transient(f"Salesforce counts {total} lines of histories and gives {come}")


def _stays(lines: Sequence[Mapping[str, Any]], stamp: Any) -> list[Row]:
    """A line is written for each change, of the amount as well: those that follow in the same stage belong to the first."""
    firsts = [next(group) for _, group in groupby(lines, key=lambda line: line["StageName"])]
    ends = [line["CreatedDate"] for line in firsts[1:]]
    return [
        {"id": line["Id"], "opportunity_id": line["OpportunityId"], "stage_name": line["StageName"], "entered_at": line["CreatedDate"],
         "left_at": end, "system_modstamp": stamp}
        for line, end in zip(firsts, [*ends, None], strict=True)
    ]  # fmt: skip
