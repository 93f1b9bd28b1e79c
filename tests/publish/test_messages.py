"""Every message that code and templates say stands in each catalogue, none is left over, and placeholders agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from cadran.problems import Problem
from cadran.publish.figures import Figures
from cadran.publish.messages import FOLDER, LANGUAGES, catalogue
from cadran.publish.retold import FORMS, retold

from . import fakes

ROOT = Path(__file__).parents[2]
KEYWORDS = {
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "N_": None,
    "NC_": ((1, "c"), 2),
    "_": None,
    "said": (2,),
    "_said": None,
}
TRANSLATED = [lang for lang in LANGUAGES if lang != "en"]
Key = tuple[str | None, str | tuple[str, ...]]


def said() -> Iterator[Key]:
    for path in sorted((ROOT / "engine").rglob("*.py")):
        if "publish" in path.parts:
            yield from found("python", path)
    for path in sorted((ROOT / "templates").rglob("*.jinja")):
        yield from found("jinja2.ext:babel_extract", path)


def found(method: str, path: Path) -> Iterator[Key]:
    options = {"trimmed": "true", "trim_blocks": "true", "lstrip_blocks": "true"}
    with path.open("rb") as file:
        for _, message, _, context in extract(method, file, keywords=KEYWORDS, options=options):  # type: ignore[arg-type]
            yield context, tuple(message) if isinstance(message, list | tuple) else message


def translated(lang: str) -> dict[Key, Message]:
    with (FOLDER / f"{lang}.po").open("rb") as file:
        messages = read_po(file, locale=lang, abort_invalid=True)
    return {(m.context, m.id if isinstance(m.id, str) else tuple(m.id)): m for m in messages if m.id}


def texts(key: Key) -> list[str]:
    return [key[1]] if isinstance(key[1], str) else list(key[1])


def test_something_is_extracted_from_both_kinds() -> None:
    keys = {key for key in said() if key[0] is None}
    assert {key[1] for key in keys} >= {"In short", "week %(week)s of %(year)s", "on target"}


@pytest.mark.parametrize("lang", TRANSLATED)
def test_what_is_said_is_translated_and_nothing_else(lang: str) -> None:
    keys, known = set(said()), translated(lang)
    assert not keys - known.keys(), "say these in the catalogue"
    assert not known.keys() - keys, "nobody says these any more"
    empty = [key for key, m in known.items() for text in ([m.string] if isinstance(m.string, str) else m.string) if not text]  # fmt: skip
    assert not empty


@pytest.mark.parametrize("lang", TRANSLATED)
def test_placeholders_agree(lang: str) -> None:
    for key, message in translated(lang).items():
        wanted = {frozenset(re.findall(r"%(?:\(\w+\)s|%)", text)) for text in texts(key)}
        strings = [message.string] if isinstance(message.string, str) else message.string
        for string in strings:
            assert frozenset(re.findall(r"%(?:\(\w+\)s|%)", string)) in wanted, key
            assert "%" not in re.sub(r"%\(\w+\)s|%%", "", string) or "%" in texts(key)[0], key


def test_plurals_follow_the_language() -> None:
    figures = Figures(fakes.declaration(), "fr")
    one, many = "%(num)s row was set aside", "%(num)s rows were set aside"
    assert [figures.ngettext(one, many, n) for n in (0, 1, 2)] == [
        "0 ligne a été écartée",
        "1 ligne a été écartée",
        "2 lignes ont été écartées",
    ]
    assert Figures(fakes.declaration(), "en").ngettext(one, many, 0) == "0 rows were set aside"


def test_a_locale_without_catalogue_speaks_english() -> None:
    assert catalogue("pt_BR").gettext("Target") == "Target"
    assert catalogue("fr-CH").gettext("Target") == "Objectif"


# --- what a run says ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_what_a_run_says_is_found_again(form: str) -> None:
    names = re.findall(r"%\((\w+)\)s", form)
    values = {name: f"x.{name} (1*)" for name in names}
    assert retold(form % values, "fr") == catalogue("fr").gettext(form) % values
    assert retold(form % values, "en") == form % values


def test_what_is_not_known_stays() -> None:
    assert retold("something new", "fr") == "something new"


AGED = "the newest row of orders is of {}, one of the last {} is expected"


@pytest.mark.parametrize(
    ("when", "age", "fr", "en"),
    [
        ("2026-11-20 00:00", "4 days", "du 20 novembre 2026 ; il en faudrait une de moins de 4 jours",
         "of November 20, 2026, one of the last 4 days is expected"),
        ("2026-11-20 06:30", "1 days 26 hours", "du 20 novembre 2026 à 06:30 ; il en faudrait une de moins de 1 jour 26 heures",
         "of November 20, 2026, 6:30\u202fAM, one of the last 1 day 26 hours is expected"),
        ("2026-11-01", "1 minutes", "du 1er novembre 2026 ; il en faudrait une de moins de 1 minute",
         "of November 1, 2026, one of the last 1 minute is expected"),
        ("x 3 days", "3 days ago", "du x 3 days ; il en faudrait une de moins de 3 days ago",
         "of x 3 days, one of the last 3 days ago is expected"),
    ],
)  # fmt: skip
def test_days_and_lengths_of_time_are_said_in_the_readers_language(
    when: str, age: str, fr: str, en: str
) -> None:
    said = AGED.format(when, age)
    assert retold(said, "fr").replace("\xa0", " ") == f"la ligne la plus récente de orders est {fr}"
    assert retold(said, "en") == f"the newest row of orders is {en}"


def test_a_warning_is_told_in_the_readers_language() -> None:
    problem = Problem(
        "unseen-target",
        "no row of these periods has range 'larg', which a target is for",
        None,
        "revenue",
        "did you mean 'large'?",
        "warning",
    )
    assert Figures(fakes.declaration(), "fr").warning(problem) == (
        "revenue · aucune ligne de ces périodes n’a range « larg », pour qui un objectif est fixé (vouliez-vous dire « large » ?)"
    )


@pytest.mark.parametrize("form", FORMS)
def test_the_engine_still_says_it_so(form: str) -> None:
    """Each form's longest stretch of fixed text stands in the code that says it."""
    longest = max(re.split(r"%\(\w+\)s|%%", form), key=len).strip()
    files = [p for p in (ROOT / "engine" / "cadran").rglob("*.py") if "publish" not in p.parts]
    assert any(longest in p.read_text() for p in files), longest
