"""What makes a delivery this one: equal keys are one message, however often it is asked for."""

from __future__ import annotations

import datetime as dt
import hashlib
import json


def key(job: str, moment: dt.datetime, kind: str, channel: str, recipient: str, about: str = "") -> str:
    """64 hexadecimal digits. ``about`` tells apart what one job says to one recipient at one time: a segment value, a
    group of alerts."""
    parts = [job, moment.astimezone(dt.UTC).isoformat(), kind, channel, recipient, about]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()
