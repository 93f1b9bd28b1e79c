"""Links to pages as they are kept on disk: without what the file says itself, as a secret may be among that (``${API_KEY}``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

_TAKEN_OUT = "\0"  # and the number of the parameter's value


@dataclass(frozen=True, slots=True)
class Links:
    """Of one table: its address and parameters, which servers repeat in their links. A link to the table's own address is kept as what stands
    behind that."""

    url: str
    params: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, url: str, params: Mapping[str, Any]) -> Links:
        """``params`` as they are sent; a list repeats one."""
        listed = {k: v if isinstance(v, list) else [v] for k, v in params.items()}
        return cls(url, {k: [str(value) for value in values] for k, values in listed.items()})

    def kept(self, link: str) -> str:
        parts = urlsplit(link)
        said = parse_qsl(parts.query, keep_blank_values=True)
        out = [(k, self._out(k, v)) for k, v in said]
        if out != said:  # else it stays as it came, to the letter
            link = urlunsplit(parts._replace(query=urlencode(out)))
        return link[len(self.url) :] if link.startswith(f"{self.url}?") else link

    def _out(self, name: str, value: str) -> str:
        values = self.params.get(name, ())
        return f"{_TAKEN_OUT}{values.index(value)}" if value and value in values else value

    def whole(self, kept: str) -> str:
        """What can be asked for. A parameter that the file does not say any more stays out."""
        link = f"{self.url}{kept}" if kept.startswith("?") else kept
        parts = urlsplit(link)
        said = parse_qsl(parts.query, keep_blank_values=True)
        if not any(v.startswith(_TAKEN_OUT) for _, v in said):
            return link
        found = [(k, v if not v.startswith(_TAKEN_OUT) else self._back(k, v)) for k, v in said]
        return urlunsplit(parts._replace(query=urlencode([(k, v) for k, v in found if v is not None])))

    def _back(self, name: str, mark: str) -> str | None:
        number, values = mark.removeprefix(_TAKEN_OUT), self.params.get(name, ())
        return values[int(number)] if number.isdecimal() and int(number) < len(values) else None
