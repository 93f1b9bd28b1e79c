"""``cadran scheduler``."""

from __future__ import annotations

import datetime as dt
import signal
import socket
import sys
import threading
from contextlib import ExitStack
from typing import Literal

import click

from cadran.cli.common import fail, problems_shown, project, root


@click.command()
@click.option("--listen", default="127.0.0.1:9464", metavar="HOST:PORT", show_default=True, help="Where /healthz, /readyz and /metrics are; 'none' for nowhere.")  # fmt: skip
@click.option("--log", "kind", type=click.Choice(["json", "text"]), help="Default: text on a terminal, else json.")  # fmt: skip
@click.option("--every", type=click.FloatRange(1, 3600), default=60.0, show_default=True, metavar="SECONDS", help="How often it looks at the latest.")  # fmt: skip
@click.pass_context
def scheduler(ctx: click.Context, listen: str, kind: Literal["json", "text"] | None, every: float) -> None:
    """Do what is due, and send it, until SIGTERM or Ctrl-C; what is begun then is finished first.

    kpis.yaml is read again when it changes. Two of these over one store do nothing twice.
    """
    from cadran import __version__
    from cadran.deliver.health import listening
    from cadran.deliver.logs import set_up
    from cadran.deliver.metrics import Metrics
    from cadran.deliver.scheduler import Scheduler

    stop = threading.Event()
    made = Scheduler(project(ctx), Metrics(__version__), _now, stop.wait, stop, socket.gethostname(), every)
    set_up(kind or ("text" if sys.stderr.isatty() else "json"), made.hidden)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    with problems_shown(root(ctx)), ExitStack() as until:
        try:
            if listen != "none":
                until.enter_context(listening(made, *_address(listen), _now))
        except OSError as error:
            fail(f"cannot listen on {listen}: {error.strerror or error}", "name another place with --listen HOST:PORT")  # fmt: skip
        made.run()


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        fail(f"'{text}' is not HOST:PORT", "write it like --listen 127.0.0.1:9464")
    return host.strip("[]"), int(port)


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
