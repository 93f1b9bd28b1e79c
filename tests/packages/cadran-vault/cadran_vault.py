"""A vault that is a folder: ``${vault:name}`` is a secret in it, its tables are CSV files, and messages are left in it."""

from __future__ import annotations

import base64
import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from cadran.plugins import (
    Column,
    ConfigError,
    Connector,
    ConnectorEntry,
    End,
    Message,
    Notifier,
    NotifierEntry,
    Page,
    SecretEntry,
    SecretError,
    SecretResolver,
    Table,
    hookimpl,
    write_whole,
)


class VaultSecrets(SecretResolver):
    def resolve(self, reference: str) -> str:
        path = self.context.base / "vault" / f"{reference}.b64"
        if not path.is_file():
            raise SecretError(f"the vault has no '{reference}'", hint="vault put NAME")
        return base64.b64decode(path.read_text()).decode()


class VaultRows(Connector):
    """Opens only with the right key, so that a secret is seen to arrive."""

    config_schema = {  # noqa: RUF012
        "type": "object",
        "required": ["key"],
        "properties": {"key": {"type": "string", "writeOnly": True}},
        "additionalProperties": False,
    }

    def _folder(self) -> Path:
        if self.context.config["key"] != "sesame-of-belvoir":
            raise ConfigError("the vault does not open", setting=["key"])
        return self.context.base / "vault"

    def discover(self) -> Sequence[Table]:
        return [self._table(path) for path in sorted(self._folder().glob("*.csv"))]

    def _table(self, path: Path) -> Table:
        with path.open(newline="") as file:
            names = next(csv.reader(file))
        kinds = {"day": "DATE", "amount": "DECIMAL(18,2)"}
        return Table(path.stem, tuple(Column(name, kinds.get(name, "VARCHAR")) for name in names))

    def read(self, table: str) -> Iterator[Page | End]:
        import datetime as dt
        from decimal import Decimal

        import pyarrow as pa

        with (self._folder() / f"{table}.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        types = {"day": pa.date32(), "amount": pa.decimal128(18, 2)}
        read = {"day": dt.date.fromisoformat, "amount": Decimal}
        names = list(rows[0]) if rows else []
        columns = {
            n: pa.array([read.get(n, str)(row[n]) for row in rows], types.get(n, pa.string())) for n in names
        }
        if rows:
            yield Page(pa.table(columns))
        yield End(len(rows))


class VaultMessages(Notifier):
    local = True

    def seal(self, message: Message) -> bytes:
        return message.subject.encode()

    def send(self, sealed: bytes, recipient: str, begin: Callable[[], None]) -> str:
        begin()
        return str(write_whole(self.context.base / "vault", "last.txt", sealed))


@hookimpl
def cadran_secrets() -> list[SecretEntry]:
    return [SecretEntry("vault", lambda: VaultSecrets, "secrets of a vault")]


@hookimpl
def cadran_connectors() -> list[ConnectorEntry]:
    return [ConnectorEntry("vault", lambda: VaultRows, "rows of a vault")]


@hookimpl
def cadran_notifiers() -> list[NotifierEntry]:
    return [NotifierEntry("vault", lambda: VaultMessages, "messages left in a vault")]
