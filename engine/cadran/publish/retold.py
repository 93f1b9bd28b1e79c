"""Warnings and findings of a run, which are said in English where they are found, in the language of who reads a report.

They are found again by their form: the text outside the placeholders. What is not among them stays as it is; so do the names
and numbers in them, while their days and lengths of time are said as the reader's locale has them. Only what readers of reports meet stands here, not what is said to the author of a ``kpis.yaml``
before anything is computed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

from cadran.publish.dates import length_text, written_text
from cadran.publish.messages import catalogue
from cadran.publish.wording import N_

FORMS = (
    # unmet expectations
    N_("%(dataset)s has %(rows)s row(s), at least %(least)s are expected"),
    N_("%(dataset)s has no dated row, one of the last %(age)s is expected"),
    N_("the newest row of %(dataset)s is of %(when)s, one of the last %(age)s is expected"),
    N_("the newest row of '%(dataset)s' is of %(day)s: periods after it show what is missing, not what happened"),
    N_("see whether the source is up to date; 'expect: {max_age: 2 days}' tells sooner"),
    N_("see whether the source is up to date"),
    # targets
    N_("no row of these periods has %(segment)s '%(value)s', which a target is for"),
    N_("there are %(names)s"),
    N_("there is %(names)s"),
    N_("did you mean '%(name)s'?"),
    N_("'%(unit)s' is only a word"),
    N_("write '%(unit)s' to have the numbers written so"),
    N_("a target of %(written)s is %(meant)s %%"),
    # where figures come from
    N_(
        "figures are computed by %(database)s, of which it is not verified that it gives the same numbers"
    ),
    N_("pushdown: auto has cadran compute them itself"),
    N_("'%(column)s' is today's value in past periods too"),
    N_(
        "if '%(column)s' changes while a row of '%(dataset)s' holds, keep its history in a dataset of its own"
    ),
    N_("results cannot be kept: %(reason)s"),
)  # fmt: skip
_PLACEHOLDER = re.compile(r"%\\?\((\w+)\\?\)s|%%")


_SAID: Mapping[str, Callable[[str, str], str]] = {
    "age": length_text,
    "when": written_text,
    "day": written_text,
}


def retold(text: str, locale: str) -> str:
    """``text`` as readers of a locale say it."""
    for form, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found:
            values = {n: _SAID[n](locale, v) if n in _SAID else v for n, v in found.groupdict().items()}
            return catalogue(locale).gettext(form) % values
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((form, re.compile(_as_pattern(form), re.DOTALL)) for form in FORMS)


def _as_pattern(form: str) -> str:
    return _PLACEHOLDER.sub(lambda m: f"(?P<{m[1]}>.+?)" if m[1] else "%", re.escape(form))
