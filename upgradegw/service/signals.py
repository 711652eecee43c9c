"""Signals for as long as the server runs."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any


def survive_hangup() -> None:
    """Let SIGHUP, whose default is to end the process, do nothing until the server runs and reads anew for it.

    Whoever connects to a port as soon as it is bound may also send the signal; and what it asks for is about to be
    read anyway.
    """
    main = threading.current_thread() is threading.main_thread()
    if main and signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda _number, _frame: None)


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
