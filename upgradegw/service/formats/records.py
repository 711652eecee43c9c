"""An access event as plain values under its documented names, with its time: what structured formats write."""

from __future__ import annotations

import math
import time
from typing import Any

from twisted.logger import LogEvent

from upgradegw.events import EVENTS
from upgradegw.service.formats.escaping import LONGEST, shorten
from upgradegw.service.formats.timestamps import Timestamps

#: The fields of each kind, in the order of the documentation.
_FIELDS = {kind: tuple(event.__annotations__) for kind, event in EVENTS.items()}


class Records:
    """Makes records of events."""

    def __init__(self) -> None:
        """Start without a cached second."""
        self._times = Timestamps("%Y-%m-%dT%H:%M:%S")

    def record(self, event: LogEvent) -> dict[str, Any]:
        """Return the values of an event: None, numbers and texts.

        ``time`` comes first, in UTC with milliseconds (RFC 3339 section 5.6). Texts are no longer than ``LONGEST``
        characters, seconds have six places.

        Args:
            event: An access event.
        """
        seconds = event.get("log_time") or time.time()
        record: dict[str, Any] = {"time": f"{self._times.text(seconds)}.{int(seconds % 1 * 1000):03d}Z"}
        for name in _FIELDS[event["event"]]:
            if name in event:
                value = event[name]
                kind = type(value)
                short = kind is str and len(value) <= LONGEST and value.isascii()
                record[name] = value if short or kind is int or value is None else _plain(value)
        return record


def _plain(value: object) -> object:
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    if not text.isascii():
        # Half a surrogate pair, which only an application could have put there, is no text in JSON (RFC 8259, 8.2).
        text = text.encode("utf-8", "replace").decode("utf-8")
    return shorten(text)
