"""Children that end are seen on a uvloop loop."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.protocol import ProcessProtocol

from tests.reactor.running import new_reactor, run
from upgradegw.reactor.children import watch_children


@pytest.fixture(autouse=True)
def _signal() -> Iterator[None]:
    """Leave the signal as it was."""
    before = signal.signal(signal.SIGCHLD, lambda *_: None)
    yield
    signal.signal(signal.SIGCHLD, before)


class Child(ProcessProtocol):
    """Remembers how it ended."""

    def __init__(self) -> None:
        self.output = b""
        self.reason: Any = None

    def outReceived(self, data: bytes) -> None:
        self.output += data

    def processEnded(self, reason: Any) -> None:
        self.reason = reason


def test_children_that_end_are_seen() -> None:
    """With their output and their status."""
    children = [Child() for _ in range(2)]
    with new_reactor() as reactor:

        def start() -> None:
            watch_children(reactor.loop)
            for status, child in enumerate(children):
                code = f"import sys; print('x'); sys.exit({status})"
                reactor.spawnProcess(child, sys.executable, [sys.executable, "-c", code], env=None)

        run(reactor, lambda: all(child.reason for child in children), start)
    assert [child.output for child in children] == [b"x\n", b"x\n"]
    assert [child.reason.value.exitCode for child in children] == [0, 1]


def test_signals_are_left_alone_where_the_reactor_was_told_so() -> None:
    """Then there is no function that handles SIGCHLD; nor may any but the main thread set one."""
    with new_reactor() as reactor:
        ours = signal.getsignal(signal.SIGCHLD)
        other = threading.Thread(target=watch_children, args=(reactor.loop,))
        other.start()
        other.join()
        assert signal.getsignal(signal.SIGCHLD) is ours
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        watch_children(reactor.loop)
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_DFL
