"""``${scheme:reference}``: secrets that lie elsewhere than in the environment. ``file`` is built in, all others are plugins'."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cadran.declare.plugged import Plugins
from cadran.plugins.secrets import SecretContext, SecretError
from cadran.problems import Problem, suggest

FILE = "file"
_MOST_BYTES = 64 * 1024
# Where container runtimes put secrets, readable by whoever is in the container.
_MOUNTED = (Path("/run/secrets"), Path("/var/run/secrets"))


class Resolvers:
    """Finds values, each once while a project is read."""

    def __init__(self, plugins: Plugins) -> None:
        self.plugins = plugins
        self._known: dict[tuple[str, str, Path], str | SecretError] = {}

    def value(self, scheme: str, reference: str, base: Path) -> str:
        """Raises :class:`SecretError`."""
        key = (scheme, reference, base)
        if key not in self._known:
            self._known[key] = self._found(scheme, reference, base)
        known = self._known[key]
        if isinstance(known, SecretError):
            raise known
        return known

    def _found(self, scheme: str, reference: str, base: Path) -> str | SecretError:
        try:
            if scheme == FILE:
                return file_content(reference, base)
            return self._asked(scheme, reference, base)
        except SecretError as error:
            return error

    def _asked(self, scheme: str, reference: str, base: Path) -> str:
        resolver = self.plugins.secret(scheme)
        if isinstance(resolver, Problem):
            raise self._unknown(scheme, resolver)
        try:
            value = resolver(SecretContext(base)).resolve(reference)
        except SecretError:
            raise
        except Exception as error:  # its text might hold the secret
            message = f"the resolver of '{scheme}' failed with {type(error).__name__}"
            raise SecretError(message, hint="its author can say why") from None
        if not isinstance(value, str):
            raise SecretError(f"the resolver of '{scheme}' gave no text", hint="its author can say why")
        return value

    def _unknown(self, scheme: str, problem: Problem) -> SecretError:
        if problem.code != "unknown-secret":
            return SecretError(problem.message, hint=problem.hint)
        near = suggest(scheme, [FILE, *self.plugins.names("secret")])
        return SecretError(f"nothing here knows secrets of '{scheme}'", hint=near or problem.hint)


def file_content(reference: str, base: Path) -> str:
    """What a file holds, without one line break at its end. Raises :class:`SecretError`."""
    path = base / reference
    try:
        with path.open("rb") as file:
            _check_kept(path, os.fstat(file.fileno()), os.fstatvfs(file.fileno()).f_flag, reference)
            content = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise SecretError(f"there is no file '{reference}'", hint=_where(reference)) from None
    except IsADirectoryError:
        raise SecretError(f"'{reference}' is a folder, not a file", hint="name the file in it") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "its name cannot be one"
        raise SecretError(f"the file '{reference}' cannot be read: {why}", hint=_hint_of(error)) from None
    return _as_secret(content, reference)


def _as_secret(content: bytes, reference: str) -> str:
    if len(content) > _MOST_BYTES:
        hint = "a file of a secret holds that and nothing else"
        raise SecretError(f"the file '{reference}' is larger than 64 KB", hint=hint)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SecretError(
            f"the file '{reference}' is not UTF-8 text", hint="write the secret as text"
        ) from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise SecretError(f"the file '{reference}' is empty", hint="write the secret into it")
    return text


def _check_kept(path: Path, found: os.stat_result, flags: int, reference: str) -> None:
    """A secret is nobody's business: a file that everybody on the machine may read is an error, unless a container runtime put it there."""
    if not stat.S_ISREG(found.st_mode):
        raise SecretError(f"'{reference}' is no ordinary file", hint="name a file that holds the secret")
    runtime = bool(flags & os.ST_RDONLY) or any(path.resolve().is_relative_to(folder) for folder in _MOUNTED)
    loose = found.st_mode & (stat.S_IWOTH if runtime else stat.S_IROTH | stat.S_IWOTH)
    if loose:
        verb = "change" if found.st_mode & stat.S_IWOTH else "read"
        message = f"everybody on this machine may {verb} the file '{reference}'"
        raise SecretError(message, hint=f"chmod 600 {reference}")


def _where(reference: str) -> str:
    return "" if reference.startswith("/") else "paths are relative to the file that names them"


def _hint_of(error: Exception) -> str:
    return (
        "the user that cadran runs as has to be allowed to read it"
        if isinstance(error, PermissionError)
        else ""
    )
