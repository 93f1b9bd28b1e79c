"""Filters and blocks that plugins add to templates, within the limits of the sandbox.

What a filter gives is plain data, and is escaped like any other; a block's template runs in the sandbox of the report that shows it.
What a plugin's own code raises is an error of the template that called it, with the plugin's name.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from jinja2 import DictLoader, TemplateError, TemplateRuntimeError, TemplateSyntaxError
from jinja2.exceptions import SecurityError
from markupsafe import Markup

from cadran.plugins.added import Added, Additions
from cadran.problems import Problem, listed, suggest
from cadran.publish.allowance import Allowance

if TYPE_CHECKING:
    from cadran.declare.model import Declaration, Report
    from cadran.plugins.templating import Block
    from cadran.publish.sandbox import Sandbox, TextKind

PREFIX = "block"  # under which the templates of blocks are found: block/podium.html
_FORMATS: Mapping[str, str] = {"html": "html", "pdf": "html", "markdown": "markdown"}
_MOST_DEEP = 20
_BLOCK = "cadran_block"  # of an error: the block that it is in
_OURS = "cadran.publish."  # where the values of reports are made


def add_filters(env: Sandbox, filters: Mapping[str, Added]) -> None:
    """Each is loaded once a template uses it."""
    for name, added in filters.items():
        env.filters[name] = _filter(added, env.allowance)


def _filter(added: Added, allowance: Allowance) -> Callable[..., Any]:
    loaded: list[Callable[..., Any]] = []

    def filtered(*args: Any, **kwargs: Any) -> Any:
        allowance.round()
        try:
            if not loaded:
                loaded.append(added.load())
            found = loaded[0](*args, **kwargs)
        except Exception as error:
            raise _failed("filter", added, error) from error
        return plain(found, f"the filter '{added.name}' of {added.where_from}", allowance)

    return filtered


def plain(value: Any, what: str, allowance: Allowance, depth: int = 0) -> Any:
    """A value as a template may have it: data, and the report's own values. What says that it is safe markup is text all the same."""
    if isinstance(value, str):
        allowance.spend(len(value))
        return str.__str__(value)
    if value is None or isinstance(value, bool | int | float | Decimal | dt.date | dt.time | dt.timedelta):
        return value
    if is_dataclass(value) and type(value).__module__.startswith(_OURS):
        return value
    if depth < _MOST_DEEP and isinstance(value, Mapping):
        allowance.round()
        return {str(k): plain(v, what, allowance, depth + 1) for k, v in value.items()}
    if depth < _MOST_DEEP and isinstance(value, list | tuple):
        allowance.round()
        return [plain(v, what, allowance, depth + 1) for v in value]
    raise SecurityError(f"{what} gives a {type(value).__name__}, which is no plain value")


def _failed(kind: str, added: Added, error: Exception) -> TemplateError:
    if isinstance(error, TemplateError):
        return error
    said = str(error).partition("\n")[0]
    return TemplateRuntimeError(
        f"the {kind} '{added.name}' of {added.where_from} failed: {type(error).__name__}: {said}"
    )


# --- blocks ------------------------------------------------------------------------------------------------------


class Shown:
    """``block("podium")`` in the templates of one report."""

    def __init__(
        self, env: Sandbox, blocks: Mapping[str, Added], kind: TextKind, context: Mapping[str, Any]
    ) -> None:
        self._env, self._blocks, self._kind, self._context = (
            env,
            blocks,
            kind,
            MappingProxyType(dict(context)),
        )
        self._open: set[str] = set()

    def __call__(self, name: str) -> Markup:
        added = self._blocks.get(name)
        if added is None:
            known = listed(sorted(self._blocks)) if self._blocks else "no plugin of this project brings any"
            raise TemplateRuntimeError(
                f"there is no block '{name}'\n{suggest(name, self._blocks) or f'there is {known}'}"
            )
        if name in self._open:
            raise TemplateRuntimeError(f"the block '{name}' shows itself")
        self._open.add(name)
        try:
            return self._shown(added)
        except TemplateError as error:
            of_block(error, added)
            raise
        finally:
            self._open.discard(name)

    def _shown(self, added: Added) -> Markup:
        try:
            block: Block = added.load()
            if self._kind not in block.templates:
                raise TemplateRuntimeError(nothing_for(added, self._kind))
            values = block.values(self._context) if block.values is not None else {}
        except Exception as error:
            raise _failed("block", added, error) from error
        own = plain(values, f"the block '{added.name}' of {added.where_from}", self._env.allowance)
        template = self._env.get_template(f"{PREFIX}/{added.name}.{self._kind}")
        return Markup("".join(template.generate({**self._context, **own})))  # made safe by the sandbox


def of_block(error: TemplateError, added: Added) -> TemplateError:
    """The error, which says in which block of which plugin it is, the innermost of several."""
    if not block_of(error):
        said = f"the block '{added.name}' of {added.where_from}"
        line = f", line {error.lineno}" if isinstance(error, TemplateSyntaxError) else ""
        message = error.message or ""
        error.args = (message if message.startswith(said) else f"{said}{line}: {message}",)
        setattr(error, _BLOCK, added.name)
    return error


def block_of(error: TemplateError) -> str:
    """The name of the block that an error is in, if it is in one."""
    return str(getattr(error, _BLOCK, ""))


class Templates(DictLoader):
    """The templates of blocks, each read once it is shown."""

    def __init__(self, blocks: Mapping[str, Added]) -> None:
        super().__init__({})
        self._blocks = blocks

    def get_source(self, environment: Any, template: str) -> Any:
        prefix, _, file = template.partition("/")
        name, _, kind = file.rpartition(".")
        if prefix == PREFIX and name in self._blocks:
            self.mapping = {**self.mapping, template: self._blocks[name].load().templates.get(kind, "")}
        return super().get_source(environment, template)


def nothing_for(added: Added, kind: str) -> str:
    return f"the block '{added.name}' of {added.where_from} has nothing for {'HTML' if kind == 'html' else 'Markdown'}"


# --- before there are values --------------------------------------------------------------------------------------


def check(declaration: Declaration) -> Iterator[Problem]:
    """Filters under names that Jinja has, and blocks that reports show and that cannot be shown."""
    from cadran.publish.sandbox import environment, own_filters
    from cadran.resources import template_folders

    added = declaration.added
    taken = own_filters() if added.filters else frozenset()
    for name, one in added.filters.items():
        if name in taken or not name.isidentifier():
            why = (
                "templates have a filter of that name already" if name in taken else "that is no name for one"
            )
            message = f"the filter '{name}' of {one.where_from} cannot be used: {why}"
            where = declaration.plugin_places[one.plugin].position()
            yield Problem("bad-filter", message, where, "plugins", "its author can give it another name")
    folders = template_folders(declaration.folder)
    env = functools.cache(lambda kind: environment(folders, kind, added=added))
    for report in declaration.reports.values():
        yield from _of_report(report, added, env)


def _of_report(report: Report, added: Additions, env: Callable[[str], Sandbox]) -> Iterator[Problem]:
    kinds = dict.fromkeys(_FORMATS[f] for f in report.formats or ("html",) if f in _FORMATS)
    for text in report.blocks:
        one = added.blocks.get(text.value)
        if one is None:
            continue  # it has been said
        where, subject = text.place.position(), f"reports.{report.name}"
        try:
            block: Block = one.load()
        except Exception as error:
            message = f"the block '{one.name}' of {one.where_from} cannot be loaded: {type(error).__name__}: {error}"
            yield Problem("bad-block", message, where, subject, "its author can put that right")
            continue
        for kind in kinds:
            if kind not in block.templates:
                hint = "leave the format or the block out"
                yield Problem("bad-block", nothing_for(one, kind), where, subject, hint)
                continue
            try:
                env(kind).get_template(f"{PREFIX}/{one.name}.{kind}")
            except TemplateError as error:
                message = of_block(error, one).message or ""
                yield Problem("bad-block", message, where, subject, "its author can put that right")
