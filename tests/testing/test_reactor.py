"""Time in memory: it passes from call to call, and what follows from one happens before the next."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Protocol

from upgradegw.testing import Reactor
from upgradegw.testing.ends import pair, start

HERE, THERE = IPv4Address("TCP", "192.0.2.7", 40001), IPv4Address("TCP", "192.0.2.1", 80)


def test_calls_are_made_at_their_time() -> None:
    """A call sees the time for which it was made, also one that another call makes."""
    reactor, seen = Reactor(), []

    def tick() -> None:
        seen.append(round(reactor.seconds(), 6))
        reactor.callLater(0.3, tick)

    reactor.callLater(0.3, tick)
    reactor.advance(1)
    assert seen == [0.3, 0.6, 0.9]
    assert reactor.seconds() == 1


def test_bytes_arrive_between_calls() -> None:
    """What a call writes has been answered when the next one is made."""
    reactor = Reactor()
    heard: list[Any] = []

    class Answering(Protocol):
        def dataReceived(self, data: bytes) -> None:
            self.transport.write(data.upper())  # type: ignore[union-attr]

    class Hearing(Protocol):
        def dataReceived(self, data: bytes) -> None:
            heard.append((reactor.seconds(), data))

    client, server = pair(reactor, HERE, THERE, 65536)
    start(client, Hearing())
    start(server, Answering())
    reactor.callLater(1, client.write, b"one")
    reactor.callLater(2, client.write, b"two")
    reactor.callLater(2, lambda: heard.append("second 2"))
    reactor.advance(5)
    assert heard == [(1, b"ONE"), "second 2", (2, b"TWO")]


def test_no_rest() -> None:
    """A call that calls itself again without delay is noticed, not waited for."""
    reactor = Reactor()

    def again() -> None:
        reactor.callLater(0, again)

    again()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("upgradegw.testing.reactor._TOO_MANY", 100)
        with pytest.raises(RuntimeError, match="never come to rest"):
            reactor.turn()


def test_a_call_may_let_time_pass() -> None:
    """``advance`` from inside of a call is Clock's own: nobody's turn is taken."""
    reactor, seen = Reactor(), []
    reactor.callLater(1, reactor.advance, 5)
    reactor.callLater(3, lambda: seen.append(reactor.seconds()))
    reactor.advance(1)
    reactor.turn()
    assert seen == [6]
