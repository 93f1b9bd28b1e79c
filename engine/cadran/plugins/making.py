"""A new plugin as a package that works: what ``cadran plugin new`` writes.

The templates are packages themselves, for a service called Acme, which are tested as they lie there; only names are put in.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from pathlib import Path

from cadran.problems import Problem, ProblemsFound
from cadran.resources import folder

KINDS = ("connector", "notifier", "functions")
_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*")
_LONGEST = 40
_HIDDEN = {"gitignore": ".gitignore", "github": ".github"}  # files that would mean something where they lie


@dataclass(frozen=True, slots=True)
class Names:
    """What the parts of a package are called, after one name: ``acme-crm``."""

    plain: str

    @property
    def distribution(self) -> str:
        return f"cadran-{self.plain.replace('_', '-')}"

    @property
    def plugin(self) -> str:
        """As ``kpis.yaml`` writes it."""
        return self.plain.replace("-", "_")

    @property
    def package(self) -> str:
        return f"cadran_{self.plugin}"

    @property
    def label(self) -> str:
        return "".join(part.capitalize() for part in self.plugin.split("_"))

    def put_into(self, text: str) -> str:
        """A template's text, or the path of a file, with these names."""
        pairs = (
            ("cadran-acme", self.distribution), ("acme.example", f"{self.plain.replace('_', '-')}.example"), ("ACME", self.plugin.upper()),
            ("Acme", self.label), ("acme", self.plugin),
        )  # fmt: skip
        for old, new in pairs:
            text = text.replace(old, new)
        return text


def names(name: str, taken: frozenset[str] = frozenset()) -> Names:
    """Raises ProblemsFound for what cannot be the name of a plugin; ``taken`` are those that are installed."""
    plain = name.removeprefix("cadran-").removeprefix("cadran_")
    if not _NAME.fullmatch(plain) or len(plain) > _LONGEST or keyword.iskeyword(plain):
        hint = "write small letters, digits, and - or _ between words, beginning with a letter: acme, acme-crm"
        guess = re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-")[:_LONGEST].lstrip("0123456789-")
        if _NAME.fullmatch(guess) and not keyword.iskeyword(guess):
            hint = f"write for instance {guess}"
        raise _wrong("bad-name", f"'{name}' cannot be the name of a plugin", hint)
    found = Names(plain)
    if found.plugin in taken:
        hint = "projects tell plugins apart by their names: take another, or uninstall that one"
        raise _wrong("name-taken", f"a plugin '{found.plugin}' is installed already", hint)
    return found


def write(name: Names, kind: str, target: Path) -> list[Path]:
    """Writes the package into ``target``, a folder that does not exist or is empty. Raises ProblemsFound."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise _wrong("folder-exists", f"{target} is there already", "name another folder with --folder, or remove that one")  # fmt: skip
    template = folder("templates") / "plugin" / kind
    written = []
    try:
        for source in sorted(path for path in template.rglob("*") if path.is_file() and "__pycache__" not in path.parts):  # fmt: skip
            parts = [_HIDDEN.get(part, name.put_into(part)) for part in source.relative_to(template).parts]
            path = target.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name.put_into(source.read_text(encoding="utf-8")), encoding="utf-8")
            written.append(path)
    except OSError as error:
        raise _wrong("unwritable", f"{target} cannot be written to: {error.strerror or error}", "name another folder with --folder") from None  # fmt: skip
    return written


def _wrong(code: str, message: str, hint: str) -> ProblemsFound:
    return ProblemsFound([Problem(code, message, hint=hint)])
