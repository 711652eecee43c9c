"""A broadcast is what ``sendMessage`` would have sent, however it is made."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from tests.protocols.websocket.support import TEXT, Echo, Several
from upgradegw.protocols.websocket import broadcasting, websocket

EXTENSIONS = b"Sec-WebSocket-Extensions"
TAKEOVER = ((EXTENSIONS, b"permessage-deflate"),)
NO_TAKEOVER = ((EXTENSIONS, b"permessage-deflate; server_no_context_takeover"),)
SMALL_WINDOW = ((EXTENSIONS, b"permessage-deflate; server_no_context_takeover; server_max_window_bits=9"),)


class Likeness(Several):
    """A broadcast is on the wire and in the counts what ``sendMessage`` would have made."""

    def compare(
        self, *more: Any, protocol: Any = Echo, prepare: Any = None, bursts: bool = True, **options: Any
    ) -> None:
        """Broadcast on one connection, send on another, and compare all there is to see."""
        self.factory.protocol = protocol
        upgrade, other = websocket(self.factory, **options), websocket(self.factory, **options)
        one, same, apart = (self.connect(*more, upgrade=each) for each in (upgrade, upgrade, other))
        for connection in (one, same, apart):
            if prepare is not None:
                prepare(connection.protocol)
        for size in (0, 1, 125, 126, 2000, 65535, 65536, 70_000):
            for message in ("a" * size, bytes(size), b"ab" * (size // 2)):
                is_binary = isinstance(message, bytes)
                assert upgrade.broadcast(message) == 2
                apart.protocol.sendMessage(message.encode() if isinstance(message, str) else message, is_binary)
                for connection in (one, same, apart):
                    connection.flush()
                self.clock.advance(0.01)
        assert one.wire.sent == apart.wire.sent
        assert same.wire.sent == apart.wire.sent
        assert one.protocol.trafficStats.__json__() == apart.protocol.trafficStats.__json__()
        if bursts:
            assert one.protocol.upgradegw_watch.writes.burst == apart.protocol.upgradegw_watch.writes.burst
        self.end_all(one, same, apart)

    def test_plain(self) -> None:
        """Without compression."""
        self.compare(ping_interval=None)

    def test_small_limit(self) -> None:
        """A limit for messages received is none for those sent."""
        self.compare(max_message_size=10)

    def test_context_takeover(self) -> None:
        """Each compresses for itself."""
        self.compare(*TAKEOVER, compression=True)

    def test_no_context_takeover(self) -> None:
        """One compressed frame is everybody's."""
        self.compare(*NO_TAKEOVER, compression=True)
        self.compare(*SMALL_WINDOW, compression=True)

    def test_fragments(self) -> None:
        """autoFragmentSize holds."""
        self.compare(prepare=lambda protocol: setattr(protocol, "autoFragmentSize", 1000))

    def test_sent_at_once(self) -> None:
        """What a socket takes at once, in part or not at all, makes no difference: the rest comes behind it."""

        class Socket:
            def __init__(self, wire: Any, most: int) -> None:
                self.wire, self.most = wire, most

            def send(self, data: bytes) -> int:
                if not self.most:
                    raise BlockingIOError
                assert not self.wire.dataBuffer
                assert not self.wire._tempDataBuffer
                self.wire.sent += data[: self.most]
                return min(len(data), self.most)

        for most in (0, 1, 100, 1 << 20):
            with patch.object(broadcasting, "plain_socket", lambda wire, most=most: Socket(wire, most)):
                self.compare(bursts=False)
                self.compare(*NO_TAKEOVER, bursts=False, compression=True)

    def test_masks(self) -> None:
        """Whoever masks a server's frames makes them himself; they are random, so only their number is compared."""
        self.factory.setProtocolOptions(maskServerFrames=True, applyMask=False)
        upgrade = websocket(self.factory)
        connection = self.connect(upgrade=upgrade)
        upgrade.broadcast("tea")
        connection.flush()
        assert connection.wire.sent[-9:-7] == b"\x81\x83"
        assert connection.wire.sent.endswith(b"tea")
        self.end(connection)

    def test_logs_and_timings(self) -> None:
        """logFrames and trackTimings see each message."""
        seen: list[Any] = []
        upgrade = websocket(self.factory)
        logging, tracking = self.connect(upgrade=upgrade), self.connect(upgrade=upgrade)
        logging.protocol.logFrames = True
        logging.protocol.logTxFrame = lambda header, *_: seen.append(header.opcode)
        tracking.protocol.setTrackTimings(True)
        upgrade.broadcast("tea")
        assert seen == [TEXT]
        assert tracking.protocol.trackedTimings["sendMessage"] is not None
        self.end_all(logging, tracking)

    def test_what_the_application_overrides(self) -> None:
        """sendMessage, sendFrame and sendData of the application's class, or of one protocol, are called."""
        called: list[str] = []

        def overriding(name: str) -> Any:
            def method(self: Any, *args: Any, **kwargs: Any) -> Any:
                called.append(name)
                return getattr(Echo, name)(self, *args, **kwargs)

            return type("Overriding", (Echo,), {name: method})

        for name in ("sendMessage", "sendFrame", "sendData"):
            self.compare(protocol=overriding(name))
            assert set(called) == {name}
            called.clear()
        upgrade = websocket(self.factory)
        connection = self.connect(upgrade=upgrade)
        connection.protocol.sendMessage = lambda payload, is_binary: called.append((payload, is_binary))
        assert upgrade.broadcast(b"tea") == 1
        assert called == [(b"tea", True)]
        self.end(connection)

    def test_encoded_once(self) -> None:
        """Connections with equal parameters share one compressed message; others have their own."""
        upgrade = websocket(self.factory, compression=True)
        kinds = (NO_TAKEOVER, NO_TAKEOVER, SMALL_WINDOW, SMALL_WINDOW, TAKEOVER, ())
        connections = [self.connect(*more, upgrade=upgrade) for more in kinds]
        compressed: list[int] = []

        def counting(number: int, compress: Any) -> Any:
            return lambda data: (compressed.append(number), compress(data))[1]

        for number, connection in enumerate(connections):
            compressor = connection.protocol._perMessageCompress
            if compressor is not None:
                compressor.compress_message_data = counting(number, compressor.compress_message_data)
        assert upgrade.broadcast("tea" * 1000) == 6
        assert compressed == [0, 2, 4]
        self.end_all(*connections)
