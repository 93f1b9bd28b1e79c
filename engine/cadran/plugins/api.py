"""Which version of the contract a plugin was written for, and what to install where it is another one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cadran.plugins.connector import API

MODULE_SAYS = (
    "cadran_api"  # a plugin's module may say which API it speaks, before anything else of it is looked at
)


class OtherAPI(Exception):
    """The plugin is sound, as far as anybody can tell, but speaks another API."""

    def __init__(self, api: object, what: str = "") -> None:
        super().__init__(f"speaks API {str(api)!r}{what and f' ({what})'}, this cadran speaks {API!r}")
        self.api = str(api)


def misspelt(found: object, named: str = "api") -> str:
    """What is wrong with how an API is written; empty where nothing is."""
    api = getattr(found, named, API)
    return "" if isinstance(api, str) else f'{named} is {api!r}: write it as a text, {named} = "{API}"'


def check(found: object, what: str = "", named: str = "api") -> None:
    """Raises :class:`OtherAPI`."""
    api = getattr(found, named, API)
    if api != API:
        raise OtherAPI(api, what)


@dataclass(frozen=True, slots=True)
class Owner:
    """A distribution, and what its metadata asks of cadran (``cadran>=2``); empty where it asks for nothing."""

    name: str
    version: str
    asks: str = ""


def asked_of_cadran(requires: list[str] | None) -> str:
    """What ``Requires-Dist`` says of cadran, without extras and markers."""
    for text in requires or ():
        if found := re.match(r"\s*cadran\s*(?:\[[^\]]*\])?\s*\(?([^;)]*)\)?\s*(;.*)?$", text, re.IGNORECASE):
            wanted = re.sub(r"\s+", "", found[1])
            parts = sorted(filter(None, wanted.split(",")), reverse=True)  # >=2 before <3
            return f"cadran{','.join(parts)}" if parts else ""
    return ""


def way_out(owner: Owner, api: str) -> str:
    """What to install, as far as that is known: which versions there are is not."""
    if api.isdigit() and int(api) > int(API):
        asks = f" ({owner.name} asks for {owner.asks})" if owner.asks else ""
        return f"install a cadran that speaks API '{api}'{asks}, or an older {owner.name} that speaks API '{API}', if there is one"
    return f"install a newer {owner.name} than {owner.version} that speaks API '{API}', if there is one"
