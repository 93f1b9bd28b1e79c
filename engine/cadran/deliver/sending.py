"""The sender of a project: its channels, its secrets, and how its owners hear of what is given up."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from cadran.deliver.channels import Channels, Notifiers
from cadran.deliver.messages import Composer
from cadran.deliver.post import delivery_of
from cadran.deliver.sender import Sender
from cadran.resources import template_folders

if TYPE_CHECKING:
    from cadran.declare.model import Declaration
    from cadran.state.store.outbox import Delivery
    from cadran.state.store.store import Store


def sender(
    declaration: Declaration, notifiers: Notifiers, store: Store, now: Callable[[], dt.datetime], stop: threading.Event | None = None
) -> Sender:  # fmt: skip
    """``stop`` ends it early: nothing more is begun."""
    composer = Composer(declaration, notifiers, template_folders(declaration.folder))

    def failure(row: Delivery, at: dt.datetime) -> Sequence[Delivery]:
        return [delivery_of(m, row.job, row.logical_time, at, declaration.deliveries) for m in composer.failure(row, now=at)]  # fmt: skip

    return Sender(
        store, Channels(declaration, notifiers).open, now, failure, declaration.unsaid, stop=stop or threading.Event()
    )
