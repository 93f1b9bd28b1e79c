"""Reading much with the Bulk API 2.0: a job that Salesforce works on by itself, and its results in CSV, part by part."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cadran.plugins import Cancelled, ConnectorError, DataError, ResumeExpired, Transient
from cadran.plugins.http import Answer
from cadran_plugins.salesforce.session import Session
from cadran_plugins.salesforce.trouble import Missing, of_job
from cadran_plugins.salesforce.walk import AT_ONCE

Record = dict[str, Any]

ROWS = 10_000  # of one part, which is one request
_WAITS = (0.2, 10.0)  # seconds between two looks at a job: at first, and at most
_PATIENCE = dt.timedelta(hours=2)
_LAST = "null"  # what stands for the end of the results


@dataclass(frozen=True, slots=True)
class Job:
    """Where reading a job's results stands: ``rows`` have come, of ``total``."""

    job: str
    total: int
    locator: str = ""
    rows: int = 0

    @property
    def done(self) -> bool:
        return self.locator == _LAST


def started(session: Session, soql: str) -> Job:
    """A job, once it is complete. Raises :class:`NoBulk` where the Bulk API does not take the query."""
    told = session.post("/jobs/query", {"operation": "queryAll", "query": soql}).json()
    job, wait, begun = str(told["id"]), _WAITS[0], session.context.clock()
    while told.get("state") != "JobComplete":
        if told.get("state") in ("Failed", "Aborted"):
            raise of_job(str(told.get("errorMessage") or told["state"]))
        if session.context.clock() - begun > _PATIENCE:
            raise Transient(f"Salesforce has been working on the job {job} for two hours")
        session.pause(wait)
        wait = min(wait * 1.5, _WAITS[1])
        told = session.get(f"/jobs/query/{job}").json()
    return Job(job, int(told["numberRecordsProcessed"]))


def results(session: Session, job: Job, fields: Sequence[str]) -> Iterator[tuple[list[Record], Job | None]]:
    """The records, and where reading stands behind them: it can go on between two parts, and not within one.

    What is empty is NULL: Salesforce keeps no empty texts.
    """
    while not job.done:
        params = {"maxRecords": ROWS} | ({"locator": job.locator} if job.locator else {})
        try:
            answer = session.get(f"/jobs/query/{job.job}/results", params, expect="any")
        except Missing:
            raise ResumeExpired("Salesforce does not keep the results of this read any more") from None
        records: list[Record] = []
        come = 0
        none = answer.headers.get("sforce-numberofrecords") == "0"  # what stands there instead differs
        for record in _records("" if none else answer.text.replace("\x00", ""), fields):
            if len(records) == AT_ONCE:
                yield records, None
                records = []
            records.append(record)
            come += 1
        job = _behind(job, answer, come)
        yield records, job


def _behind(job: Job, answer: Answer, come: int) -> Job:
    """Where reading stands behind a part, if all of it has come."""
    stated = answer.headers.get("sforce-numberofrecords", "")
    if stated != str(come):
        raise Transient(f"Salesforce says {stated or 'nothing'} rows and gives {come}")
    locator = answer.headers.get("sforce-locator", _LAST)
    if locator == job.locator:
        raise DataError("Salesforce gives the same part of the results again")
    behind = Job(job.job, job.total, locator, job.rows + come)
    if behind.done and behind.rows < job.total:
        raise Transient(f"Salesforce counts {job.total} rows and gives {behind.rows}")
    return behind


def given_up(session: Session, job: Job) -> None:
    """The results are not needed any more. Salesforce throws them away by itself after seven days."""
    try:
        session.delete(f"/jobs/query/{job.job}")
    except Cancelled:
        raise
    except ConnectorError as error:
        session.context.log(f"the job {job.job} could not be deleted: {error.message}")


def _records(text: str, fields: Sequence[str]) -> Iterator[Record]:
    wanted = list(fields)
    for number, line in enumerate(_lines(text)):
        if number == 0 and line == wanted:
            continue  # each part begins with the names
        if len(line) != len(wanted):
            raise Transient("a line of the results breaks off")
        if number == 0 and set(line) & {"Id", "SystemModstamp"}:
            raise ResumeExpired("the results of this read hold other fields than the object has now")
        yield {name: value or None for name, value in zip(wanted, line, strict=True)}


def _lines(text: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""))
    except csv.Error as error:
        raise Transient(f"the results are no CSV: {error}") from None
