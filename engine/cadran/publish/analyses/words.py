"""Messages of explanations and comparisons, for functions that have a locale and no figures at hand."""

from __future__ import annotations

from cadran.publish.messages import catalogue, filled


def said(locale: str, text: str, **values: object) -> str:
    """``text`` in the language of a locale, with its placeholders filled in."""
    return filled(catalogue(locale).gettext(text), values)
