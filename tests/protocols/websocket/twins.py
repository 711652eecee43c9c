"""Two connections that get the same bytes: one that takes the short ways, and one whose class looks at every step."""

from __future__ import annotations

import json
from itertools import zip_longest
from random import Random
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory
from autobahn.websocket.compress import PerMessageDeflateOfferAccept
from twisted.internet.error import ConnectionDone

from tests.protocols.websocket.frame_streams import Stream, reads
from tests.protocols.websocket.recorders import Looking, Making, Plain, Recorder
from tests.protocols.websocket.support import BASE, CLOSE, Connection, WebSocketTestCase, read_frames
from tests.protocols.websocket.wire import Wire
from upgradegw.protocols.websocket import websocket

LIMITS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"max_message_size": None},
    {"max_message_size": 500},
    {"max_frame_size": 120},
    {"message_timeout": None, "control_frames_per_second": 3, "max_fragments": 2},
    {"max_unsent": 1000},
)

DEFLATE = (b"Sec-WebSocket-Extensions", b"permessage-deflate")


class Twins(WebSocketTestCase):
    """Feeds both, and compares what can be seen after each read."""

    def runTest(self) -> None:
        """There is nothing to run: others ask for ``compare``."""

    def open(self, protocol: type, *fields: tuple[bytes, bytes], **options: Any) -> Connection:
        factory = WebSocketServerFactory(reactor=self.clock)
        factory.protocol = protocol
        factory.noisy = False
        factory.setProtocolOptions(perMessageCompressionAccept=lambda offers: PerMessageDeflateOfferAccept(offers[0]))
        factory.upgrade = websocket(factory, **options)
        return self.connect(*fields, upgrade=factory.upgrade)

    def compare(self, random: Random) -> int:
        """Compare two connections over one random stream; return how many calls there were."""
        options = {"ping_interval": None, **random.choice(LIMITS)}
        fields = (DEFLATE,) if random.random() < 0.4 else ()
        kind = random.choice((Recorder, Recorder, Making))
        one, other = self.open(kind, *fields, **options), self.open(Looking, *fields, **options)
        one.apart = random.random() < 0.5
        data = Stream(random, compresses=bool(fields)).bytes()
        for read in reads(random, data):
            one.receive(read)
            other.receive(read)
            assert_alike(one, other)
            if random.random() < 0.3:
                self.clock.advance(random.choice((0, 0.01, 1, 30)))
                one.flush()
                other.flush()
                assert_alike(one, other)
            if not one.open:
                break
        self.clock.advance(100)
        self.drain(one, other)
        one.flush()
        other.flush()
        for each in (one, other):
            if each.open:
                each.wire.end(RuntimeError("the client is gone"))
        assert_alike(one, other)
        assert one.summary == other.summary
        self.flushLoggedErrors()
        self.drain(one, other)
        self.assert_no_timers()
        return len(one.protocol.calls)

    def drain(self, *connections: Connection) -> None:
        """Let Autobahn's queues send, one message at a time."""
        while any(each.protocol.triggered for each in connections):
            self.clock.advance(0.001)


class AgainstAutobahn(Twins):
    """Feeds a connection of ours and one of Autobahn's alone."""

    def alone(self) -> tuple[Any, Wire]:
        """Return Autobahn's own connection behind its own handshake."""
        factory = WebSocketServerFactory("ws://server.example", reactor=self.clock)
        factory.protocol = Plain
        factory.noisy = False
        factory.setProtocolOptions(failByDrop=False, openHandshakeTimeout=0, maxMessagePayloadSize=1 << 20)
        protocol, wire = factory.buildProtocol(None), Wire()
        wire.protocol = protocol
        protocol.makeConnection(wire)
        lines = [b"GET /ws HTTP/1.1", *(name + b": " + value for name, value in BASE), b"", b""]
        protocol.dataReceived(b"\r\n".join(lines))
        wire.flush()
        wire.sent = b""
        protocol.trafficStats.reset()
        protocol.calls.clear()
        return protocol, wire

    def compare(self, random: Random) -> int:
        """Compare until the connection fails: behind that Autobahn reads on, and we do not (RFC 6455 section 7.1.7)."""
        one = self.open(Plain, ping_interval=None, max_frame_size=None, control_frames_per_second=None)
        one.apart = random.random() < 0.5
        protocol, wire = self.alone()
        one.wire.sent = b""
        one.protocol.calls.clear()
        for read in reads(random, Stream(random, compresses=False).bytes()):
            one.receive(read)
            if wire.connected:
                protocol.dataReceived(read)
                wire.flush()
            if one.protocol.failedByMe or protocol.failedByMe or not one.open:
                break
            assert one.protocol.calls == protocol.calls
            assert one.wire.sent == wire.sent
        ours, theirs = until_close(one.wire.sent), until_close(wire.sent)
        # Autobahn resets behind some failures, which takes back what was just written.
        assert ours == theirs or (wire.aborted and ours[: len(theirs)] == theirs)
        calls = one.protocol.calls
        assert calls == protocol.calls[: len(calls)] or not one.open
        self.flushLoggedErrors()
        for each in (one.wire, wire):
            if each.connected:
                each.end(ConnectionDone())
        self.clock.advance(10)  # Autobahn leaves its timer for the closing handshake
        self.assert_no_timers()
        return len(calls)


def until_close(sent: bytes) -> list[tuple[int, bytes]]:
    """Return the frames up to the Close."""
    frames = read_frames(sent)
    closes = [at for at, (opcode, _) in enumerate(frames) if opcode == CLOSE]
    return frames[: closes[0] + 1] if closes else frames


def assert_alike(one: Connection, other: Connection) -> None:
    """Fail with what differs."""
    for pair in zip(seen(one), seen(other), strict=True):
        left, right = pair
        if left != right and isinstance(left, list):
            left, right = next((a, b) for a, b in zip_longest(*pair) if a != b)
        assert left == right, f"{left!r:.700}\n{right!r:.700}"


def seen(connection: Connection) -> list[Any]:
    """Return all that can be seen of a connection."""
    protocol = connection.protocol
    watch = protocol.upgradegw_watch
    return [
        protocol.calls,
        connection.wire.sent,
        json.dumps(protocol.trafficStats.__json__()),
        protocol.state,
        connection.open,
        connection.wire.reading,
        connection.wire.aborted,
        (protocol.localCloseCode, protocol.localCloseReason, protocol.remoteCloseCode, protocol.wasNotCleanReason),
        (protocol.failedByMe, protocol.wasClean, watch.reason, watch.timer is None),
    ]
