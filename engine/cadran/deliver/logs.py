"""Lines of a log, as JSON or as text, in which no secret of the project stands."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable
from typing import Any, Literal

from cadran.declare.settings import mask

_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Lines(logging.Formatter):
    """One line a record, with what ``extra`` holds. ``hidden`` gives the texts that are shown as stars."""

    def __init__(self, kind: Literal["json", "text"], hidden: Callable[[], frozenset[str]]) -> None:
        super().__init__()
        self.kind, self.hidden = kind, hidden

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            extra["traceback"] = self.formatException(record.exc_info)
        line = self._json(record, extra) if self.kind == "json" else self._text(record, extra)
        hidden = self.hidden()
        return mask(line, hidden | {json.dumps(text, ensure_ascii=False)[1:-1] for text in hidden})

    def _json(self, record: logging.LogRecord, extra: dict[str, Any]) -> str:
        head = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(head | extra, ensure_ascii=False, default=str)

    def _text(self, record: logging.LogRecord, extra: dict[str, Any]) -> str:
        said = [
            f"{name}={value}"
            for name, value in extra.items()
            if value not in ("", None) and name != "traceback"
        ]
        line = " ".join([_time(record), record.levelname.lower(), record.getMessage(), *said])
        return f"{line}\n{extra['traceback']}" if "traceback" in extra else line


def _time(record: logging.LogRecord) -> str:
    return dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds")


def set_up(kind: Literal["json", "text"], hidden: Callable[[], frozenset[str]]) -> logging.Handler:
    """Everything that cadran logs, to the standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(kind, hidden))
    logger = logging.getLogger("cadran")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return handler
