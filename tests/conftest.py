"""Options that all tests share."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings

from browsing import browser  # noqa: F401
from servers import mariadb, postgres, postgres_database  # noqa: F401 - fixtures of all tests
from spark_server import spark, spark_server  # noqa: F401

# The same examples each time, and no test fails since a machine is busy. CADRAN_FULL=1 looks for new ones.
settings.register_profile(
    "cadran",
    deadline=None,
    derandomize=os.environ.get("CADRAN_FULL") != "1",
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("cadran")


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
