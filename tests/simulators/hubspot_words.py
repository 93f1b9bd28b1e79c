"""HubSpot's words for what it refuses, and the headers that say how much may still be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.simulators.base import Response

HEADERS = {
    "x-hubspot-ratelimit-max": "100", "x-hubspot-ratelimit-remaining": "99", "x-hubspot-ratelimit-interval-milliseconds": "10000",
    "x-hubspot-ratelimit-daily": "250000", "x-hubspot-ratelimit-daily-remaining": "249999",
}  # fmt: skip


def error(status: int, message: str, category: str, **more: Any) -> Response:
    content = {"status": "error", "message": message, "correlationId": "3a6f8d0e-0000-4000-8000-000000000000", "category": category}  # fmt: skip
    return Response({**content, **more}, status)


def invalid(message: str) -> Response:
    return error(400, message, "VALIDATION_ERROR")


def lacking(scopes: list[str]) -> Response:
    message = "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes."
    errors = [{"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": scopes}}]  # fmt: skip
    return error(403, message, "MISSING_SCOPES", errors=errors, links={"scopes": "https://developers.hubspot.com/scopes"})  # fmt: skip


def standard_error(message: str, ids: list[str]) -> dict[str, Any]:
    return {"status": "error", "category": "OBJECT_NOT_FOUND", "message": message, "context": {"ids": ids}, "errors": [], "links": {}}  # fmt: skip


def policy(name: str, message: str, headers: Mapping[str, str]) -> Response:
    told = error(429, message, "RATE_LIMITS", errorType="RATE_LIMIT", policyName=name)
    return Response(told.content, 429, {**HEADERS, **headers})
