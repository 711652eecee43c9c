"""Signals become calls in the reactor."""

from __future__ import annotations

import os
import signal
import threading

from twisted.internet.testing import MemoryReactorClock

from upgradegw.service.signals import CaughtSignals, survive_hangup


def test_a_signal_is_a_call_in_the_reactor() -> None:
    """The action runs in the reactor's thread, not in the middle of whatever Python was doing."""
    calls: list[str] = []

    class Reactor(MemoryReactorClock):
        def callFromThread(self, callable: object, *args: object, **kw: object) -> None:  # noqa: A002 - Twisted's name
            calls.append("from thread")
            callable()  # type: ignore[operator]

    before = signal.getsignal(signal.SIGUSR2)
    signals = CaughtSignals(Reactor())
    signals.replace(signal.SIGUSR2, lambda: calls.append("first"))
    signals.replace(signal.SIGUSR2, lambda: calls.append("second"))
    os.kill(os.getpid(), signal.SIGUSR2)
    assert calls == ["from thread", "second"]
    signals.restore()
    assert signal.getsignal(signal.SIGUSR2) == before


def test_other_threads_leave_signals_alone() -> None:
    """Python allows the main thread only; a service that runs elsewhere still runs."""
    before = signal.getsignal(signal.SIGUSR2)
    signals = CaughtSignals(MemoryReactorClock())
    thread = threading.Thread(target=signals.replace, args=(signal.SIGUSR2, lambda: None))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGUSR2) == before


def test_a_hangup_before_the_server_runs_does_not_end_it() -> None:
    """SIGHUP's default, which is the end, is taken away before anything is bound; what somebody has set stays."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        survive_hangup()
        os.kill(os.getpid(), signal.SIGHUP)  # ends this process if nothing was done
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        survive_hangup()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
