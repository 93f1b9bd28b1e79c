"""The simulated HubSpot held to the description that HubSpot publishes: each request, and each answer.

The description is not part of this repository (see :func:`specs`): what is held to it is skipped where it is not there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.simulators.base import Request, Response
from tests.simulators.hubspot import HubSpot

_FILES = {
    r"/crm/v3/objects/": "objects.v3",
    r"/crm/objects/2026-09/": "objects.2026-09",
    r"/crm/v4/associations/": "associations.v4",
    r"/crm/v3/owners": "owners.v3",
    r"/crm/v3/pipelines/": "pipelines.v3",
    r"/crm/v3/properties/": "properties.v3",
}


def specs() -> Path | None:
    """Where the descriptions lie: beside the repository, or beside the folder that its worktrees are in."""
    for folder in Path(__file__).parents:
        if (found := folder / "shared" / "specs" / "hubspot").is_dir():
            return found
    return None


@cache
def _description(name: str) -> Any:
    from openapi_core import OpenAPI

    folder = specs()
    assert folder is not None
    description = json.loads((folder / f"{name}.json").read_text("utf-8"))
    for methods in description["paths"].values():
        for operation in methods.values():
            operation.pop(
                "security", None
            )  # openapi-core knows no OAuth; the simulator looks at the token itself
    return OpenAPI.from_dict(description)


class Described(HubSpot):
    """Remembers in ``broken`` what is not as described, and in ``held`` how many exchanges were looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.broken: list[str] = []
        self.held: dict[str, int] = {}

    def check(self, request: Request, response: Response) -> None:
        name = next((name for start, name in _FILES.items() if re.match(start, request.path)), None)
        if name is None:
            return  # HubSpot publishes none of the account's own details
        self.held[name] = self.held.get(name, 0) + 1
        try:
            _held(_description(name), request, response)
        except Exception as error:
            self.broken.append(f"{request.method} {request.path}: {error!r} {error.__cause__!r}")


def _held(described: Any, request: Request, response: Response) -> None:
    from openapi_core.testing import MockRequest, MockResponse

    asked = MockRequest(
        "https://api.hubapi.com", request.method.lower(), request.path.rstrip("/"), args=dict(request.query),
        headers=dict(request.headers), data=_asked(request), content_type="application/json",
    )  # fmt: skip
    described.validate_request(asked)
    content = json.dumps(_said(response.content), default=str).encode()
    described.validate_response(
        asked, MockResponse(content, response.status, content_type="application/json")
    )


def _asked(request: Request) -> bytes | None:
    """The body, sorted by texts: the description knows no others, where HubSpot's guide to search sorts by objects, and only these work."""
    body = request.json
    if isinstance(body, dict) and "sorts" in body:
        return json.dumps({**body, "sorts": [sort["propertyName"] for sort in body["sorts"]]}).encode()
    return request.body or None


def _said(content: Any) -> Any:
    """An answer without the values that are not there: HubSpot writes null for these, where it describes only texts."""
    if not isinstance(content, Mapping) or not isinstance(content.get("results"), list):
        return content
    return {**content, "results": [_without_nulls(each) for each in content["results"]]}


def _without_nulls(each: Any) -> Any:
    if not isinstance(each, Mapping) or "properties" not in each:
        return each
    return {**each, "properties": {k: v for k, v in each["properties"].items() if v is not None}}
