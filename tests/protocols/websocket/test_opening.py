"""Autobahn's interfaces on an open connection."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import txaio
from autobahn.twisted.websocket import (
    WampWebSocketServerFactory,
    WebSocketServerFactory,
    WebSocketServerProtocol,
    WrappingWebSocketServerFactory,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock

from tests.memory import WEBSOCKET, Memory
from tests.protocols.websocket.support import BINARY, TEXT, Echo, WebSocketTestCase, close, frame
from upgradegw.interfaces import Accept
from upgradegw.protocols.websocket import websocket
from upgradegw.web.resource import UpgradeResource


class Speaking(Echo):
    """Speaks first, in every way there is."""

    def onOpen(self) -> None:
        super().onOpen()
        self.sendMessage(b"hello")
        self.beginMessage(isBinary=True)
        self.beginMessageFrame(3)
        self.sendMessageFrameData(b"abc")
        self.sendMessageFrame(b"d")
        self.endMessage()
        self.sendPreparedMessage(self.factory.prepareMessage(b"prepared", isBinary=False))
        self.sendMessage(b"sync", sync=True)
        self.sendMessage(b"12345", fragmentSize=2)
        self.sendPing(b"ping")


class Apis(WebSocketTestCase):
    """Autobahn's interfaces."""

    def test_on_open(self) -> None:
        """What onOpen sends comes behind the 101."""
        self.factory.protocol = Speaking
        connection = self.connect()
        self.advance(1)
        connection.flush()
        assert connection.head.startswith(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n")
        assert connection.frames == [
            (TEXT, b"hello"),
            (258, b"abc"),
            (256, b"d"),
            (0, b""),
            (TEXT, b"prepared"),
            (TEXT, b"sync"),
            (257, b"12"),
            (256, b"34"),
            (0, b"5"),
            (9, b"ping"),
        ]
        self.end(connection)

    def test_is_open_and_is_closed(self) -> None:
        """Autobahn's Deferreds fire."""
        connection = self.connect()
        self.successResultOf(connection.protocol.is_open)
        self.assertNoResult(connection.protocol.is_closed)
        connection.receive(close(1000))
        self.successResultOf(connection.protocol.is_closed)

    def test_is_closed_asked_late(self) -> None:
        """Whoever asks when the connection is gone is told so, too."""
        connection = self.connect()
        connection.receive(close(1000))
        self.end(connection)
        assert self.successResultOf(connection.protocol.is_closed) is connection.protocol

    def test_nothing_is_left_for_the_garbage_collector(self) -> None:
        """A connection that has ended is freed at once: nothing of it refers to itself."""
        seen: list[weakref.ref[Any]] = []

        class Remembered(WebSocketServerProtocol):
            def onOpen(self) -> None:
                seen.append(weakref.ref(self))

        factory = WebSocketServerFactory()
        factory.protocol = Remembered
        memory = Memory(UpgradeResource([websocket(factory)]))
        memory.send(WEBSOCKET, frame(TEXT, b"hello"), close(1000))
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        memory.transport.lose()
        assert seen[0]() is not None
        memory.transport.protocol = None  # as sockets do
        assert seen[0]() is None

    def test_instances(self) -> None:
        """A protocol stays an instance of its class, by its name."""
        connection = self.connect()
        assert isinstance(connection.protocol, Echo)
        assert type(connection.protocol).__name__ == "Echo"
        assert type(connection.protocol) is type(self.connect().protocol)

    def test_upgraded(self) -> None:
        """A protocol with ``upgraded`` gets the info behind the 101."""

        class Curious(Echo):
            def upgraded(self, info: Any) -> None:
                self.seen.append(info)

        self.factory.protocol = Curious
        connection = self.connect()
        assert connection.protocol.seen == [self.asked, "open"]
        self.end(connection)

    def test_overrides(self) -> None:
        """What an application overrides of the transport's side is called as ever."""

        class Low(Echo):
            def dataReceived(self, data: bytes) -> None:
                self.seen.append(len(data))
                super().dataReceived(data)

            def sendData(self, data: bytes, *args: Any) -> None:
                self.seen.append("send")
                super().sendData(data, *args)

        self.factory.protocol = Low
        connection = self.connect().receive(frame(TEXT, b"x"))
        assert connection.protocol.seen == ["open", 7, b"x", "send"]
        self.end(connection)

    def test_streaming(self) -> None:
        """onMessageBegin and the like are called as Autobahn does."""

        class Streaming(Echo):
            def onMessageBegin(self, isBinary: bool) -> None:
                super().onMessageBegin(isBinary)
                self.seen.append(("begin", isBinary))

            def onMessageFrameData(self, payload: bytes) -> None:
                self.seen.append(payload)

            def onMessageEnd(self) -> None:
                self.seen.append("end")

        self.factory.protocol = Streaming
        connection = self.connect().receive(frame(TEXT, b"a", fin=False), frame(0, b"b"))
        assert connection.protocol.seen == ["open", ("begin", False), b"a", b"b", "end"]
        self.end(connection)

    def test_coroutines(self) -> None:
        """onMessage may be a coroutine function."""

        class Async(Echo):
            async def onMessage(self, payload: bytes, isBinary: bool) -> None:  # type: ignore[override]
                self.sendMessage(payload[::-1], isBinary)

        self.factory.protocol = Async
        assert self.connect().receive(frame(TEXT, b"abc")).messages == [b"cba"]

    def test_timings(self) -> None:
        """trackTimings works."""

        class Timed(Echo):
            def onConnect(self, request: Any) -> None:
                self.setTrackTimings(True)

        self.factory.protocol = Timed
        assert self.connect().protocol.trackedTimings["onOpen"] is not None

    def test_wrapping_factories(self) -> None:
        """A factory that carries any Twisted protocol over WebSocket."""

        class Lines(Protocol):
            def connectionMade(self) -> None:
                self.transport.write(b"hello")

            def dataReceived(self, data: bytes) -> None:
                self.transport.write(data.upper())

        self.factory = WrappingWebSocketServerFactory(Factory.forProtocol(Lines), "ws://localhost", reactor=Clock())
        self.factory.noisy = False
        connection = self.connect((b"Sec-WebSocket-Protocol", b"binary")).receive(frame(BINARY, b"abc"))
        assert connection.messages == [b"hello", b"ABC"]
        denied = self.prepare()
        assert denied.status == 406

    def test_wamp(self) -> None:
        """A WAMP factory: subprotocol, session, messages both ways."""
        sessions = []

        class Session:
            _authid = _session_id = None

            def __init__(self) -> None:
                self.seen: list[Any] = []
                sessions.append(self)

            def onOpen(self, transport: Any) -> None:
                self.transport = transport

            def onMessage(self, message: Any) -> None:
                self.seen.append(message)
                self.transport.send(message)

            def onClose(self, was_clean: bool) -> None:
                self.seen.append(was_clean)

        self.factory = WampWebSocketServerFactory(Session, reactor=Clock())
        self.factory.noisy = False
        hello = b'[1,"realm1",{"roles":{"publisher":{}}}]'
        connection = self.connect((b"Sec-WebSocket-Protocol", b"wamp.2.json, wamp.2.cbor")).receive(frame(TEXT, hello))
        assert (b"Sec-WebSocket-Protocol", b"wamp.2.json") in connection.accept.fields
        (session,) = sessions
        assert session.seen[0].realm == "realm1"
        assert len(connection.messages) == 1
        connection.receive(close(1000))
        assert session.seen[-1] is True
        assert self.prepare().status == 400

    def test_clock(self) -> None:
        """The timers are on the clock that txaio is configured with."""
        assert txaio.config.loop is self.clock
        connection = self.connect()
        assert len(self.clock.getDelayedCalls()) == 1
        self.end(connection)

    def test_plain_protocol_class(self) -> None:
        """Autobahn's own class as it is: pings are answered, messages ignored."""
        self.factory.protocol = WebSocketServerProtocol
        connection = self.connect().receive(frame(TEXT, b"x"), frame(9, b"p"))
        assert connection.frames == [(10, b"p")]
        accept = connection.accept
        assert isinstance(accept, Accept)
        self.end(connection)
