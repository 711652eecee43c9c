"""The short way of sending, and one write for what is sent while a read is worked off."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.exception import Disconnected

from tests.protocols.websocket.support import BINARY, PING, PONG, TEXT, Connection, Echo, WebSocketTestCase, frame
from tests.protocols.websocket.wire import Wire


class Writes(Wire):
    """Notes each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        super().write(data)


class GatheringTestCase(WebSocketTestCase):
    """Counts what reaches the transport."""

    def open(self, **options: Any) -> tuple[Connection, list[bytes]]:
        connection = self.connect(ping_interval=None, **options)
        connection.wire.__class__ = Writes
        connection.wire.writes = []
        connection.protocol.transport = connection.protocol.transport  # how it is written to is looked up there
        return connection, connection.wire.writes


class OneWrite(GatheringTestCase):
    """One write per read."""

    def test_several_messages(self) -> None:
        """The answers to all frames of a read leave together, pongs among them, in order."""
        connection, writes = self.open()
        connection.receive(frame(TEXT, b"a") * 8 + frame(PING, b"p") + frame(BINARY, b"b"))
        assert len(writes) == 1
        assert connection.frames == [(TEXT, b"a")] * 8 + [(PONG, b"p"), (BINARY, b"b")]
        self.end(connection)

    def test_between_reads(self) -> None:
        """What is sent at another time is written at once."""
        connection, writes = self.open()
        connection.protocol.sendMessage(b"a")
        connection.protocol.sendMessage(b"b")
        assert len(writes) == 2
        self.end(connection)

    def test_a_producer_that_sends_when_it_is_paused(self) -> None:
        """What is sent from within the write of a read's answers is not lost with them."""
        connection, writes = self.open()

        class Paused(Writes):
            def write(self, data: bytes) -> None:
                super().write(data)
                if len(writes) == 1:
                    connection.protocol.sendMessage(b"paused")

        connection.wire.__class__ = Paused
        connection.protocol.transport = connection.protocol.transport
        connection.receive(frame(TEXT, b"a"))
        assert connection.messages == [b"a", b"paused"]
        self.end(connection)

    def test_much(self) -> None:
        """No more than 64 KiB are kept: an application that answers with more than it gets is written as it goes."""
        connection, writes = self.open(max_unsent=None)
        connection.protocol.onMessage = lambda payload, _: connection.protocol.sendMessage(bytes(50_000))
        connection.receive(frame(TEXT, b"a") * 20)
        assert len(writes) >= 10
        assert max(map(len, writes)) <= 2 * 65_536
        assert sum(map(len, connection.messages)) == 20 * 50_000
        self.end(connection)

    def test_an_application_that_fails(self) -> None:
        """What was sent before the failure stands before the Close."""
        connection, writes = self.open()
        echo = connection.protocol.onMessage

        def fail(payload: bytes, isBinary: bool) -> None:
            echo(payload, isBinary)
            if payload == b"c":
                raise RuntimeError("on purpose")

        connection.protocol.onMessage = fail
        connection.receive(b"".join(frame(TEXT, octet) for octet in (b"a", b"b", b"c", b"d")))
        assert connection.messages == [b"a", b"b", b"c"]
        assert connection.close_code == 1011
        assert len(writes) == 1
        assert len(self.flushLoggedErrors(RuntimeError)) == 1
        self.end(connection)


class Leaving(Echo):
    """Sends and then does to the transport what its message says."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        super().onMessage(payload, isBinary)
        if payload.startswith(b"transport."):
            getattr(self.transport, payload[10:].decode())()
        elif payload.startswith(b"raw"):
            self.transport.write(payload[3:])


class Order(GatheringTestCase):
    """Whoever uses the transport finds on it what was sent before."""

    protocol = Leaving

    def test_own_writes(self) -> None:
        """What the application writes itself stands where it was written."""
        connection, _ = self.open()
        connection.receive(frame(TEXT, b"a") + frame(BINARY, b"raw\x8a\x01!") + frame(TEXT, b"b"))
        assert connection.frames == [(TEXT, b"a"), (BINARY, b"raw\x8a\x01!"), (PONG, b"!"), (TEXT, b"b")]
        self.end(connection)

    def test_closing(self) -> None:
        """What was sent before the transport is closed arrives."""
        connection, writes = self.open()
        connection.receive(frame(TEXT, b"a") + frame(TEXT, b"transport.loseConnection") + frame(TEXT, b"b"))
        assert len(writes[0]) == 3 + 2 + 24
        assert connection.messages[:2] == [b"a", b"transport.loseConnection"]
        self.end(connection)


class Arguments(WebSocketTestCase):
    """``sendMessage`` takes and refuses what Autobahn's does."""

    def test_wrong_types(self) -> None:
        """A text, a number for a truth value: refused with Autobahn's own words, and nothing is sent."""
        connection = self.connect(ping_interval=None)
        send = connection.protocol.sendMessage
        for arguments in (("text",), (bytearray(b"x"),), (b"", 1), (b"", False, "1"), (b"", False, None, 0)):
            with pytest.raises(AssertionError):
                send(*arguments)
        with pytest.raises(AssertionError):
            send(b"", doNotCompress=None)
        connection.flush()
        assert connection.frames == []
        self.end(connection)

    def test_closed(self) -> None:
        """On a connection that is not open it raises Disconnected."""
        connection = self.connect(ping_interval=None)
        connection.protocol.sendClose()
        with pytest.raises(Disconnected):
            connection.protocol.sendMessage(b"late")
        self.end(connection)

    def test_options(self) -> None:
        """Fragments and queued writes are made as ever, in order with what is sent beside them."""
        connection = self.connect(ping_interval=None)
        send = connection.protocol.sendMessage
        send(b"abc", fragmentSize=2)
        send(b"queued", sync=True)
        send(b"behind", isBinary=True)
        for _ in range(5):
            self.clock.advance(0.001)
        connection.flush()
        assert connection.frames == [(0x101, b"ab"), (0, b"c"), (TEXT, b"queued"), (BINARY, b"behind")]
        send(b"short")
        connection.flush()
        assert connection.messages[-1] == b"short"
        self.end(connection)
