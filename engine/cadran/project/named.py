"""What a check looks at beside columns: files that reports and tests name, settings of channels, names that several plugins give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from cadran.declare.model import Declaration
from cadran.plugins.manager import PluginManager
from cadran.problems import Problem


def with_named(
    problems: Sequence[Problem], declaration: Declaration, plugins: PluginManager
) -> list[Problem]:
    """The problems, and those of what the file names. What a channel's fault has said already of a name is not said twice."""
    found = [*problems, *_files(declaration), *_channels(declaration, plugins)]
    said = {(problem.code, str(problem.where)) for problem in found}
    return [*found, *(p for p in _clashes(declaration, plugins) if (p.code, str(p.where)) not in said)]


def _files(declaration: Declaration) -> list[Problem]:
    """What is wrong with the files that reports and tests name; a filter that nobody knows may be that of a plugin that is broken."""
    lacking = any(section == "plugins" for section, _ in declaration.broken)
    return [p for p in _in_files(declaration) if not (lacking and p.message.startswith("No filter named "))]


def _in_files(declaration: Declaration) -> Iterator[Problem]:
    """Nothing is imported for a project that names none."""
    if declaration.added.filters or declaration.added.blocks:
        from cadran.publish.added import check

        yield from check(declaration)
    if any(report.template for report in declaration.reports.values()):
        from cadran.publish.report import check_templates
        from cadran.resources import template_folders

        yield from check_templates(declaration, template_folders(declaration.folder))
    if declaration.channels:
        from cadran.publish.letters.checking import check_letters, own_templates
        from cadran.resources import template_folders

        if own_templates(declaration):
            yield from check_letters(declaration, template_folders(declaration.folder))
    if any(given.file for test in declaration.tests.values() for given in test.given.values()):
        from cadran.testing.rows import check_files

        yield from check_files(declaration)


def _channels(declaration: Declaration, plugins: PluginManager) -> Iterator[Problem]:
    if declaration.channels:
        from cadran.deliver.channels import Channels

        yield from Channels(declaration, plugins.notifier).faults()


def _clashes(declaration: Declaration, plugins: PluginManager) -> Iterator[Problem]:
    """The names of connectors and notifiers here that several plugins give."""
    for source in declaration.sources.values():
        if (found := plugins.clashing("connector", source.connector)) is not None:
            yield replace(found, where=source.place.child("connector").position())
    for channel in declaration.channels.values():
        if (found := plugins.clashing("notifier", channel.notifier)) is not None:
            yield replace(found, where=channel.place.child("notifier").position())
