"""Who sees how frames are received and sent, and that the short ways leave nobody out."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.internet.defer import fail

from tests.protocols.websocket.support import BINARY, TEXT, Echo, WebSocketTestCase, frame
from upgradegw.protocols.websocket.observing import RECEIVING, SENDING, receives_as_autobahn, sends_as_autobahn


class Plain(WebSocketServerProtocol):
    """Has what every application has."""

    def onConnect(self, request: Any) -> None: ...
    def onOpen(self) -> None: ...
    def onMessage(self, payload: bytes, isBinary: bool) -> None: ...
    def onPing(self, payload: bytes) -> None: ...
    def onPong(self, payload: bytes) -> None: ...
    def onClose(self, wasClean: bool, code: Any, reason: Any) -> None: ...


def test_plain_classes() -> None:
    """What Autobahn's documentation has an application override at the end of the steps is no observer."""
    assert receives_as_autobahn(Plain)
    assert sends_as_autobahn(Plain)


@pytest.mark.parametrize("name", sorted(RECEIVING | SENDING))
def test_overridden_steps(name: str) -> None:
    """Every step exists in Autobahn, and a class that overrides it goes the long way."""
    assert hasattr(WebSocketServerProtocol, name)
    kind = type("Kind", (Plain,), {name: staticmethod(print)})
    assert receives_as_autobahn(kind) == (name not in RECEIVING)
    assert sends_as_autobahn(kind) == (name not in SENDING)


class OnTheProtocol(WebSocketTestCase):
    """Observers that come and go on one protocol."""

    def test_methods(self) -> None:
        """Each step that is replaced on the protocol is taken from the next message on, until it is restored."""
        hooks = [*sorted(name for name in RECEIVING if name.startswith("on")), "sendFrame", "sendData"]
        for name in hooks:
            connection = self.connect(ping_interval=None).receive(frame(TEXT, b"before"))
            protocol = connection.protocol
            original, calls = getattr(protocol, name), []

            def note(*args: Any, original: Any = original, calls: list[Any] = calls, **options: Any) -> Any:
                calls.append(args)
                return original(*args, **options)

            setattr(protocol, name, note)
            connection.receive(frame(BINARY, b"now"))
            assert len(calls) == 1, name
            delattr(protocol, name)
            connection.receive(frame(BINARY, b"then"))
            assert len(calls) == 1, name
            assert connection.messages == [b"before", b"now", b"then"]
            self.end(connection)

    def test_listeners(self) -> None:
        """``on("message")`` is told of every message from then on, the present one included."""
        connection = self.connect(ping_interval=None)
        heard: list[Any] = []
        connection.protocol.on("message", lambda payload, is_binary: heard.append((payload, is_binary)))
        connection.receive(frame(TEXT, b"a") + frame(BINARY, b"b"))
        assert heard == [(b"a", False), (b"b", True)]
        connection.protocol.off("message")
        connection.receive(frame(TEXT, b"c"))
        assert len(heard) == 2
        self.end(connection)

    def test_a_listener_that_fails(self) -> None:
        """What a listener raises that came while the message was there is logged, and costs nothing else."""
        connection = self.connect(ping_interval=None)
        protocol = connection.protocol
        echo = protocol.onMessage

        def listen(payload: bytes, isBinary: bool) -> None:
            echo(payload, isBinary)
            protocol.fire = lambda *_, **__: fail(RuntimeError("on purpose"))

        protocol.onMessage = listen
        connection.receive(frame(TEXT, b"a") + frame(TEXT, b"b"))
        assert connection.messages == [b"a", b"b"]
        assert connection.open
        assert self.flushLoggedErrors(RuntimeError)
        self.end(connection)

    def test_timings_and_logs(self) -> None:
        """Tracked timings and logs of frames and octets are kept from the moment they are asked for."""
        connection = self.connect(ping_interval=None).receive(frame(TEXT, b"a"))
        protocol = connection.protocol
        protocol.setTrackTimings(True)
        frames, octets = [], []
        protocol.logRxFrame = lambda header, payload: frames.append((header.opcode, b"".join(payload)))
        protocol.logTxOctets = lambda data, sync: octets.append((data, sync))
        protocol.logFrames = protocol.logOctets = True
        connection.receive(frame(TEXT, b"b"))
        assert frames == [(TEXT, b"b")]
        assert octets == [(b"\x81\x01b", False)]
        assert {"onMessageBegin", "onMessage", "sendMessage"} <= set(protocol.trackedTimings)
        self.end(connection)


class Limits(WebSocketTestCase):
    """Settings that change while the connection is open."""

    protocol = Echo

    def test_a_limit_on_the_protocol(self) -> None:
        """A limit that the application sets later holds for the next frame."""
        connection = self.connect(ping_interval=None).receive(frame(TEXT, b"a" * 50))
        connection.protocol.maxMessagePayloadSize = 40
        connection.receive(frame(TEXT, b"a" * 40))
        connection.protocol.maxFramePayloadSize = 30
        connection.receive(frame(TEXT, b"a" * 31))
        assert [len(message) for message in connection.messages] == [50, 40]
        assert connection.close_code == 1009
        self.end(connection)
