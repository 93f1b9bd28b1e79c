"""A source's URL: which database it names, which SQL that speaks, and which package reads it. Nothing is imported for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, unquote

from cadran.plugins import ConfigError

_FORM = re.compile(r"(?P<backend>[A-Za-z][\w.-]*)(?:\+(?P<driver>\w+))?://(?P<rest>.*)", re.DOTALL)
_PASSWORD = re.compile(r"[^/@]*?:(?P<password>.*)@", re.DOTALL)  # up to the last @, as SQLAlchemy reads it
_SECRET = re.compile(r"(?i)pass|pwd|secret|token|key$|credential")
_MASK = "***"

# SQLAlchemy's name → sqlglot's, where they differ.
_DIALECTS = {
    "postgresql": "postgres",
    "cockroachdb": "postgres",
    "mariadb": "mysql",
    "mssql": "tsql",
    "awsathena": "athena",
    "clickhousedb": "clickhouse",
    "sparksql": "spark",
    "teradatasql": "teradata",
}
# What has to be installed for databases that cadran has no extra for.
PACKAGES = {
    "awsathena": "PyAthena[SQLAlchemy]",
    "bigquery": "sqlalchemy-bigquery",
    "clickhouse": "clickhouse-sqlalchemy",
    "clickhousedb": "clickhouse-connect",
    "cockroachdb": "sqlalchemy-cockroachdb",
    "databricks": "databricks-sqlalchemy",
    "mssql": "pyodbc",
    "oracle": "oracledb",
    "redshift": "sqlalchemy-redshift",
    "snowflake": "snowflake-sqlalchemy",
    "teradatasql": "teradatasqlalchemy",
    "trino": "trino[sqlalchemy]",
}
FILES = ("sqlite", "duckdb")
KNOWN = ("postgresql", "mysql", "mariadb", *FILES)
_EXAMPLES = "postgresql://user:password@host/database, mysql://user:password@host/database or sqlite:///data/shop.sqlite"


@dataclass(frozen=True, slots=True)
class Address:
    """``backend`` as SQLAlchemy calls it (``postgresql``), ``driver`` what stood behind the plus sign, if anything."""

    url: str = field(repr=False)
    backend: str = ""
    driver: str = ""

    @property
    def is_file(self) -> bool:
        return self.backend in FILES

    @property
    def path(self) -> str:
        """Of a file: what stands behind the three slashes, relative unless it begins with a fourth."""
        return unquote(self.url.split("://", 1)[1].removeprefix("/"))

    @property
    def dialect(self) -> str:
        """sqlglot's name of the SQL, empty where it knows none."""
        from sqlglot.dialects.dialect import Dialects

        name = _DIALECTS.get(self.backend, self.backend)
        return name if name in {d.value for d in Dialects} else ""

    def masked(self, text: str) -> str:
        """A text, such as a driver's message, without the URL, the password and the host."""
        rest = self.url.split("://", 1)[1]
        found = _PASSWORD.match(rest)
        password = found["password"] if found else ""
        host = re.split(r"[:/?]", rest.rpartition("@")[2], maxsplit=1)[0]
        text = text.replace(self.url, _MASK)
        if not self.is_file and host:
            text = re.sub(rf"(?<![\w.]){re.escape(host)}(?![\w.])", _MASK, text)
        forms = {form for secret in (password, *_in_query(rest)) for form in _forms(secret)}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, _MASK) if form else text
        return text


def _forms(secret: str) -> set[str]:
    plain = unquote(secret)
    return {secret, plain, quote(plain), quote(plain, safe=""), quote_plus(plain)}


def _in_query(rest: str) -> Iterator[str]:
    """The values of a URL's parameters that hold secrets."""
    for key, value in re.findall(r"[?&]([^=&?]+)=([^&]+)", rest):
        if _SECRET.search(key):
            yield value


def address(url: str) -> Address:
    """Raises ConfigError, which never quotes the URL."""
    found = _FORM.fullmatch(url.strip())
    if found is None:
        raise ConfigError("the url does not name a database", hint=f"write {_EXAMPLES}", setting=("url",))
    backend, driver = found["backend"].lower(), (found["driver"] or "").lower()
    backend = "postgresql" if backend == "postgres" else backend  # as hosting services write it
    plus = f"+{driver}" if driver else ""
    return Address(f"{backend}{plus}://{found['rest']}", backend, driver)
