"""What the failure of an application costs: its own connection, with a Close 1011."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail

from tests.memory import WEBSOCKET, Memory
from tests.protocols.websocket.support import (
    BINARY,
    PING,
    PONG,
    TEXT,
    Echo,
    WebSocketTestCase,
    close,
    frame,
)
from upgradegw.protocols.websocket import websocket
from upgradegw.web.resource import UpgradeResource


class Failing(Echo):
    """Fails where the test says."""

    def fail(self, what: Any) -> Any:
        if what == b"raise":
            raise KeyError(what)
        if what == b"deferred":
            return fail(KeyError(what))
        if what == b"coroutine":
            return self.fail_later()
        return None

    async def fail_later(self) -> None:
        await self.factory.later
        raise KeyError

    def onOpen(self) -> Any:
        super().onOpen()
        return self.fail(self.factory.open)

    def onMessage(self, payload: bytes, isBinary: bool) -> Any:
        super().onMessage(payload, isBinary)
        return self.fail(payload)

    def onPing(self, payload: bytes) -> Any:
        return self.fail(payload)

    def onPong(self, payload: bytes) -> Any:
        return self.fail(payload)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> Any:
        super().onClose(wasClean, code, reason)
        return self.fail(self.factory.close)


class FailingEarly(Failing):
    """Fails before it is open."""

    def upgraded(self, info: Any) -> None:
        self.fail(self.factory.upgraded)

    def connectionMade(self) -> None:
        super().connectionMade()
        self.fail(self.factory.made)


class EarlyFailures(WebSocketTestCase):
    """A-45: what fails before the opening is counted out once, so that maxConnections stays right."""

    protocol = FailingEarly

    def setUp(self) -> None:
        super().setUp()
        self.factory.open = self.factory.close = self.factory.upgraded = self.factory.made = b""

    def test_upgraded(self) -> None:
        """``upgraded`` raises: onClose is called once."""
        self.factory.upgraded = b"raise"
        memory = Memory(UpgradeResource([websocket(self.factory)]))
        memory.send(WEBSOCKET)
        assert len(self.flushLoggedErrors(KeyError)) == 1
        memory.transport.lose()
        assert self.factory.countConnections == 0

    def test_connection_made(self) -> None:
        """An overridden ``connectionMade`` raises: 500, and nothing stays counted."""
        self.factory.made = b"raise"
        memory = Memory(UpgradeResource([websocket(self.factory)]))
        memory.send(WEBSOCKET)
        assert len(self.flushLoggedErrors(KeyError)) == 1
        assert memory.status == 500
        assert self.factory.countConnections == 0


class ApplicationFailures(WebSocketTestCase):
    """A-45: user code that raises costs its own connection: Close 1011, a traceback in the log."""

    protocol = Failing

    def setUp(self) -> None:
        super().setUp()
        self.factory.open = self.factory.close = b""
        self.factory.later = Deferred()
        self.factory.later.callback(None)

    def test_on_message(self) -> None:
        """onMessage raises, or its Deferred or coroutine fails."""
        for what in (b"raise", b"deferred", b"coroutine"):
            connection = self.connect().receive(frame(TEXT, what) + frame(TEXT, b"behind"))
            assert len(self.flushLoggedErrors(KeyError)) == 1
            assert connection.messages[0] == what
            self.assert_ended(connection, 1011, "application_error")

    def test_on_message_in_every_split(self) -> None:
        """The client's Close is understood wherever the failure left the parser."""
        data = frame(TEXT, b"rai", fin=False) + frame(0, b"se") + frame(BINARY, bytes(200)) + close(1011)
        for at in range(1, len(data)):
            connection = self.connect().receive(data[:at], data[at:])
            assert len(self.flushLoggedErrors(KeyError)) == 1
            assert connection.close_code == 1011
            assert not connection.open
            self.assert_no_timers()

    def test_on_ping_and_pong(self) -> None:
        """onPing or onPong raises."""
        for opcode in (PING, PONG):
            connection = self.connect().receive(frame(opcode, b"raise"))
            assert len(self.flushLoggedErrors(KeyError)) == 1
            self.assert_ended(connection, 1011, "application_error")

    def test_on_open(self) -> None:
        """onOpen raises behind the 101."""
        self.factory.open = b"raise"
        connection = self.connect()
        assert len(self.flushLoggedErrors(KeyError)) == 1
        assert b" 101 " in connection.head
        self.assert_ended(connection, 1011, "application_error")

    def test_on_close(self) -> None:
        """onClose raises: logged, and the connection still counts as ended."""
        self.factory.close = b"raise"
        connection = self.connect().receive(close(1000))
        assert len(self.flushLoggedErrors(KeyError)) == 1
        assert connection.summary is not None
        assert connection.summary.reason == "closed"
        assert self.factory.getConnectionCount() == 0
        self.assert_no_timers()

    def test_late_failure(self) -> None:
        """A coroutine that fails when the connection is gone is logged."""
        self.factory.later = Deferred()
        connection = self.connect().receive(frame(TEXT, b"coroutine"))
        self.end(connection)
        self.factory.later.callback(None)
        assert len(self.flushLoggedErrors(KeyError)) == 1

    def test_failure_while_closing(self) -> None:
        """A failure behind our own Close is logged; the client's Close is still awaited."""
        connection = self.connect()
        connection.protocol.sendClose(1000)
        connection.receive(frame(PONG, b"raise"))
        assert len(self.flushLoggedErrors(KeyError)) == 1
        assert connection.open
        self.assert_ended(connection, 1000, "closed")

    def test_other_connections_live(self) -> None:
        """A failure costs no other connection."""
        other = self.connect()
        self.connect().receive(frame(TEXT, b"raise"), close(1011))
        assert len(self.flushLoggedErrors(KeyError)) == 1
        assert other.receive(frame(TEXT, b"fine")).messages == [b"fine"]
        self.end(other)


class WrongInOnCloseFrame(Echo):
    """Fails in the callback for the client's Close."""

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> Any:
        raise KeyError(code)


class OnCloseFrame(WebSocketTestCase):
    """A-45: an override of onCloseFrame that fails."""

    protocol = WrongInOnCloseFrame

    def test_fails(self) -> None:
        """Close 1011; if it fails again behind it, the connection is closed."""
        connection = self.connect().receive(close(1000))
        assert connection.close_code == 1011
        connection.receive(close(1000))
        assert not connection.open
        assert len(self.flushLoggedErrors(KeyError)) == 2
        self.assert_no_timers()


class WrongInConnectionLost(Echo):
    """Fails where Twisted tells that the connection is gone."""

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        raise KeyError


class ConnectionLost(WebSocketTestCase):
    """A-45: an override of connectionLost that fails."""

    protocol = WrongInConnectionLost

    def test_fails(self) -> None:
        """Logged; the connection is summed up, and no timer is left."""
        connection = self.connect().receive(close(1000))
        assert len(self.flushLoggedErrors(KeyError)) == 1
        assert connection.summary is not None
        assert connection.summary.close_code == 1000
        self.assert_no_timers()
