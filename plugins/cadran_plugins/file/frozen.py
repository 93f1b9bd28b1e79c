"""A report as the bytes that are kept until it is sent: a zip archive of its documents, and ``report.json`` about them.

Nothing in it depends on when or where it was made, so equal messages give equal bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from dataclasses import asdict, dataclass
from typing import Any, Self
from zipfile import BadZipFile

from cadran.plugins import Document, Message

__all__ = ["About", "BadZipFile", "Frozen", "about", "freeze", "thaw"]

_ABOUT = "report.json"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first day that a zip archive can name


@dataclass(frozen=True, slots=True)
class About:
    """What the index says of one report: the texts are ready to be shown.

    ``as_of`` is the instant that its data is of, with an offset; ``computed`` the one that it was made at, where that is
    told. ``late`` says that it came later than it was due, ``warning`` what is amiss with its data.
    """

    report: str
    title: str
    as_of: str
    as_of_text: str
    computed: str = ""
    computed_text: str = ""
    period_text: str = ""
    summary: str = ""
    late: str = ""
    warning: str = ""
    locale: str = "en"

    @classmethod
    def read(cls, found: dict[str, Any]) -> Self:
        """What was written down. Earlier versions called ``computed`` what its data is of. Raises TypeError, KeyError."""
        if "as_of" in found:
            return cls(**found)
        rest = {name: value for name, value in found.items() if name not in ("computed", "computed_text")}
        return cls(as_of=found["computed"], as_of_text=found["computed_text"], **rest)

    @property
    def moment(self) -> dt.datetime:
        return dt.datetime.fromisoformat(self.as_of)

    @property
    def stamp(self) -> str:
        """The moment as part of a file's name, in UTC: ``2026-03-09T060000Z``."""
        return self.moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H%M%SZ")


@dataclass(frozen=True, slots=True)
class Frozen:
    about: About
    files: tuple[tuple[str, bytes], ...]  # suffix, content


def about(message: Message) -> About:
    """The moment is that of the data, where it is told: a report that is made late is still the older one."""
    data = message.data
    first = message.documents[0]
    names = ("computed", "computed_text", "period_text", "summary", "late", "warning")
    return About(
        first.name,
        first.title or message.subject,
        str(data.get("as_of") or message.moment.isoformat()),
        str(data.get("as_of_text") or message.moment.strftime("%Y-%m-%d %H:%M")),
        locale=message.locale,
        **{name: str(data.get(name, "")) for name in names},
    )


def freeze(of: About, documents: tuple[Document, ...]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        _put(archive, _ABOUT, json.dumps(asdict(of), ensure_ascii=False, sort_keys=True).encode())
        for document in documents:
            _put(archive, document.file_name, document.content)
    return out.getvalue()


def _put(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content, compresslevel=6)


def thaw(sealed: bytes) -> Frozen:
    """Raises zipfile.BadZipFile, KeyError or ValueError for bytes that :func:`freeze` has not made."""
    with zipfile.ZipFile(io.BytesIO(sealed)) as archive:
        found: dict[str, Any] = json.loads(archive.read(_ABOUT))
        of = About.read(found)
        names = [name for name in archive.namelist() if name != _ABOUT]
        return Frozen(of, tuple((name.removeprefix(f"{of.report}."), archive.read(name)) for name in names))
