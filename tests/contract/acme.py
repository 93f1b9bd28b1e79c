"""The connector that ``cadran plugin new`` writes, and its case: what is sound."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "plugin" / "connector"
for folder in (TEMPLATE / "src", TEMPLATE / "tests"):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))

from cadran_acme.connector import AcmeConnector  # noqa: E402

# Under a name of its own: 'conftest' is that of these tests.
_spec = importlib.util.spec_from_file_location("acme_case", TEMPLATE / "tests" / "conftest.py")
assert _spec and _spec.loader
_module = importlib.util.module_from_spec(_spec)
sys.modules["acme_case"] = _module
_spec.loader.exec_module(_module)


class Sound(_module.AcmeCase):  # type: ignore[name-defined, misc]
    connector = AcmeConnector
