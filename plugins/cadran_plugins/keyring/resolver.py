"""Asks the keyring that the system has: the Secret Service of a desktop, the keychain of a Mac, or whatever is configured."""

from __future__ import annotations

from cadran.plugins import SecretError, SecretResolver


class KeyringResolver(SecretResolver):
    """``service/name``: the last ``/`` separates the two, since a service may be an address."""

    def resolve(self, reference: str) -> str:
        service, _, name = reference.rpartition("/")
        if not service or not name:
            hint = "write ${keyring:service/name}"
            raise SecretError(f"'{reference}' names no password of a keyring", hint=hint)
        password = _asked(service, name)
        if not password:
            hint = f"put it there with: keyring set {service} {name}"
            raise SecretError(f"the keyring has no password of '{name}' for '{service}'", hint=hint)
        return password


def _asked(service: str, name: str) -> str | None:
    try:
        import keyring
        from keyring.errors import KeyringError, NoKeyringError
    except ImportError:
        hint = "pip install 'cadran[keyring]'"
        raise SecretError("secrets of a keyring need the package 'keyring'", hint=hint) from None
    try:
        return keyring.get_password(service, name)
    except NoKeyringError:
        hint = (
            "use ${file:…} or the environment on a machine without one; 'keyring diagnose' says what there is"
        )
        raise SecretError("this machine has no keyring", hint=hint) from None
    except KeyringError as error:  # locked, refused: only the kind, as nobody knows what the text holds
        hint = "unlock it, or see 'keyring diagnose'"
        raise SecretError(f"the keyring does not answer ({type(error).__name__})", hint=hint) from None
