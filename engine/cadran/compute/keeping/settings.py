"""Digests of sources and tables: which connector, with which settings, gives which table."""

from __future__ import annotations

import hashlib
import json

from cadran.declare.model import Declaration
from cadran.declare.settings import mask
from cadran.plugins.manager import PluginManager
from cadran.state.index import digest

_COST = 2**13  # of the digest of secret settings


class Settings:
    """Values from the environment count; what is written to disk does not let them be found out."""

    def __init__(self, declaration: Declaration, salt: str, plugins: PluginManager) -> None:
        self.declaration, self.salt, self.plugins = declaration, salt, plugins
        self._sources: dict[str, str] = {}

    def source(self, name: str) -> str:
        if name not in self._sources:
            self._sources[name] = self._digest(name)
        return self._sources[name]

    def _digest(self, name: str) -> str:
        source = self.declaration.sources.get(name)
        config = json.dumps(
            [source.connector, source.config] if source else [name], sort_keys=True, default=str
        )
        secrets = self.declaration.unsaid
        if mask(config, secrets) == config and not any(s in config for s in secrets if s):
            return digest(config)
        # Slow on purpose and salted: a password must not come out by trying what it might be.
        return hashlib.scrypt(config.encode(), salt=self.salt.encode(), n=_COST, r=8, p=1, dklen=16).hex()

    def table(self, source: str, table: str) -> str:
        return digest("table", source, table, self.source(source))
