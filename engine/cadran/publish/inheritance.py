"""What a template that extends another one says in vain: blocks that nobody above it has, and what stands outside of blocks.

Jinja leaves both out without a word, so a misspelt block would be a report that lacks what its author wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import TemplateError, nodes

from cadran.problems import Position, Problem, listed, suggest

if TYPE_CHECKING:
    from jinja2 import Environment

_SAYING = (nodes.Output, nodes.CallBlock, nodes.FilterBlock, nodes.For, nodes.Include)


def said_in_vain(env: Environment, name: str) -> list[Problem]:
    """Of a template and all that it extends. What is wrong otherwise is said when it is rendered."""
    problems: list[Problem] = []
    try:
        chain = list(_chain(env, name))
    except TemplateError:
        return problems
    for number, (file, tree) in enumerate(chain[:-1]):
        known = {block.name for _, above in chain[number + 1 :] for block in above.find_all(nodes.Block)}
        problems += _of(file, tree, sorted(known))
    return problems


def _chain(env: Environment, name: str) -> Iterator[tuple[str, nodes.Template]]:
    """The template, what it extends, and so on, as far as the names are written out."""
    seen: set[str] = set()
    while name not in seen and env.loader:
        seen.add(name)
        source, file, _ = env.loader.get_source(env, name)
        tree = env.parse(source, name, file)
        yield file or name, tree
        parent = tree.find(nodes.Extends)
        if parent is None or not isinstance(parent.template, nodes.Const):
            return
        name = str(parent.template.value)


def _of(file: str, tree: nodes.Template, known: list[str]) -> Iterator[Problem]:
    outside, subject = False, f"template {Path(file).name}"
    for node in tree.body:
        place = Position(file, node.lineno, 1)
        if isinstance(node, nodes.Extends):
            outside = True
        elif isinstance(node, nodes.Block) and node.name not in known:
            message = (
                f"the template that this one extends has no block '{node.name}', so it would not be shown"
            )
            hint = suggest(node.name, known) or f"there is {listed(known, 40)}"
            yield Problem("template-unknown-block", message, place, subject, hint)
        elif outside and isinstance(node, _SAYING) and (line := _first_line(node)):
            hint = "put it inside a block, after {{ super() }} to keep what the block held"
            message = "what stands outside of blocks is not shown by a template that extends another one"
            yield Problem("template-outside-blocks", message, Position(file, line, 1), subject, hint)


def _first_line(node: nodes.Node) -> int:
    """The line on which something is said; 0 for blank space."""
    if not isinstance(node, nodes.Output):
        return node.lineno
    for part in node.nodes:
        if not isinstance(part, nodes.TemplateData):
            return part.lineno
        if part.data.strip():
            blank = part.data[: len(part.data) - len(part.data.lstrip())]
            return part.lineno + blank.count("\n")
    return 0
