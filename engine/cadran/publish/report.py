"""Renders a report with Jinja. Whatever is wrong with a template is a problem with its file and line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from cadran.problems import Position, Problem, ProblemsFound, listed, suggest
from cadran.publish.gather import gather
from cadran.resources import templates

if TYPE_CHECKING:
    from jinja2 import Environment, Template, TemplateError, TemplateSyntaxError

    from cadran.compute.results import Results
    from cadran.declare.model import Declaration, Report
    from cadran.publish.context import ReportContext

Kind = Literal["html", "markdown"]
DEFAULT_TEMPLATES = {"html": "report.html.jinja", "markdown": "report.md.jinja"}
MOST_OUTPUT = 30_000_000  # characters of a whole report


def render(
    results: Results,
    declaration: Declaration,
    *,
    report: Report | None = None,
    kind: Kind = "html",
    locale: str = "",
    paper: bool = False,
    template_folders: Sequence[Path],
    context: ReportContext | None = None,
) -> str:
    """A report as text. ``template_folders``: the team's first, the shipped ones last. ``context`` is what was gathered
    for it already, where it was.

    A report's own template applies where its name fits the kind (``….md.jinja`` is Markdown, all others HTML).
    Raises :class:`ProblemsFound` for a template that is missing, malformed, unsafe or uses unknown names.
    """
    from cadran.publish.sandbox import environment

    context = context or gather(results, declaration, report, locale, paper)
    env = environment(template_folders, kind, context.locale, added=declaration.added)
    variables = variables_of(context)
    if declaration.added.blocks:
        from cadran.publish.added import Shown

        env.globals["block"] = Shown(env, declaration.added.blocks, kind, variables)
    return rendered(env, template_name(report, kind), variables, declaration.folder, report)


def variables_of(context: Any) -> dict[str, Any]:
    """The fields of a context, by name."""
    return {field.name: getattr(context, field.name) for field in fields(context)}


def rendered(
    env: Environment, name: str, variables: Mapping[str, Any], base: Path, report: Report | None = None
) -> str:
    """A template's text; places in messages are relative to ``base``. Raises ProblemsFound."""
    from jinja2 import TemplateError

    template = compiled(env, name, base, report)
    try:
        return _joined(template.generate(variables))
    except TemplateError as error:
        raise ProblemsFound([_problem(error, env, name, report, base)]) from error
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        where = _line_of(error.__traceback__, _folders(env), base)
        message = f"{type(error).__name__}: {error}"
        raise ProblemsFound([Problem("template-failed", message, where, f"template {name}")]) from error


def compiled(env: Environment, name: str, base: Path, report: Report | None = None) -> Template:
    """A template that is well-formed, and says nothing in vain. Raises ProblemsFound."""
    from jinja2 import TemplateError

    from cadran.publish.inheritance import said_in_vain

    try:
        if vain := said_in_vain(env, name):
            raise ProblemsFound([replace(p, where=_within(p.where, base)) for p in vain])
        return env.get_template(name)
    except TemplateError as error:
        raise ProblemsFound([_problem(error, env, name, report, base)]) from error


def check_templates(declaration: Declaration, template_folders: Sequence[Path]) -> list[Problem]:
    """What can be wrong with the templates that reports name, and with those that these build on, before there are values."""
    from jinja2 import TemplateError

    from cadran.publish.sandbox import environment

    problems: list[Problem] = []
    for report in declaration.reports.values():
        if report.template is None:
            continue
        kind: Kind = "markdown" if template_name(report, "markdown") == report.template.value else "html"
        env = environment(template_folders, kind, added=declaration.added)
        for name in (waiting := [report.template.value]):
            try:
                waiting += [other for other in _built_on(env, name) if other not in waiting]
            except TemplateError as error:
                problems.append(_problem(error, env, name, report, declaration.folder))
    return list(dict.fromkeys(problems))


def _built_on(env: Environment, name: str) -> list[str]:
    """The templates that one names by a fixed name. Raises TemplateError where it is missing or malformed.

    Those that come with cadran are only looked for: they are right, and long.
    """
    from jinja2.meta import find_referenced_templates

    assert env.loader is not None
    source, file, _ = env.loader.get_source(env, name)
    if file is not None and Path(file).is_relative_to(templates()):
        return []
    env.get_template(name)
    return [other for other in find_referenced_templates(env.parse(source)) if other]


def template_name(report: Report | None, kind: Kind) -> str:
    """The template that a report is rendered with."""
    own = report.template.value if report and report.template else ""
    own_kind = "markdown" if own.endswith((".md.jinja", ".md")) else "html"
    return own if own and own_kind == kind else DEFAULT_TEMPLATES[kind]


def _joined(pieces: Iterator[str]) -> str:
    out, size = [], 0
    for piece in pieces:
        size += len(piece)
        if size > MOST_OUTPUT:
            raise ValueError("the report grew beyond 30 million characters; a loop may be out of hand")
        out.append(piece)
    return "".join(out)


# --- problems --------------------------------------------------------------------------------------------------


def _problem(error: TemplateError, env: Environment, name: str, report: Report | None, base: Path) -> Problem:
    from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError
    from jinja2.exceptions import SecurityError

    from cadran.publish.allowance import TooMuch

    subject = f"template {name}"
    if isinstance(error, TemplateNotFound):
        return _not_found(error, env, report, base, name)
    where = _of_block(error, env, report, base) or _line_of(error.__traceback__, _folders(env), base)
    if isinstance(error, TemplateSyntaxError):
        return Problem("template-syntax", error.message or "", _syntax_place(error, base) or where, subject)
    if isinstance(error, TooMuch):
        return Problem("template-too-much", error.message or "", where, subject, "a loop may be out of hand")
    message, _, hint = (error.message or "").partition("\n")
    if isinstance(error, UndefinedError):
        return Problem("template-unknown-name", message, where, subject, hint)
    if isinstance(error, SecurityError):
        hint = "templates may use the report's values and Jinja's filters, nothing of Python's inside"
        return Problem("template-unsafe", message, where, subject, hint)
    return Problem("template-failed", message, where, subject)


def _not_found(error: Any, env: Environment, report: Report | None, base: Path, name: str) -> Problem:
    wanted = str(error.name or name)
    known = sorted(t for t in env.list_templates() if not t.rpartition("/")[2].startswith("_"))
    hint = suggest(wanted, known) or f"there is {listed(known)}"
    where = _line_of(error.__traceback__, _folders(env), base)
    if where is None and report and report.template and wanted == name:
        where = report.template.place.position()
    return Problem("template-missing", f"there is no template '{wanted}'", where, f"template {name}", hint)


def _folders(env: Environment) -> list[Path]:
    loaders = getattr(env.loader, "loaders", ())
    return [Path(p) for loader in loaders for p in getattr(loader, "searchpath", ())]


def _of_block(error: TemplateError, env: Environment, report: Report | None, base: Path) -> Position | None:
    """Where a report names the block that an error is in, unless a template of the team's own shows it."""
    from cadran.publish.added import block_of

    own = [folder for folder in _folders(env) if folder != templates()]
    if report is None or not (block := block_of(error)) or _line_of(error.__traceback__, own, base):
        return None
    return next((text.place.position() for text in report.blocks if text.value == block), None)


def _syntax_place(error: TemplateSyntaxError, base: Path) -> Position | None:
    return Position(_shown(error.filename, base), error.lineno, 1) if error.filename else None


def _line_of(trace: TracebackType | None, folders: Sequence[Path], base: Path) -> Position | None:
    """The innermost line of a template in a traceback (Jinja maps compiled lines back to their templates)."""
    found = None
    while trace:
        file = trace.tb_frame.f_code.co_filename
        if any(Path(file).is_relative_to(folder) for folder in folders):
            found = Position(_shown(file, base), trace.tb_lineno, 1)
        trace = trace.tb_next
    return found


def _within(where: Position | None, base: Path) -> Position | None:
    return replace(where, file=_shown(where.file, base)) if where else None


def _shown(file: str, base: Path) -> str:
    """A template's name in messages: within the project relative to it."""
    path, folder = Path(file), base.resolve()
    return str(path.resolve().relative_to(folder)) if path.resolve().is_relative_to(folder) else file
