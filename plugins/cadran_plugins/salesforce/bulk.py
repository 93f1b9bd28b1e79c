"""Reading much with the Bulk API 2.0: a job that Salesforce works on by itself, and its results in CSV, part by part."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cadran.plugins import Cancelled, ConnectorError, DataError, ResumeExpired, Transient
from cadran.plugins.http import Answer
from cadran_plugins.salesforce.objects import ID, STAMP, Values
from cadran_plugins.salesforce.session import Session
from cadran_plugins.salesforce.trouble import Missing, of_job

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


def results(session: Session, job: Job, fields: Sequence[str]) -> Iterator[tuple[Values, Job | None]]:
    """The values of records, and where reading stands behind them: it can go on between two parts, and not within one.

    What is empty is NULL: Salesforce keeps no empty texts.
    """
    while not job.done:
        params = {"maxRecords": ROWS} | ({"locator": job.locator} if job.locator else {})
        try:
            answer = session.get(f"/jobs/query/{job.job}/results", params, expect="any")
        except Missing:
            raise ResumeExpired("Salesforce does not keep the results of this read any more") from None
        none = answer.headers.get("sforce-numberofrecords") == "0"  # what stands there instead differs
        values = values_of(b"" if none else answer.content, fields)
        job = _behind(job, answer, len(values[fields[0]]))
        yield values, job


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


def values_of(content: bytes, fields: Sequence[str]) -> Values:
    """The columns of a part's CSV, as Arrow's texts. Raises :class:`Transient` for a line that breaks off."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    content = content.replace(b"\x00", b"").decode("utf-8", "replace").encode()
    line = content[: content.find(b"\n") + 1 or None]
    names = next(csv.reader([line.decode("utf-8", "replace")]), [])
    if names == list(fields):  # each part begins with the names
        content = content[len(line) :]
    elif len(names) == len(fields) and set(names) & {ID, STAMP}:
        raise ResumeExpired("the results of this read hold other fields than the object has now")
    if not content:
        return {name: pa.array([], pa.string()) for name in fields}
    at_once = arrow_csv.ReadOptions(use_threads=False, block_size=len(content) + 1, column_names=fields)
    lines = arrow_csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False)
    texts = arrow_csv.ConvertOptions(
        column_types=dict.fromkeys(fields, pa.string()), null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=True,
    )  # fmt: skip
    try:
        table = arrow_csv.read_csv(pa.BufferReader(content), at_once, lines, texts)
    except pa.ArrowInvalid:
        raise Transient("a line of the results breaks off") from None
    if table.column(ID).null_count:  # Arrow takes an empty line for a row in which all is empty
        raise Transient("a line of the results breaks off, or has no Id")
    return {name: table.column(name).combine_chunks() for name in fields}
