"""A WebSocket connection in memory: Twisted's own write buffer, a clock, and a client that speaks in frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import txaio
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from tests.protocols.websocket.wire import Wire
from upgradegw.interfaces import Accept, EndSummary, Taken, UpgradeInfo
from upgradegw.negotiation.model import Client, Refuse, RequestHead
from upgradegw.negotiation.websocket import Handshake
from upgradegw.protocols.websocket import WebSocketUpgrade, websocket
from upgradegw.switching import http1_switching_head, switch

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
BASE = (
    (b"Host", b"server.example"),
    (b"Upgrade", b"websocket"),
    (b"Connection", b"Upgrade"),
    (b"Sec-WebSocket-Key", KEY),
    (b"Sec-WebSocket-Version", b"13"),
)
MASK = b"\x37\xfa\x21\x3d"

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


def frame(opcode: int, content: bytes = b"", fin: bool = True, rsv: int = 0, mask: bytes = MASK) -> bytes:
    """Encode a frame as a client does (RFC 6455 section 5.2); without a mask if ``mask`` is empty."""
    size = len(content)
    first = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    flag = 0x80 if mask else 0
    if size < 126:
        header = bytes([flag | size])
    elif size < 1 << 16:
        header = bytes([flag | 126]) + size.to_bytes(2, "big")
    else:
        header = bytes([flag | 127]) + size.to_bytes(8, "big")
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(content)) if mask else content
    return first + header + mask + masked


def close(code: int | None, reason: bytes = b"") -> bytes:
    """Encode a Close."""
    return frame(CLOSE, b"" if code is None else code.to_bytes(2, "big") + reason)


def read_frames(data: bytes) -> list[tuple[int, bytes]]:
    """Decode what the server sent: opcode (with FIN and RSV bits if they are not 0x80) and content."""
    found = []
    while data:
        length, at = data[1], 2
        if length == 126:
            length, at = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, at = int.from_bytes(data[2:10], "big"), 10
        found.append((data[0] & 0x7F if data[0] & 0x80 else data[0] | 0x100, data[at : at + length]))
        data = data[at + length :]
    return found


class Echo(WebSocketServerProtocol):
    """Sends back what it gets, and notes what happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def onConnect(self, request: Any) -> Any:
        self.request = request
        return self.factory.answer(request) if callable(self.factory.answer) else self.factory.answer

    def onOpen(self) -> None:
        self.seen.append("open")

    def onMessage(self, payload: bytes, isBinary: bool) -> Any:
        self.seen.append(payload)
        self.sendMessage(payload, isBinary)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.seen.append(("close", wasClean, code, reason))


def raiser(why: BaseException) -> Any:
    """Return a function of one argument that raises."""

    def fail(_argument: Any) -> Any:
        raise why

    return fail


async def failed(why: BaseException) -> Any:
    """Fail as a coroutine."""
    raise why


def deliver_apart(received: Any, data: bytes) -> None:
    """Deliver what was read as our reactor does: one whole short data frame without its mask, if that is wanted.

    Args:
        received: The ``dataReceived`` of whoever stands at the transport.
        data: What was read.
    """
    frame = getattr(getattr(received, "__func__", None), "upgradegw_frame", None)
    is_short = len(data) >= 6 and data[0] in {0x81, 0x82} and data[1] == 0x80 + len(data) - 6 and data[1] < 0xFE
    if frame is not None and is_short:
        content = bytes(octet ^ data[2 + i % 4] for i, octet in enumerate(data[6:]))
        if frame(received.__self__, data[0], content):
            return
    received(data)


class Connection:
    """A switched connection and what the client did and saw.

    Attributes:
        apart: Whether short frames are delivered apart, as our reactor does it behind the first reads.
    """

    apart = False

    def __init__(
        self,
        upgrade: WebSocketUpgrade,
        accept: Accept,
        info: UpgradeInfo,
        leading: bytes = b"",
        window: int | None = None,
    ) -> None:
        self.wire = Wire()
        self.wire.window = window
        self.accept = accept
        self.summary: EndSummary | None = None

        def attach(protocol: Any) -> None:
            self.wire.protocol = protocol

        def write_head(phrase: bytes, fields: Any) -> None:
            self.wire.write(http1_switching_head(phrase, fields))

        def ended(summarize: Callable[[], EndSummary]) -> None:
            self.summary = summarize()
            accept.release()

        taken = Taken(self.wire, leading, attach, write_head, self.wire.resumeProducing)
        fields = ((b"Upgrade", b"websocket"), (b"Connection", b"Upgrade"), *accept.fields)
        switch(taken, (accept.phrase, fields), accept.protocol, info, ended, accept.ending)
        self.flush()

    @property
    def protocol(self) -> Any:
        return self.accept.ending._protocol  # type: ignore[union-attr]

    @property
    def open(self) -> bool:
        return bool(self.wire.connected)

    def flush(self) -> None:
        self.wire.flush()

    def receive(self, *chunks: bytes) -> Connection:
        """The client's bytes arrive, chunk by chunk, as long as the connection is there and read from."""
        for chunk in chunks:
            if self.wire.connected:
                assert self.wire.reading, "bytes would wait in the kernel"
                if self.apart:
                    deliver_apart(self.wire.protocol.dataReceived, chunk)
                else:
                    self.wire.protocol.dataReceived(chunk)
                self.flush()
        return self

    @property
    def head(self) -> bytes:
        return self.wire.sent.partition(b"\r\n\r\n")[0]

    @property
    def frames(self) -> list[tuple[int, bytes]]:
        return read_frames(self.wire.sent.partition(b"\r\n\r\n")[2])

    @property
    def close_code(self) -> int | None:
        """The code in the server's Close, if it sent one."""
        codes = [int.from_bytes(content[:2], "big") for opcode, content in self.frames if opcode == CLOSE]
        assert len(codes) <= 1, "two Close frames (RFC 6455 section 5.5.1)"
        return codes[0] if codes else None

    @property
    def messages(self) -> list[bytes]:
        return [content for opcode, content in self.frames if opcode in (TEXT, BINARY)]


class WebSocketTestCase(SynchronousTestCase):
    """A test with a clock for Autobahn's timers; afterwards no timer may be left."""

    protocol: type = Echo
    #: Whether short frames are delivered apart.
    apart = False

    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        before, txaio.config.loop = txaio.config.loop, self.clock
        self.addCleanup(setattr, txaio.config, "loop", before)
        self.factory = self.make_factory()

    def make_factory(self, **options: Any) -> Any:
        factory = WebSocketServerFactory(reactor=self.clock, **options)
        # Of one class's own, for settings are kept for no more than 32 factories of one.
        factory.protocol = type("Apart", (self.protocol,), {}) if self.apart else self.protocol
        factory.noisy = False
        factory.answer = None
        return factory

    def info(
        self,
        upgrade: WebSocketUpgrade,
        *more: tuple[bytes, bytes],
        target: bytes = b"/ws",
        client: Client | None = None,
        base: Any = BASE,
    ) -> UpgradeInfo:
        client = client or Client("192.0.2.7", b"http", b"server.example", "192.0.2.7")
        head = RequestHead(b"GET", target, b"HTTP/1.1", (*base, *more), False, client)
        checked = upgrade.check(head)
        assert isinstance(checked, Handshake), checked
        return UpgradeInfo(head, upgrade.protocol, None, client, False, b"HTTP/1.1", b"", checked)

    def prepare(self, *more: tuple[bytes, bytes], upgrade: WebSocketUpgrade | None = None, **options: Any) -> Any:
        """Ask for a connection; return the answer, or a Deferred of it."""
        upgrade = upgrade or websocket(self.factory, **options)
        self.upgrade = upgrade
        self.asked = self.info(upgrade, *more)
        self.asked_on = Wire()
        answer = upgrade.prepare(self.asked, self.asked_on)
        return (
            answer
            if isinstance(answer, Accept | Refuse) or not hasattr(answer, "send")
            else Deferred.fromCoroutine(answer)
        )

    def connect(
        self, *more: tuple[bytes, bytes], leading: bytes = b"", window: int | None = None, **options: Any
    ) -> Connection:
        """Open a connection."""
        accept = self.prepare(*more, **options)
        if isinstance(accept, Deferred):
            accept = self.successResultOf(accept)
        assert isinstance(accept, Accept), accept
        assert self.asked_on.sent == b""
        connection = Connection(self.upgrade, accept, self.asked, leading, window)
        connection.apart = self.apart
        return connection

    def end(self, connection: Connection, why: Exception | None = None) -> None:
        """Let the client go."""
        if connection.open:
            connection.wire.end(why or ConnectionDone())
        self.assert_no_timers()

    def assert_no_timers(self) -> None:
        self.clock.advance(0)
        assert self.clock.getDelayedCalls() == []

    def advance(self, seconds: float) -> None:
        """Let time pass in small steps, as a reactor does."""
        for _ in range(int(seconds * 2)):
            self.clock.advance(0.5)

    def assert_ended(self, connection: Connection, code: int, reason: str, rest: bytes = b"") -> None:
        """A Close with the code was sent, the client's answer (behind the rest of a frame) closes; so says the log."""
        assert connection.close_code == code
        connection.receive(rest + close(code))
        assert not connection.open
        assert connection.summary is not None
        assert (connection.summary.close_code, connection.summary.reason) == (code, reason)
        self.assert_no_timers()


class Several(WebSocketTestCase):
    """A test of several connections at once."""

    def end_all(self, *connections: Connection) -> None:
        """Let all clients go."""
        for connection in connections:
            if connection.open:
                connection.wire.end(ConnectionDone())
        self.assert_no_timers()
