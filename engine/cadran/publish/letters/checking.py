"""What can be wrong with a team's own templates of messages, before there is anything to say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cadran.problems import Problem, ProblemsFound

if TYPE_CHECKING:
    from cadran.declare.model import Declaration


def own_templates(declaration: Declaration) -> list[str]:
    """The files that a project has for its channels' notifiers, as templates are named."""
    folder = declaration.folder / "templates"
    notifiers = sorted({channel.notifier for channel in declaration.channels.values()})
    return [f"{name}/{path.name}" for name in notifiers for path in sorted((folder / name).glob("*.jinja"))]


def check_letters(declaration: Declaration, template_folders: Sequence[Path]) -> Iterator[Problem]:
    """Each is compiled, and says nothing in vain."""
    from cadran.publish.letters.rendering import kind_of
    from cadran.publish.report import compiled
    from cadran.publish.sandbox import environment

    for name in own_templates(declaration):
        try:
            compiled(
                environment(template_folders, kind_of(name), added=declaration.added),
                name,
                declaration.folder,
            )
        except ProblemsFound as found:
            yield from found.problems
