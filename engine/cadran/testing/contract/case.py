"""What the author of a connector gives the kit: settings, and a hand on the stand-in of the API.

A stand-in is a server on 127.0.0.1 that answers as the API does, or files, or a database. The kit makes faults by itself, by a proxy
between connector and stand-in; a case only says what is in the tables, and changes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from cadran.plugins.connector import Connector

Row = Mapping[str, Any]
Key = tuple[Any, ...]
#: What :attr:`Case.cannot` may excuse: methods of the case, and what a connector may do without.
EXCUSABLE = (
    "wrong_credentials", "clear", "insert", "update", "tie", "delete", "archive", "move", "add_field", "remove_field", "retype_field", "expire",
    "exhaust", "big", "resume", "repeat", "secrets",
)  # fmt: skip


class Case:
    """One connector and its stand-in. Each check makes a new case, so that none sees what another left.

    What the stand-in cannot do is said in :attr:`cannot`, with the reason (``{"delete": "the API keeps everything"}``): the check is then
    skipped and the report says why. A method that is neither written nor excused fails its checks.
    """

    #: The connector's name, as ``connector:`` has it, or its class. Empty: that of ``--cadran-connector``.
    connector: ClassVar[str | type[Connector]] = ""
    #: The table that is changed: it has a key if any table has one, and rows for at least three pages.
    table: ClassVar[str]
    #: Words of the settings that nobody may see, and those that the stand-in gives out, such as an access token.
    secrets: ClassVar[Sequence[str]] = ()
    #: What the stand-in, or the source itself, cannot do: the name of a method → why.
    cannot: ClassVar[Mapping[str, str]] = {}

    def start(self, folder: Path) -> str:
        """Starts the stand-in and gives its address (``http://127.0.0.1:4711``); empty where there is no server. ``folder`` is empty, and the
        folder of the project that relative paths start from."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ends what was started."""

    def config(self, url: str) -> Mapping[str, Any]:
        """The settings of a source that asks ``url``: that of the kit's proxy, which stands in front of the stand-in."""
        raise NotImplementedError

    def rows(self, table: str) -> Sequence[Row]:
        """What the table holds now, as the connector should give it: Decimal, datetime in UTC, date, int, str, bool, float, None, of
        JSON the value or its text.

        A column that is left out is not compared.
        """
        raise NotImplementedError

    # --- what changes the stand-in: written, or excused in ``cannot`` --------------------------------------------------

    def wrong_credentials(self, url: str) -> Mapping[str, Any]:
        """Settings that the stand-in does not let in."""
        raise NotImplementedError

    def clear(self) -> None:
        """Takes all rows out of :attr:`table`."""
        raise NotImplementedError

    def insert(self) -> Key:
        """Adds a row, as somebody who works with the source would, and gives its key."""
        raise NotImplementedError

    def update(self) -> Key:
        """Changes a row that was there from the beginning, and gives its key."""
        raise NotImplementedError

    def tie(self) -> Key:
        """Adds a row whose cursor equals the greatest one in the table, as happens within one tick of the clock; gives its key."""
        raise NotImplementedError

    def delete(self) -> Key:
        """Deletes a row, and gives its key."""
        raise NotImplementedError

    def archive(self) -> Key:
        """Puts a row away as the source's people can, where that is something else than deleting it; gives its key."""
        raise NotImplementedError

    def move(self) -> None:
        """Makes a row stand on another page, and others move up, while somebody reads page after page."""
        raise NotImplementedError

    def add_field(self) -> str:
        """Gives the table one more column, with a value in some row, and says what the connector should call it."""
        raise NotImplementedError

    def remove_field(self) -> str:
        """Takes a column away that is neither key nor cursor, and gives the name that the connector gave it."""
        raise NotImplementedError

    def retype_field(self) -> str:
        """Makes a column hold texts that was one of numbers or dates, and gives its name."""
        raise NotImplementedError

    def expire(self) -> None:
        """Makes the stand-in forget where readers stand: tokens and states of before are not known any more."""
        raise NotImplementedError

    def exhaust(self) -> None:
        """From now on the stand-in says that the day's requests are used up."""
        raise NotImplementedError

    def big(self, rows: int) -> None:
        """Makes the table hold so many rows, which the stand-in makes up while it answers."""
        raise NotImplementedError


def unfit(kind: type[Case]) -> str:
    """What is wrong with what a case says of itself; empty where nothing is."""
    if not isinstance(getattr(kind, "table", None), str):
        return f"{kind.__name__} does not say which table it changes: write table = 'orders', a name that discover() gives"
    if isinstance(kind.secrets, str) or not all(isinstance(one, str) and one for one in kind.secrets):
        return f"'secrets' of {kind.__name__} are texts in a tuple, none of them empty: secrets = (TOKEN,)"
    for what, why in kind.cannot.items():
        if what not in EXCUSABLE:
            return f"'cannot' of {kind.__name__} excuses '{what}', which is nothing that it may excuse: {', '.join(EXCUSABLE)}"
        if not isinstance(why, str) or not why.strip():
            return f"'cannot' of {kind.__name__} gives no reason for '{what}': say in a sentence why it cannot be, people read it in the report"
    return ""


def can(case: Case | type[Case], what: str) -> bool:
    """Whether a case writes the method."""
    kind = case if isinstance(case, type) else type(case)
    return getattr(kind, what) is not getattr(Case, what) and what not in kind.cannot
