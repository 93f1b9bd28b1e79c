"""The index of a folder's reports, as one page that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cadran_plugins.file.board import Kept
    from cadran_plugins.file.frozen import About

_TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Reports", "as_of": "Data as of", "computed": "Computed on", "earlier": "Earlier ones", "also": "Also as",
        "late": "Late", "warning": "Mind the data",
    },
    "fr": {
        "title": "Rapports", "as_of": "Données au", "computed": "Calculé le", "earlier": "Plus anciens", "also": "Aussi en",
        "late": "En retard", "warning": "Attention aux données",
    },
}  # fmt: skip
_NAMES = {"html": "HTML", "md": "Markdown", "pdf": "PDF", "xlsx": "Excel", "csv": "CSV"}
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2530; --soft: #5b6672; --line: #dfe4ea; --page: #f5f7f9; --card: #fff; --link: #1d5fa8; --warn: #6f4e00; --warned: #fff4d6; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf1; --soft: #a3aebb; --line: #333d48; --page: #14191f; --card: #1c232b; --link: #7db5f0; --warn: #f3d58a; --warned: #3a3013; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 1.5rem; }
ul { list-style: none; margin: 0; padding: 0; }
.reports { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 19rem), 1fr)); align-items: start; }
.report { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem 1.2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 0; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
p { margin: .35rem 0 0; }
.period { font-weight: 600; }
.soft, summary, details li { color: var(--soft); font-size: .875rem; }
.warn { color: var(--warn); background: var(--warned); border-radius: .35rem; padding: .35rem .6rem; margin-top: .6rem; font-size: .875rem; }
details { margin-top: .7rem; border-top: 1px solid var(--line); padding-top: .6rem; }
summary { cursor: pointer; }
""".strip()


def page(title: str, kept: Sequence[Kept]) -> str:
    """``kept`` by report, each newest first; the page speaks the language of the newest of all."""
    locale = max(kept, key=lambda of: of.about.moment).about.locale if kept else "en"
    lang = "fr" if locale.lower().startswith("fr") else "en"
    texts = _TEXTS[lang]
    heading = escape(title or texts["title"])
    cards = "\n".join(_card(list(of), texts) for _, of in groupby(kept, key=lambda of: of.about.report))
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{heading}</title>\n<style>\n{_STYLE}\n</style>\n</head>\n<body>\n<main>\n<h1>{heading}</h1>\n"
        f'<ul class="reports">\n{cards}\n</ul>\n</main>\n</body>\n</html>\n'
    )


def _card(kept: Sequence[Kept], texts: Mapping[str, str]) -> str:
    newest, *older = kept
    about = newest.about
    first, *others = [(newest.stable(suffix), suffix) for suffix in newest.suffixes]
    lines = [f'<h2><a href="{escape(first[0])}">{escape(about.title)}</a></h2>']
    if about.period_text:
        lines.append(f'<p class="period">{escape(about.period_text)}</p>')
    if about.summary:
        lines.append(f"<p>{escape(about.summary)}</p>")
    lines += [
        f'<p class="warn"><b>{texts[name]}</b><br>{escape(said)}</p>'
        for name, said in (("late", about.late), ("warning", about.warning))
        if said
    ]
    lines.append(f'<p class="soft">{_times(about, texts)}</p>')
    if others:
        links = ", ".join(
            f'<a href="{escape(name)}">{_NAMES.get(suffix, suffix.upper())}</a>' for name, suffix in others
        )
        lines.append(f'<p class="soft">{texts["also"]} {links}</p>')
    if older:
        lines += [
            "<details>",
            f"<summary>{texts['earlier']} ({len(older)})</summary>",
            "<ul>",
            *_older(older, texts),
            "</ul>",
            "</details>",
        ]
    return '<li class="report">\n' + "\n".join(lines) + "\n</li>"


def _times(about: About, texts: Mapping[str, str]) -> str:
    """What its data is of, and when it was made, where that is told."""
    said = f"{texts['as_of']} {_time(about.as_of, about.as_of_text)}"
    if about.computed:
        said += f"<br>{texts['computed']} {_time(about.computed, about.computed_text)}"
    return said


def _time(instant: str, text: str) -> str:
    return f'<time datetime="{escape(instant)}">{escape(text)}</time>'


def _older(kept: Sequence[Kept], texts: Mapping[str, str]) -> Iterator[str]:
    for of in kept:
        about = of.about
        marks = [
            texts[name].lower() for name, said in (("late", about.late), ("warning", about.warning)) if said
        ]
        text = " · ".join(filter(None, (about.period_text, about.as_of_text, *marks)))
        yield f'<li><a href="{escape(of.dated(of.suffixes[0]))}">{escape(text)}</a></li>'
