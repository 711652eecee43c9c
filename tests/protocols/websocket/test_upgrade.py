"""Factories and applications that fail before a connection is open."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.websocket.types import ConnectionDeny
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol

from tests.protocols.websocket.support import WebSocketTestCase, close, failed, raiser
from tests.protocols.websocket.wire import Wire
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.websocket import websocket


class Failures(WebSocketTestCase):
    """A-45: factories and onConnect that fail."""

    def setUp(self) -> None:
        super().setUp()
        self.built: list[Any] = []
        self.running = 0
        self.factory.startFactory = lambda: self.count(1)
        self.factory.stopFactory = lambda: self.count(-1)
        build = self.factory.buildProtocol

        def remember(address: Any) -> Any:
            self.built.append(build(address))
            self.address = address
            return self.built[-1]

        self.factory.buildProtocol = remember

    def count(self, change: int) -> None:
        self.running += change

    def assert_over(self) -> None:
        """Nothing is left: onClose was called, the factory counts nobody and is stopped."""
        assert self.built[-1].seen[0][:3] == ("close", False, 1006)
        assert len(self.built[-1].seen) == 1
        assert self.factory.getConnectionCount() == 0
        assert self.running == 0
        assert self.asked_on.sent == b""
        assert self.asked_on.connected
        self.assert_no_timers()

    def test_no_protocol(self) -> None:
        """buildProtocol returns None: 503."""
        self.factory.buildProtocol = lambda _address: None
        assert self.prepare() == Refuse(Reason.NO_PROTOCOL, 503)
        assert self.running == 0

    def test_build_fails(self) -> None:
        """buildProtocol raises, or builds something else: the exception is passed on."""
        for build, kind in ((raiser(KeyError()), KeyError), (lambda _address: Protocol(), TypeError)):
            self.factory.buildProtocol = build
            with pytest.raises(kind):
                self.prepare()
            assert self.running == 0

    def test_on_connect_raises(self) -> None:
        """The exception is passed on, at once or later, and the protocol learns that it was in vain."""
        self.factory.answer = raiser(KeyError("x"))
        with pytest.raises(KeyError):
            self.prepare()
        self.assert_over()
        self.factory.answer = lambda _request: failed(KeyError("x"))
        self.failureResultOf(self.prepare(), KeyError)
        self.assert_over()

    def test_on_connect_never_answers(self) -> None:
        """The caller's deadline cancels what onConnect waits for."""
        cancelled = []
        waiting: Deferred[Any] = Deferred(cancelled.append)
        self.factory.answer = lambda _request: waiting
        outcome = self.prepare()
        self.assertNoResult(outcome)
        assert self.factory.getConnectionCount() == 1
        outcome.cancel()
        assert cancelled == [waiting]
        self.failureResultOf(outcome, CancelledError)
        self.assert_over()

    def test_denied(self) -> None:
        """A denied connection's onClose says so."""
        self.factory.answer = raiser(ConnectionDeny(403, "not you"))
        self.prepare()
        self.assert_over()

    def test_never_switched(self) -> None:
        """Accepted, but the client has left before the switch."""
        accept = self.prepare()
        assert self.running == 1
        accept.release()
        self.assert_over()
        assert self.address.port == 50123

    def test_dropped_in_on_connect(self) -> None:
        """A connection that the application drops before it is open never opens."""
        connection = None

        def drop(_request: Any) -> None:
            self.built[-1].dropConnection()

        self.factory.answer = drop
        connection = self.connect()
        assert not connection.open
        assert self.built[-1].seen[0][:3] == ("close", False, 1006)
        assert self.factory.getConnectionCount() == 0
        assert self.running == 0

    def test_no_producer_before_the_opening(self) -> None:
        """In onConnect the transport is still HTTP's: a producer cannot be registered, nor HTTP's unregistered."""

        def register(_request: Any) -> None:
            self.built[-1].unregisterProducer()
            self.built[-1].registerProducer(None, True)

        self.factory.answer = register
        with pytest.raises(RuntimeError, match="not in onConnect"):
            self.prepare()

    def test_max_connections(self) -> None:
        """A-40: the factory's maxConnections holds: 503 with Retry-After."""
        self.factory.setProtocolOptions(maxConnections=2)
        first, second = self.connect(), self.connect()
        refused = self.prepare()
        assert (refused.reason, refused.status) == (Reason.TOO_MANY_CONNECTIONS, 503)
        assert refused.fields[0][0] == b"Retry-After"
        first.receive(close(1000))
        third = self.connect()
        second.receive(close(1000))
        self.end(third)

    def test_prepare_needs_a_check(self) -> None:
        """What check() returned must be in the info."""
        upgrade = websocket(self.factory)
        info = self.info(upgrade)
        object.__setattr__(info, "checked", None)
        with pytest.raises(TypeError, match="check"):
            upgrade.prepare(info, Wire())
