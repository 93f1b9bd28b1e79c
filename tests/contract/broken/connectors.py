"""Connectors that are wrong in one way each, as authors get them wrong; beside each the check that is meant for it.

``also`` names checks that see the same from another side.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from cadran.plugins import (
    WHOLE,
    AuthError,
    Column,
    Connector,
    ConnectorError,
    Context,
    DataError,
    Deletes,
    End,
    Page,
    RateLimited,
    ResumeExpired,
    Transient,
    Window,
)
from cadran.plugins.http import Http, Listing, Wait
from contract.acme import AcmeConnector


@dataclass(frozen=True)
class Broken:
    connector: Callable[[], type[Connector]]
    check: str
    also: frozenset[str] = frozenset()


BROKEN: dict[str, Broken] = {}


def caught_by(check: str, *also: str) -> Callable[[type[Connector]], type[Connector]]:
    def registered(kind: type[Connector]) -> type[Connector]:
        BROKEN[kind.__name__] = Broken(lambda: kind, check, frozenset(also))
        return kind

    return registered


def _heavy() -> type[Connector]:
    from contract.broken.heavy import HeavyImport

    return HeavyImport


BROKEN["HeavyImport"] = Broken(_heavy, "metadata_imports_nothing_heavy")


def _schema(**token: Any) -> dict[str, Any]:
    schema = dict(AcmeConnector.config_schema)
    return {**schema, "properties": {**schema["properties"], "token": {"type": "string", **token}}}


@caught_by("settings_are_described")
class TakesTypos(AcmeConnector):
    config_schema = {k: v for k, v in AcmeConnector.config_schema.items() if k != "additionalProperties"}


@caught_by("secrets_are_marked")
class SecretNotMarked(AcmeConnector):
    config_schema = _schema()


@caught_by("wrong_credentials_are_told_at_once")
class RetriesOn401(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        for _ in range(3):
            with contextlib.suppress(AuthError):
                return super()._asked(path, params)
        return super()._asked(path, params)


@caught_by("asking_changes_nothing")
class PingWrites(AcmeConnector):
    def ping(self) -> str:
        name = super().ping()
        with contextlib.suppress(ConnectorError):
            self.http.request("DELETE", "/v1/last_login", tries=1)
        return name


@caught_by("only_declared_hosts_are_asked")
class FollowsRedirects(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        try:
            return super()._asked(path, params)
        except DataError:
            token = self.context.config["token"]
            request = urllib.request.Request(self._url + path, headers={"authorization": f"Bearer {token}"})
            with contextlib.suppress(OSError):
                urllib.request.urlopen(request, timeout=5).close()
            raise


@caught_by("no_secret_is_told")
class TellsTheToken(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        try:
            return super()._asked(path, params)
        except DataError as error:
            raise DataError(f"{error.message} (asked with {self.context.config['token']})") from None


class _TellsOfPages(AcmeConnector):
    """What fails is told with the token, and only where a page fails."""

    def told(self, error: ConnectorError) -> ConnectorError:
        raise NotImplementedError

    def _asked(self, path: str, params: Any = None) -> Any:
        try:
            return super()._asked(path, params)
        except Transient as error:
            raise (self.told(error) if path.startswith("/v1/rows/") else error) from None


@caught_by("no_secret_is_told")
class TellsTheTokenOfAPage(_TellsOfPages):
    def told(self, error: ConnectorError) -> ConnectorError:
        return Transient(error.message, hint=f"try curl -H 'authorization: {self.context.config['token']}'")


@caught_by("no_secret_is_told")
class NotesTheTokenOfAPage(_TellsOfPages):
    def told(self, error: ConnectorError) -> ConnectorError:
        error.add_note(f"asked with {self.context.config['token']}")
        return error


@caught_by("no_secret_is_told", "no_secret_lies_on_the_disk")
class TokenInResume(AcmeConnector):
    def changes(self, table: str, window: Window = WHOLE, resume: Any = None) -> Iterator[Any]:
        for item in super().changes(table, window, resume):
            if isinstance(item, Page) and item.resume is not None:
                item = replace(item, resume={**item.resume, "as": self.context.config["token"]})
            yield item


@caught_by("discovery_is_the_same_each_time")
class AnyOrder(AcmeConnector):
    turns = itertools.count()

    def discover(self) -> Any:
        found = super().discover()
        return found[::-1] if next(self.turns) % 2 else found


@caught_by("keys_are_unique_and_never_null")
class NameAsKey(AcmeConnector):
    def discover(self) -> Any:
        return [replace(t, key=("name",)) if t.name == "customers" else t for t in super().discover()]


@caught_by("reading_goes_on_behind_each_page", "a_sync_that_is_killed_goes_on", "no_secret_lies_on_the_disk")
class ResumeOfThePageItself(AcmeConnector):
    def changes(self, table: str, window: Window = WHOLE, resume: Any = None) -> Iterator[Any]:
        asked = resume or {"after": ""}
        for item in super().changes(table, window, resume):
            if isinstance(item, Page) and item.resume is not None:
                asked, item = item.resume, replace(item, resume=asked)
            yield item


@caught_by("reading_goes_on_behind_each_page")
class PlaceOnDeletes(AcmeConnector):
    """The place behind a page stands on its Deletes as well, which come before its rows."""

    def changes(self, table: str, window: Window = WHOLE, resume: Any = None) -> Iterator[Any]:
        gone = None
        for item in super().changes(table, window, resume):
            if isinstance(item, Deletes):
                gone = item
                continue
            if isinstance(item, Page) and gone is not None:
                yield replace(gone, resume=item.resume)
                gone = None
            yield item


@caught_by("no_row_is_set_aside")
class NamesAsNumbers(AcmeConnector):
    def discover(self) -> Any:
        for table in super().discover():
            if table.name == "customers":
                columns = tuple(replace(c, type="BIGINT") if c.name == "name" else c for c in table.columns)
                self._tables["customers"] = replace(table, columns=columns)
        return list(self._tables.values())


@caught_by("rows_are_of_the_declared_types")
class OtherType(AcmeConnector):
    def discover(self) -> Any:
        found = super().discover()
        text = (Column("id", "VARCHAR"), *found[0].columns[1:])
        return [replace(found[0], columns=text), *found[1:]]


@caught_by("values_are_exact")
class MoneyAsFloat(AcmeConnector):
    def discover(self) -> Any:
        for name, table in {t.name: t for t in super().discover()}.items():
            columns = [replace(c, type="DOUBLE") if c.name == "amount" else c for c in table.columns]
            self._tables[name] = replace(table, columns=tuple(columns))
        return list(self._tables.values())


@caught_by("an_empty_table_is_no_error")
class EmptyIsAnError(AcmeConnector):
    def changes(self, table: str, window: Window = WHOLE, resume: Any = None) -> Iterator[Any]:
        for item in super().changes(table, window, resume):
            if isinstance(item, Page) and window.whole and resume is None and not item.data.num_rows:
                raise DataError(f"'{table}' has no rows")
            yield item


@caught_by("the_next_read_brings_what_changed", "the_copy_follows_the_source")
class OnlyNewRows(AcmeConnector):
    """Asks for rows that were made since, and not for those that were changed."""

    def changes(self, table: str, window: Window = WHOLE, resume: Any = None) -> Iterator[Any]:
        import pyarrow.compute as pc

        sent = 0
        for item in super().changes(table, window, resume):
            if isinstance(item, Page) and not window.whole:
                item = replace(item, data=item.data.filter(pc.greater_equal(item.data["id"], 250)))
            sent += item.data.num_rows if isinstance(item, Page) else 0
            yield replace(item, rows=sent) if isinstance(item, End) else item


@caught_by("rows_at_the_boundary_come_again")
class LosesTies(AcmeConnector):
    def changes(self, table: str, window: Window = WHOLE, resume: Any = None) -> Iterator[Any]:
        if window.since is not None:
            window = replace(window, since=window.since + dt.timedelta(microseconds=1))
        yield from super().changes(table, window, resume)


@caught_by("reading_goes_on_behind_each_page", "a_sync_that_is_killed_goes_on", "no_secret_lies_on_the_disk")
class IgnoresResume(AcmeConnector):
    def changes(self, table: str, window: Window = WHOLE, resume: Any = None) -> Iterator[Any]:
        yield from super().changes(table, window, None)


@caught_by("places_that_mean_nothing_are_said", "places_that_ran_out_are_said")
class UnknownPlaceIsTheEnd(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        try:
            return super()._asked(path, params)
        except ResumeExpired:
            return {"rows": [], "next": None}


@caught_by("places_that_ran_out_are_said")
class PlaceThatRanOutIsAnyError(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        try:
            return super()._asked(path, params)
        except ResumeExpired as error:
            raise DataError(error.message) from None


@caught_by("a_row_that_moves_is_not_lost", "a_page_that_comes_again_is_an_error")
class WalksByOffset(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        if not params:
            return super()._asked(path, params)
        try:
            offset = int(params.get("after", 0))
        except ValueError:
            raise ResumeExpired("no offset") from None
        if offset < 0:
            raise ResumeExpired("no offset")
        found = super()._asked(path, {k: v for k, v in params.items() if k != "after"} | {"offset": offset})
        full = len(found.get("rows", ())) == params["limit"]
        return (
            {**found, "next": str(offset + params["limit"]) if full else None} if "rows" in found else found
        )


@caught_by("deleted_rows_show", "the_copy_follows_the_source")
class LosesDeletes(AcmeConnector):
    def changes(self, table: str, window: Window = WHOLE, resume: Any = None) -> Iterator[Any]:
        yield from (i for i in super().changes(table, window, resume) if not isinstance(i, Deletes))


@caught_by("an_added_field_shows", "the_copy_gets_an_added_field")
class KnowsItsFields(AcmeConnector):
    def discover(self) -> Any:
        known = ("id", "name", "customer", "amount", "ordered_on", "changed_at")
        for table in super().discover():
            columns = tuple(c for c in table.columns if c.name in known)
            self._tables[table.name] = replace(table, columns=columns)
        return list(self._tables.values())


@caught_by("a_removed_field_shows")
class NamesWhatIsGone(AcmeConnector):
    def discover(self) -> Any:
        for table in super().discover():
            if table.name == "orders" and "customer" not in {c.name for c in table.columns}:
                first, *rest = table.columns
                columns = (first, Column("customer", "VARCHAR"), *rest)
                self._tables["orders"] = replace(table, columns=columns)
        return list(self._tables.values())


@caught_by("a_retyped_field_shows", "the_copy_takes_no_value_of_another_type")
class MakesUpValues(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        found = super()._asked(path, params)
        for row in found.get("rows", ()):
            try:
                row["amount"] = Decimal(row.get("amount") or 0)
            except InvalidOperation:
                row["amount"] = None
        return found


@caught_by("a_page_that_comes_again_is_an_error")
class LoopsForEver(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        found = super()._asked(path, params)
        if params and found.get("next") and found["next"] == params.get("after"):
            found["next"] += " "  # so that nothing notices
        return found


def _ends(error: ConnectorError, word: str) -> Mapping[str, Any]:
    if word in error.message:
        return {"rows": [], "next": None, "tables": []}
    raise error


@caught_by("an_answer_that_breaks_off_is_no_end")
class BrokenOffIsTheEnd(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        try:
            return super()._asked(path, params)
        except Transient as error:
            if "answered" in error.message:
                raise
            return {"rows": [], "next": None}


@caught_by("a_server_error_loses_nothing")
class DownIsTheEnd(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        try:
            return super()._asked(path, params)
        except Transient as error:
            return _ends(error, "answered 50")


@caught_by("a_web_page_is_no_answer")
class WebPageIsEmpty(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        answer = self.http.get(path, params=params, expect="any")
        if answer.content.startswith(b"<"):
            return {"rows": [], "next": None, "tables": [], "name": "-"}
        return answer.json()


@caught_by("another_answer_is_no_end")
class WhatListsNothingIsTheEnd(AcmeConnector):
    """Asks for rows with a listing, and takes what lists none for the end."""

    def _asked(self, path: str, params: Any = None) -> Any:
        if not path.startswith("/v1/rows/"):
            return super()._asked(path, params)
        answer = self.http.get(path, params=params, expect=(listing := Listing(["id"], at="rows")))
        return {"rows": [], "next": None} if answer.listed(listing) is None else answer.json()


class _Fast(Wait):
    """A clock that runs ahead: what should take a minute is over sooner."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def now(self) -> float:
        return super().now() * self.factor

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds / self.factor)


class _Waiting(AcmeConnector):
    wait: Wait

    def __init__(self, context: Context) -> None:
        super().__init__(replace(context, shared={Wait: self.wait}))


@caught_by("too_many_requests_are_waited_out")
class IgnoresRetryAfter(_Waiting):
    wait = _Fast(4)


@caught_by(
    "too_many_requests_without_a_word_are_waited_out", "too_many_requests_are_waited_out", "reading_stops_when_nobody_waits"
)  # fmt: skip
class AsksAgainAtOnce(_Waiting):
    wait = _Fast(1000)


@caught_by("a_used_up_quota_stops")
class QuotaIsAnyLimit(AcmeConnector):
    @property
    def http(self) -> Http:
        client = super().http
        if client.judge is not None:
            judge, client.judge = client.judge, None
            client.judge = lambda answer: RateLimited("too many") if answer.status == 429 else judge(answer)
        return client


@caught_by("memory_stays_bounded")
class KeepsItAll(AcmeConnector):
    def _asked(self, path: str, params: Any = None) -> Any:
        found = super()._asked(path, params)
        self.kept = [*getattr(self, "kept", []), found]
        return found


@caught_by("memory_stays_bounded")
class BeginsAnew(AcmeConnector):
    """Goes back to the first page behind the last one of a large table."""

    def _asked(self, path: str, params: Any = None) -> Any:
        found = super()._asked(path, params)
        if params and found.get("next", "") is None and str(params.get("after", "")).isdigit():
            found["next"] = "0"
        return found


@caught_by("reading_stops_when_nobody_waits")
class NeverCancelled(AcmeConnector):
    def __init__(self, context: Context) -> None:
        super().__init__(replace(context, cancelled=lambda: False))
