"""An HTTP/2 client in memory that says exactly what a test wants said: frames by hand, on a socket pair."""

from __future__ import annotations

from typing import Any

from hpack import Decoder, Encoder
from hyperframe.frame import Frame
from twisted.internet.testing import MemoryReactorClock

from tests.http1.wire import Wire, make_site
from upgradegw.http2.frames import PREFACE, Flag, Kind, frame_head

#: Codes of RFC 9113 section 7 that tests name.
NO_ERROR, PROTOCOL_ERROR, INTERNAL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED = 0, 1, 2, 3, 5
FRAME_SIZE_ERROR, REFUSED_STREAM, CANCEL, COMPRESSION_ERROR, ENHANCE_YOUR_CALM = 6, 7, 8, 9, 11

HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 1, 4, 5
END, END_HEADERS, ACK = Flag.END_STREAM, Flag.END_HEADERS, Flag.ACK


def frame(kind: int, payload: bytes = b"", flags: int = 0, stream_id: int = 0) -> bytes:
    """Return a frame."""
    return frame_head(len(payload), kind, flags, stream_id) + payload


def data(stream_id: int, content: bytes = b"", *, end: bool = False) -> bytes:
    """Return a DATA frame."""
    return frame(Kind.DATA, content, END if end else 0, stream_id)


def settings(values: dict[int, int] | None = None) -> bytes:
    """Return a SETTINGS frame."""
    pairs = (values or {}).items()
    return frame(Kind.SETTINGS, b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in pairs))


def window_update(increment: int, stream_id: int = 0) -> bytes:
    """Return a WINDOW_UPDATE frame."""
    return frame(Kind.WINDOW_UPDATE, increment.to_bytes(4, "big"), 0, stream_id)


def rst(stream_id: int, code: int = CANCEL) -> bytes:
    """Return a RST_STREAM frame."""
    return frame(Kind.RST_STREAM, code.to_bytes(4, "big"), 0, stream_id)


def ping(payload: bytes = b"12345678", flags: int = 0) -> bytes:
    """Return a PING frame."""
    return frame(Kind.PING, payload, flags)


def fields(
    method: bytes = b"GET", path: bytes = b"/", *more: tuple[bytes, bytes], scheme: bytes = b"http"
) -> list[tuple[bytes, bytes]]:
    """Return the fields of a request."""
    return [(b":method", method), (b":scheme", scheme), (b":path", path), (b":authority", b"a.example"), *more]


def connect_fields(protocol: bytes = b"echo", path: bytes = b"/", *more: tuple[bytes, bytes]) -> Any:
    """Return the fields of an extended CONNECT."""
    return [(b":method", b"CONNECT"), (b":protocol", protocol), *fields(b"", path, *more)[1:]]


class Answer:
    """What has come on one stream."""

    def __init__(self) -> None:
        self.heads: list[list[tuple[bytes, bytes]]] = []
        self.body = b""
        self.ended = False
        self.code: int | None = None
        self.sizes: list[int] = []

    @property
    def status(self) -> int:
        """The status of the last head."""
        return int(dict(self.heads[-1])[b":status"])

    def get(self, name: bytes) -> bytes | None:
        """Return the values of a field, joined, or None."""
        values = [value for each, value in self.heads[-1] if each == name]
        return b", ".join(values) if values else None

    def __repr__(self) -> str:
        return f"<{self.heads} {len(self.body)} bytes, ended {self.ended}, reset {self.code}>"


class Client:
    """One HTTP/2 connection to a site."""

    def __init__(
        self,
        root: Any = None,
        *,
        site: tuple[Any, MemoryReactorClock] | None = None,
        values: dict[int, int] | None = None,
        hello: bool = True,
        buffer: int | None = None,
        **kwargs: Any,
    ) -> None:
        self.site, self.reactor = site or make_site(root, **kwargs)
        self.wire = Wire(self.site, self.reactor, buffer=buffer)
        self.encoder, self.decoder = Encoder(), Decoder()
        self.streams: dict[int, Answer] = {}
        self.frames: list[Any] = []
        self.goaway: tuple[int, int] | None = None
        self.settings: dict[int, int] = {}
        self._in = b""
        self._block = b""
        if hello:
            self.send(PREFACE + settings(values))
            self.send(frame(Kind.SETTINGS, b"", ACK))

    @property
    def connection(self) -> Any:
        """The server's side."""
        (connection,) = self.site.connections
        return connection

    def head(self, stream_id: int, block: Any = None, *, end: bool = True) -> bytes:
        """Return HEADERS for a request."""
        encoded = self.encoder.encode(fields() if block is None else block)
        return frame(Kind.HEADERS, encoded, END_HEADERS | (END if end else 0), stream_id)

    def post(self, stream_id: int, content: bytes, *more: tuple[bytes, bytes], path: bytes = b"/") -> bytes:
        """Return a request with content in one DATA frame."""
        return self.head(stream_id, fields(b"POST", path, *more), end=False) + data(stream_id, content, end=True)

    def send(self, *pieces: bytes) -> Client:
        """Send bytes, each argument as a segment of its own, and let everything happen."""
        for piece in pieces:
            self.wire.send(piece)
            self.turn()
        return self

    def turn(self, *, read: bool = True) -> Client:
        """Let everything happen that needs no time to pass."""
        for _ in range(1000):
            self.reactor.advance(0)
            if not self.wire.turn(read=read) and not any(
                call.getTime() <= self.reactor.seconds() for call in self.reactor.getDelayedCalls()
            ):
                break
        self._read()
        return self

    def advance(self, seconds: float) -> Client:
        """Let time pass."""
        self.wire.advance(seconds)
        return self.turn()

    def __getitem__(self, stream_id: int) -> Answer:
        return self.streams.setdefault(stream_id, Answer())

    @property
    def eof(self) -> bool:
        """Whether the server has closed."""
        return self.wire.eof

    def kinds(self) -> list[int]:
        """Return the types of the frames that have come since the last time."""
        kinds = [each.type for each in self.frames]
        self.frames.clear()
        return kinds

    # --- What comes.

    def _read(self) -> None:
        self._in += self.wire.take()
        while len(self._in) >= 9:
            found, length = Frame.parse_frame_header(memoryview(self._in[:9]))
            if len(self._in) < 9 + length:
                return
            found.parse_body(memoryview(self._in[9 : 9 + length]))
            self._in = self._in[9 + length :]
            self.frames.append(found)
            self._take(found)

    def _take(self, found: Any) -> None:
        answer = self[found.stream_id]
        if found.type in {Kind.HEADERS, Kind.CONTINUATION}:
            self._block += found.data
            if "END_HEADERS" in found.flags:
                block, self._block = self._block, b""
                answer.heads.append([tuple(each) for each in self.decoder.decode(block, raw=True)])  # type: ignore[misc]
        elif found.type == Kind.DATA:
            answer.body += found.data
            answer.sizes.append(len(found.data))
        elif found.type == Kind.RST_STREAM:
            assert answer.code is None, "reset twice"
            answer.code = found.error_code
        elif found.type == Kind.GOAWAY:
            self.goaway = (found.error_code, found.last_stream_id)
        elif found.type == Kind.SETTINGS:
            self.settings.update(found.settings)
        if "END_STREAM" in found.flags:
            answer.ended = True
