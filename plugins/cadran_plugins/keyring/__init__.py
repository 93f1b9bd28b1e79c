"""The bundled ``keyring`` resolver: ``${keyring:service/name}`` is a password of the system's keyring."""

from __future__ import annotations

from cadran.plugins import SecretEntry, SecretResolver, hookimpl


def _load() -> type[SecretResolver]:
    from cadran_plugins.keyring.resolver import KeyringResolver

    return KeyringResolver


@hookimpl
def cadran_secrets() -> list[SecretEntry]:
    return [SecretEntry("keyring", _load, "passwords of the system's keyring")]
