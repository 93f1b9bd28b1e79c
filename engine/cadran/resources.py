"""Finds the data folders that belong to the engine: ``schemas``, ``templates`` and ``kpis``, and tells which code is running.

In an installed wheel the folders lie beside the package's modules; in a checkout they lie at the repository's root.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def folder(name: str) -> Path:
    """The folder ``schemas``, ``templates`` or ``kpis``. Raises FileNotFoundError where the installation is incomplete."""
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


def template_folders(project: Path) -> list[Path]:
    """The folder of a project's own templates, then that of the bundled ones."""
    return [project / "templates", templates()]


def code() -> str:
    """What tells this code from any other that may compute otherwise: the version, in a checkout the modules themselves."""
    from cadran import __version__

    package = Path(__file__).resolve().parent
    if (package / "schemas").is_dir():
        return __version__
    modules = [*package.rglob("*.py"), *(package.parent.parent / "plugins" / "cadran_plugins").rglob("*.py")]
    content = hashlib.sha256()
    for module in sorted(modules):
        content.update(module.read_bytes())
    return f"{__version__} {content.hexdigest()}"
