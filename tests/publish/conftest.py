"""``golden(name, text)`` for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from . import golden as goldens


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    rewrite = bool(request.config.getoption("--golden", default=False))
    return lambda name, text: goldens.check(name, text, rewrite)
