"""Finds the data folders that belong to the engine: ``schemas`` and ``templates``.

In an installed wheel they lie beside the package's modules; in a checkout they lie at the repository's root.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def folder(name: str) -> Path:
    """The folder ``schemas`` or ``templates``. Raises FileNotFoundError where the installation is incomplete."""
    package = Path(__file__).resolve().parent
    for parent in (package, package.parent.parent):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"cadran's folder '{name}' is missing from {package}; install cadran again")


def schema_file() -> Path:
    """The JSON Schema of ``kpis.yaml``."""
    return folder("schemas") / "kpis.schema.json"


def templates() -> Path:
    """The bundled templates."""
    return folder("templates")
