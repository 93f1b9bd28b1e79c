"""A source's URL: which database it names, which SQL that speaks, and which package reads it. Nothing is imported for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, unquote

from cadran.plugins import ConfigError

_FORM = re.compile(r"(?P<backend>[A-Za-z][\w.-]*)(?:\+(?P<driver>\w+))?://(?P<rest>.*)", re.DOTALL)
_PASSWORD = re.compile(r"[^/@]*?:(?P<password>.*)@", re.DOTALL)  # up to the last @, as SQLAlchemy reads it
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
        """A text, such as a driver's message, without the password and without the URL."""
        text = text.replace(self.url, _MASK)
        found = _PASSWORD.match(self.url.split("://", 1)[1])
        password = found["password"] if found else ""
        plain = unquote(password)
        for form in sorted(
            {password, plain, quote(plain), quote(plain, safe=""), quote_plus(plain)}, key=len, reverse=True
        ):
            text = text.replace(form, _MASK) if form else text
        return text


def address(url: str) -> Address:
    """Raises ConfigError, which never quotes the URL."""
    found = _FORM.fullmatch(url.strip())
    if found is None:
        raise ConfigError("the url does not name a database", hint=f"write {_EXAMPLES}", setting=("url",))
    backend, driver = found["backend"].lower(), (found["driver"] or "").lower()
    backend = "postgresql" if backend == "postgres" else backend  # as hosting services write it
    plus = f"+{driver}" if driver else ""
    return Address(f"{backend}{plus}://{found['rest']}", backend, driver)
