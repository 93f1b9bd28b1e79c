"""Options that all tests share."""

from __future__ import annotations

import os

import pytest

from browsing import browser  # noqa: F401
from servers import mariadb, postgres, postgres_database  # noqa: F401 - fixtures of all tests
from spark_server import spark, spark_server  # noqa: F401


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--golden", action="store_true", help="write the expected files anew instead of comparing"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--golden") and os.environ.get("CI"):
        raise pytest.UsageError("--golden rewrites what the tests expect, so it is refused where CI is set")


@pytest.fixture(scope="session")
def golden(request: pytest.FixtureRequest) -> bool:
    """Whether expected files are to be rewritten."""
    return bool(request.config.getoption("--golden"))
