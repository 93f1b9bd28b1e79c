"""Speaks API 2, and says so before anything else of it is looked at."""

from __future__ import annotations

cadran_api = "2"
