"""Signals for as long as the server runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any


class CaughtSignals:
    """Signals turned into calls in the reactor, with what was there before kept."""

    def __init__(self, reactor: Any) -> None:
        """Call in a reactor's thread.

        Args:
            reactor: The reactor.
        """
        self._reactor = reactor
        self._kept: dict[signal.Signals, Any] = {}

    def replace(self, number: signal.Signals, action: Callable[[], None]) -> None:
        """Call ``action`` at a signal; Python allows this in the main thread only, elsewhere nothing happens."""
        if threading.current_thread() is not threading.main_thread():
            return
        previous = signal.signal(number, lambda _number, _frame: self._reactor.callFromThread(action))
        self._kept.setdefault(number, previous)

    def restore(self) -> None:
        """Bring back what was there before."""
        kept, self._kept = self._kept, {}
        for number, handler in kept.items():
            signal.signal(number, handler)
