"""The texts of a message: what the templates of its notifier say, with charts as pictures."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cadran.plugins.added import Additions
from cadran.plugins.notifier import Notifier, Picture
from cadran.publish.letters.inline import inlined
from cadran.publish.report import rendered

if TYPE_CHECKING:
    from markupsafe import Markup

    from cadran.publish.drawing import Chart
    from cadran.publish.sandbox import TextKind

SUBJECTS = "email"  # whose subjects apply where a notifier has no template of its own for them
MOST_SUBJECT = 200  # characters
_KINDS: Mapping[str, TextKind] = {"html": "html", "md": "markdown", "json": "json"}
_NOT_ONE_LINE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    parts: Mapping[str, str] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()

    def size(self, suffixes: Mapping[str, str]) -> int:
        """The bytes of its largest HTML part; mail readers cut long ones."""
        sizes = [len(text.encode()) for name, text in self.parts.items() if suffixes[name] == "html"]
        return max(sizes, default=0)


@dataclass(frozen=True, slots=True)
class Templates:
    """The templates of one notifier, looked for in the team's folder, then in the notifier's own, then in the shipped one.

    ``base`` is what places in error messages are relative to.
    """

    name: str
    notifier: type[Notifier]
    folders: Sequence[Path]
    base: Path
    locale: str
    added: Additions | None = None  # of the project's plugins

    def render(self, kind: str, variables: Mapping[str, Any]) -> Rendered:
        """All parts of one kind of message. Raises ProblemsFound."""
        parts, pictures = {}, Pictures()
        for name, suffix in self.notifier.parts.items():
            text = self._text(f"{self.name}/{kind}.{suffix}.jinja", variables, pictures)
            parts[name] = inlined(text) if suffix == "html" else text
        return Rendered(self._subject(kind, variables), parts, tuple(pictures.found.values()))

    def _subject(self, kind: str, variables: Mapping[str, Any]) -> str:
        file = f"{kind}.subject.jinja"
        own = any((folder / self.name / file).is_file() for folder in self._folders)
        text = self._text(f"{self.name if own else SUBJECTS}/{file}", variables, Pictures())
        return one_line(text)

    def _text(self, template: str, variables: Mapping[str, Any], pictures: Pictures) -> str:
        from cadran.publish.sandbox import environment

        kind = kind_of(template)
        chat = kind in ("json", "text") and not template.endswith(".subject.jinja")
        env = environment(
            self._folders, kind, self.locale, self.notifier.literal if chat else None, self.added
        )
        env.globals["picture"] = pictures.show
        return rendered(env, template, variables, self.base)

    @property
    def _folders(self) -> list[Path]:
        """The shipped one stays the last."""
        own = [self.notifier.templates] if self.notifier.templates is not None else []
        return [*self.folders[:-1], *own, self.folders[-1]]


def kind_of(template: str) -> TextKind:
    """What a template gives, as its name says."""
    return _KINDS.get(template.removesuffix(".jinja").rpartition(".")[2], "text")


def one_line(text: str) -> str:
    """A subject: one line without control characters, cut where it is too long."""
    line = _NOT_ONE_LINE.sub(" ", text).strip()
    return line if len(line) <= MOST_SUBJECT else line[: MOST_SUBJECT - 1] + "…"


class Pictures:
    """Charts that a template has shown; what is the same is there once."""

    def __init__(self) -> None:
        self.found: dict[str, Picture] = {}

    def show(self, chart: Chart, width: int = 590) -> Markup | str:
        """An ``<img>`` for a chart, ``width`` pixels wide; nothing where there is nothing to draw."""
        from markupsafe import Markup

        from cadran.publish.series import MAIL

        spec = json.dumps(chart.drawn_plain(MAIL))
        if spec == "{}":
            return ""
        total_width, total_height = MAIL.total
        height = round(total_height * width / total_width)
        name = f"{hashlib.sha256(spec.encode()).hexdigest()[:24]}@cadran"
        if name not in self.found:
            alt = f"{chart.title}. {chart.said}"
            self.found[name] = Picture(name, chart.png(MAIL), width, height, alt)
        return Markup(
            '<img src="cid:{}" width="{}" height="{}" alt="{}" style="display:block;width:{}px;max-width:100%;height:auto;border:0">'
        ).format(name, width, height, self.found[name].alt, width)
