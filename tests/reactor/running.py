"""A reactor of one test's own, on a loop of its own, run until something has happened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvloop
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientFactory, Factory
from twisted.internet.threads import deferToThreadPool

from tests.reactor.protocols import Remembering
from upgradegw.reactor import UvReactor

#: Seconds after which what did not happen never will.
PATIENCE = 10


@contextmanager
def new_reactor() -> Iterator[UvReactor]:
    """Make a reactor, and close its loop afterwards."""
    loop = uvloop.new_event_loop()
    reactor = UvReactor(loop)
    try:
        yield reactor
    finally:
        for _ in range(3):  # what is still open, as when the reactor ends; and what was accepted only now
            reactor.disconnectAll()
            loop.call_soon(loop.stop)
            loop.run_forever()
        loop.close()


def run(reactor: UvReactor, until: Callable[[], bool], start: Callable[[], Any] = lambda: None) -> None:
    """Run the reactor until something is so."""
    late: list[bool] = []

    def look() -> None:
        if until():
            reactor.stop()
        else:
            reactor.loop.call_later(0.001, look)

    def too_late() -> None:
        late.append(True)
        reactor.crash()

    patience = reactor.loop.call_later(PATIENCE, too_late)
    reactor.callWhenRunning(start)
    reactor.callWhenRunning(look)
    reactor.run(installSignalHandlers=False)
    patience.cancel()
    assert not late, "this did not happen"


def result_of(reactor: UvReactor, begin: Callable[[], Deferred[Any]]) -> Any:
    """Run the reactor until a Deferred fires, and return its result or raise its failure."""
    results: list[Any] = []
    run(reactor, lambda: bool(results), lambda: begin().addBoth(results.append))
    if hasattr(results[0], "raiseException"):
        results[0].raiseException()
    return results[0]


def converse(reactor: UvReactor, factory: Factory, scenario: Callable[[int], Any]) -> Any:
    """Serve, let a client do something in a thread, where waiting is no harm, and return its result.

    Args:
        reactor: A reactor.
        factory: What is served.
        scenario: What the client does, with the port.
    """
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    try:
        number = port.getHost().port
        return result_of(reactor, lambda: deferToThreadPool(reactor, reactor.getThreadPool(), scenario, number))
    finally:
        port.stopListening()


class Serving(Factory):
    """Makes protocols and keeps them."""

    def __init__(self, protocol: Callable[[], Any] = Remembering) -> None:
        self._make = protocol
        self.made: list[Any] = []
        self.addresses: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        self.addresses.append(addr)
        protocol = self._make()
        if protocol is not None:
            self.made.append(protocol)
        return protocol


class Connecting(ClientFactory):
    """Remembers what its connector tells it."""

    def __init__(self, protocol: Callable[[], Any] = Remembering) -> None:
        self._make = protocol
        self.made: list[Any] = []
        self.events: list[str] = []
        self.reason: Any = None

    def startFactory(self) -> None:
        self.events.append("start")

    def stopFactory(self) -> None:
        self.events.append("stop")

    def startedConnecting(self, connector: Any) -> None:
        self.events.append("connecting")

    def buildProtocol(self, addr: Any) -> Any:
        protocol = self._make()
        if protocol is not None:
            self.made.append(protocol)
        return protocol

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        self.events.append("failed")
        self.reason = reason

    def clientConnectionLost(self, connector: Any, reason: Any) -> None:
        self.events.append("lost")
        self.reason = reason
