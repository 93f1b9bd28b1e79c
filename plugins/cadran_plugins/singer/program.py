"""A program that is run: its output line by line, as fast as somebody reads it, and an end to it whatever happens."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from cadran.plugins import Cancelled, ConfigError, Context, DataError, Transient

_LOOK = 0.1  # seconds between two looks at whether anybody still waits
_POLITE = 2.0  # seconds to end by itself
_PIECE = 1 << 18
_LONGEST = 64 << 20  # bytes of one line
_TAIL = 12  # lines of what it says last
#: What of cadran's own environment a program needs to run; the rest may hold secrets that are not its own.
_ENVIRON = (
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
)  # fmt: skip


def environment(more: Mapping[str, str], also: Sequence[str] = ()) -> dict[str, str]:
    """``also``: names, or beginnings of names, that this program needs besides."""
    kept = {k: v for k, v in os.environ.items() if k in _ENVIRON or (also and k.startswith(tuple(also)))}
    return {**kept, **more}


class Program:
    """A context manager: the program, and all that it has started, are ended when it is left.

    Nothing is read before :meth:`lines` is asked for the next line, so that a fast program waits for a slow reader. What it writes to
    stderr goes to ``heard`` and to the log, masked. ``silence``: seconds without a word after which it is ended.
    """

    def __init__(
        self, command: Sequence[str], context: Context, *, silence: float, env: Mapping[str, str], heard: Callable[[str], None] | None = None, name: str = ""
    ) -> None:  # fmt: skip
        self.command, self.context, self.silence, self.env, self.heard = (
            tuple(command),
            context,
            silence,
            env,
            heard,
        )
        self.name = name or Path(command[0]).name
        self.last: deque[str] = deque(maxlen=_TAIL)
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""  # of its log

    def __enter__(self) -> Program:
        try:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(self.env),
                cwd=self.context.base, start_new_session=True, bufsize=0,
            )  # fmt: skip
        except FileNotFoundError:
            hint = "look at its path, which is relative to this file, or install it"
            raise ConfigError(
                f"there is no program '{self.command[0]}'", hint=hint, setting=("command",)
            ) from None
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConfigError(
                f"'{self.command[0]}' cannot be run: {reason}",
                hint="look at its permissions",
                setting=("command",),
            ) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self._process
        if process is None:
            return
        if not self._gone(process):
            self._tell(process, signal.SIGTERM)
            until = time.monotonic() + _POLITE
            while not self._gone(process) and time.monotonic() < until:
                time.sleep(0.02)
        self._tell(process, signal.SIGKILL)  # also what it has started and left behind
        process.wait()
        for pipe in (process.stdout, process.stderr):
            assert pipe is not None
            pipe.close()
        self._process = None

    def lines(self) -> Iterator[bytes]:
        """What it writes to stdout. Raises Cancelled, and Transient for a program that falls silent."""
        parts: list[bytes] = []  # of a line that has not ended: put together once, however long it is
        size = 0
        for piece in self._pieces():
            *whole, rest = piece.split(b"\n")
            if whole:
                whole[0] = b"".join((*parts, whole[0]))
                parts, size = [], 0
                yield from (line for line in whole if line.strip())
            parts.append(rest)
            size += len(rest)
            if size > _LONGEST:
                raise DataError(
                    f"{self.name} wrote a line of more than {_LONGEST >> 20} MB",
                    hint="a tap writes a row a line",
                )
        if (last := b"".join(parts)).strip():
            yield last

    def ended(self) -> int:
        """How it ended, once :meth:`lines` has: its exit code."""
        assert self._process is not None
        self._said(b"\n")  # a last line that does not end
        code = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        assert code is not None
        return code.si_status if code.si_code == os.CLD_EXITED else -code.si_status

    def check(self) -> None:
        """Raises :class:`Transient` with its last words where it did not end well."""
        if (code := self.ended()) == 0:
            return
        how = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
        raise Transient(
            f"{self.name} {how}{self._words()}",
            more=tuple(self.last),
            hint="look for the reason in its last words",
        )

    def _words(self) -> str:
        return "" if self.last else ", and said nothing"

    def _pieces(self) -> Iterator[bytes]:
        process = self._process
        assert process is not None and process.stdout is not None and process.stderr is not None
        with selectors.DefaultSelector() as selector:
            pipes: dict[str, IO[bytes]] = {"out": process.stdout, "err": process.stderr}
            for name, pipe in pipes.items():
                selector.register(pipe, selectors.EVENT_READ, name)
            heard = time.monotonic()
            while True:
                if self.context.cancelled():
                    raise Cancelled("nobody waits for the answer any more")
                ready = selector.select(_LOOK) if selector.get_map() else []
                for key, _ in ready:
                    piece = os.read(key.fd, _PIECE)
                    if not piece:
                        selector.unregister(key.fileobj)
                    elif key.data == "out":
                        yield piece
                    else:
                        self._said(piece)
                if ready:
                    heard = time.monotonic()  # also after a reader who took his time
                elif self._gone(process):
                    return  # what it has started may still hold the pipes, and is ended with it
                elif time.monotonic() - heard > self.silence:
                    hint = "where it needs longer, say 'silence: 30 minutes'"
                    message = f"{self.name} has said nothing for {self.silence:g} seconds, and was ended"
                    raise Transient(message, more=tuple(self.last), hint=hint)
                elif not selector.get_map():
                    time.sleep(_LOOK)

    def _said(self, piece: bytes) -> None:
        *whole, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _PIECE:
            whole, self._rest = [self._rest], b""
        for line in whole:
            text = line.decode("utf-8", "replace").rstrip()
            if not text:
                continue
            if self.heard is not None:
                self.heard(text)
            shown = self.context.masked("".join(c if c.isprintable() else " " for c in text))[:500]
            self.last.append(shown)
            self.context.log(f"{self.name}: {shown}")

    def _gone(self, process: subprocess.Popen[bytes]) -> bool:
        """Without taking note of it: so its number, and that of its group, stay its own."""
        return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None

    def _tell(self, process: subprocess.Popen[bytes], what: signal.Signals) -> None:
        try:
            os.killpg(process.pid, what)
        except ProcessLookupError:
            pass
        except PermissionError:  # where nobody of the group is left but its first, which has ended (macOS)
            pass


def output(program: Program) -> bytes:
    """All that a program writes to stdout, once it has ended well."""
    out: list[Any] = list(program.lines())
    program.check()
    return b"\n".join(out)
