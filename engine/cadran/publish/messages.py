"""The words of reports and tables in the reader's language. A team's own texts come from its ``kpis.yaml``.

Messages are written in English where they are said (``gettext``, ``ngettext``, in templates ``_("…")``); a language is one file,
``locales/LANGUAGE.po``, read as it lies there, so that a third one needs nothing but its file. English needs none.
Placeholders are ``%(name)s`` everywhere, since that is what Jinja's translations take.
"""

from __future__ import annotations

import gettext as stdlib
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "locales"
LANGUAGES = ("en", *sorted(path.stem for path in FOLDER.glob("*.po")))

Catalogue = stdlib.NullTranslations


def language(locale: str) -> str:
    """The language that a locale is written in here: ``fr`` for ``fr_CH``, English for what is not known."""
    prefix = locale.replace("_", "-").partition("-")[0].lower()
    return prefix if prefix in LANGUAGES else "en"


def catalogue(locale: str) -> Catalogue:
    """The messages of a locale's language: ``catalogue("fr").gettext("on target")``."""
    return _read(language(locale))


@cache
def _read(lang: str) -> Catalogue:
    if lang == "en":
        return stdlib.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with (FOLDER / f"{lang}.po").open("rb") as file:
        messages = read_po(file, locale=lang)
    compiled = (
        io.BytesIO()
    )  # the standard library reads this form alone; it takes milliseconds and is never kept
    write_mo(compiled, messages)
    compiled.seek(0)
    return stdlib.GNUTranslations(compiled)


def localized(texts: Mapping[str, str], locale: str) -> str:
    """A team's text for a locale: its own, its language's, the one without a language, else whichever there is."""
    for key in (locale, language(locale), "", "en"):
        if texts.get(key):
            return texts[key]
    return next(iter(texts.values()), "")


def filled(text: str, values: Mapping[str, Any]) -> str:
    """A message with its placeholders replaced; one that has none keeps its percent signs."""
    return text % values if values else text
