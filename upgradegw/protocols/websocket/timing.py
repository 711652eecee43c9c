"""Time as Autobahn has it: its timers run on the clock that txaio is configured with, and so do ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import txaio


def call_later(seconds: float, call: Callable[..., None], *args: Any) -> Any:
    """Call later on Autobahn's clock; the result has ``cancel`` and ``active``."""
    return txaio.call_later(seconds, call, *args)


def seconds() -> float:
    """Return the time of Autobahn's clock."""
    clock: Any = txaio.config.loop
    if clock is None:
        from twisted.internet import reactor as clock  # noqa: PLC0415 - importing this module installs no reactor
    return clock.seconds()  # type: ignore[no-any-return]


class Bucket:
    """A rate with a burst of one second's worth."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: float) -> None:
        """Start full.

        Args:
            rate: How many may pass a second.
        """
        self._rate = rate
        self._left = rate
        self._at: float | None = None

    def take(self) -> bool:
        """Let one pass, or say that it must not."""
        now = seconds()
        if self._at is not None:
            self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
