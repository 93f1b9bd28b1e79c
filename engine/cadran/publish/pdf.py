"""A report as PDF: the HTML with its print style, laid out by WeasyPrint, which is only imported here."""

from __future__ import annotations

from cadran.problems import Problem, ProblemsFound

_INSTALL = "pip install 'cadran[pdf]'"
_LIBRARIES = "it needs the Pango libraries: on Debian and Ubuntu, apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def to_pdf(html: str) -> bytes:
    """The pages. Nothing is fetched: what the HTML names outside itself is left out. Raises ProblemsFound."""
    try:
        import weasyprint
    except ImportError as error:
        raise _missing("PDF is made by WeasyPrint, which is not installed", _INSTALL) from error
    except OSError as error:  # its native libraries
        raise _missing(f"WeasyPrint cannot start ({error})", _LIBRARIES) from error

    document = weasyprint.HTML(string=html, url_fetcher=_refuse)
    pages: bytes = document.write_pdf()
    return pages


def _refuse(url: str, *_: object, **__: object) -> dict[str, object]:
    raise ValueError(f"a report fetches nothing, so not {url}")


def _missing(message: str, hint: str) -> ProblemsFound:
    return ProblemsFound([Problem("no-pdf", message, hint=hint)])
