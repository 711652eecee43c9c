"""An upstream that speaks HTTP/2 in memory: frames by hand, or hyper-h2's own server, or a site of ours."""

from __future__ import annotations

from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, WindowUpdated
from h2.settings import SettingCodes, Settings
from hpack import Decoder, Encoder
from hyperframe.frame import Frame
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from tests.http2.client import ACK, END, END_HEADERS, data, frame, rst, settings
from tests.proxy.upstream_in_memory import Answer, request
from tests.proxy.upstream_reactor import UpstreamReactor
from upgradegw.http2.frames import PREFACE, Kind
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.exchange import UpstreamRequest
from upgradegw.proxy.http2 import Http2Upstream
from upgradegw.proxy.settings import UpstreamSettings

MAX_CONCURRENT_STREAMS, ENABLE_CONNECT_PROTOCOL = 3, 8
OK = [(b":status", b"200")]


class Asked:
    """What has come on one stream."""

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.content = b""
        self.ended = False
        self.code: int | None = None

    def get(self, name: bytes) -> list[bytes]:
        """The values of a field."""
        return [value for each, value in self.fields if each == name]


class FrameServer(Protocol):
    """A server that says exactly what a test wants said."""

    #: What it begins with.
    values: dict[int, int] = {}  # noqa: RUF012 - replaced, never changed
    greets = True

    def __init__(self) -> None:
        self.encoder, self.decoder = Encoder(), Decoder()
        self.streams: dict[int, Asked] = {}
        self.frames: list[Any] = []
        self.settings: dict[int, int] = {}
        self.goaway: int | None = None
        self.end: Any = None
        self._in = b""
        self._block = b""

    def connectionMade(self) -> None:
        if self.greets:
            self.say(settings(self.values) + frame(Kind.SETTINGS, b"", ACK))

    def say(self, *pieces: bytes) -> None:
        """Send bytes."""
        self.transport.write(b"".join(pieces))  # type: ignore[attr-defined]

    def head(self, stream_id: int, fields: Any = OK, *, end: bool = False) -> bytes:
        """Return HEADERS."""
        return frame(Kind.HEADERS, self.encoder.encode(fields), END_HEADERS | (END if end else 0), stream_id)

    def answer(
        self, stream_id: int, *fields: tuple[bytes, bytes], status: bytes = b"200", content: bytes = b""
    ) -> None:
        """Send a whole response."""
        head = self.head(stream_id, [(b":status", status), *fields], end=not content)
        self.say(head, data(stream_id, content, end=True) if content else b"")

    def reset(self, stream_id: int, code: int) -> None:
        """Reset a stream."""
        self.say(rst(stream_id, code))

    def dataReceived(self, received: bytes) -> None:
        self._in = (self._in + received).removeprefix(PREFACE)
        while len(self._in) >= 9 and not PREFACE.startswith(self._in[: len(PREFACE)]):
            found, length = Frame.parse_frame_header(memoryview(self._in[:9]))
            if len(self._in) < 9 + length:
                return
            found.parse_body(memoryview(self._in[9 : 9 + length]))
            self._in = self._in[9 + length :]
            self.frames.append(found)
            self._take(found)

    def _take(self, found: Any) -> None:
        asked = self.streams.setdefault(found.stream_id, Asked()) if found.stream_id else Asked()
        if found.type in {Kind.HEADERS, Kind.CONTINUATION}:
            self._block += found.data
            if "END_HEADERS" in found.flags:
                block, self._block = self._block, b""
                asked.fields = [tuple(each) for each in self.decoder.decode(block, raw=True)]  # type: ignore[misc]
        elif found.type == Kind.DATA:
            asked.content += found.data
        elif found.type == Kind.RST_STREAM:
            assert asked.code is None, "reset twice"
            asked.code = found.error_code
        elif found.type == Kind.GOAWAY:
            self.goaway = found.error_code
        elif found.type == Kind.SETTINGS:
            self.settings.update(found.settings)
        if "END_STREAM" in found.flags:
            asked.ended = True

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.end = reason.type


class H2Server(Protocol):
    """hyper-h2's server: answers each request with its content, and echoes on tunnels."""

    def __init__(self) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=False, header_encoding=None))
        self.requests: list[list[tuple[bytes, bytes]]] = []
        self._tunnels: set[int] = set()
        self._unsent: dict[int, bytes] = {}
        self._ended: set[int] = set()

    def connectionMade(self) -> None:
        self.h2.local_settings = Settings(client=False, initial_values={SettingCodes.ENABLE_CONNECT_PROTOCOL: 1})
        self.h2.initiate_connection()
        self._flush()

    def dataReceived(self, received: bytes) -> None:
        for event in self.h2.receive_data(received):
            if isinstance(event, RequestReceived):
                fields = [(bytes(name), bytes(value)) for name, value in event.headers or []]
                self.requests.append(fields)
                if (b":method", b"CONNECT") in fields:
                    self._tunnels.add(event.stream_id)
                if b"/refused" in dict(fields).values():
                    self.h2.send_headers(event.stream_id, [(b":status", b"403")], end_stream=True)
                else:
                    self.h2.send_headers(event.stream_id, [(b":status", b"200"), (b"x-server", b"h2")])
            elif isinstance(event, DataReceived):
                self._unsent[event.stream_id] = self._unsent.get(event.stream_id, b"") + (event.data or b"")
                self.h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                self._send(event.stream_id)
            elif isinstance(event, StreamEnded):
                self._ended.add(event.stream_id)
                self._send(event.stream_id)
            elif isinstance(event, WindowUpdated):
                for stream_id in list(self._unsent):
                    self._send(stream_id)
        self._flush()

    def _send(self, stream_id: int) -> None:
        """Send what there is room for."""
        unsent = self._unsent.get(stream_id, b"")
        while unsent and (room := min(self.h2.local_flow_control_window(stream_id), self.h2.max_outbound_frame_size)):
            self.h2.send_data(stream_id, unsent[:room])
            unsent = unsent[room:]
        self._unsent[stream_id] = unsent
        if not unsent and stream_id in self._ended:
            self._ended.discard(stream_id)
            del self._unsent[stream_id]
            self.h2.end_stream(stream_id)

    def _flush(self) -> None:
        self.transport.write(self.h2.data_to_send())  # type: ignore[attr-defined]


class World:
    """One upstream over HTTP/2, and the reactor that it lives on."""

    def __init__(self, make: Any = FrameServer, address: str = "h2c://192.0.2.1:8080", **values: Any) -> None:
        self.reactor = UpstreamReactor()
        self.reactor.make = make
        self.upstream = Http2Upstream(UpstreamAddress.parse(address), UpstreamSettings(**values), self.reactor)

    @property
    def servers(self) -> list[Any]:
        """The upstream's ends, in the order of the connections."""
        self.turn()
        return self.reactor.upstreams

    @property
    def server(self) -> Any:
        """The upstream's end of the only connection."""
        (server,) = self.servers
        return server

    def turn(self) -> World:
        """Let everything happen that needs no time."""
        self.reactor.turn()
        return self

    def advance(self, seconds: float) -> World:
        """Let time pass."""
        self.reactor.advance(seconds)
        return self

    def ask(self, asked: UpstreamRequest | None = None, *, answer: Answer | None = None, **more: Any) -> Answer:
        """Ask, and let everything happen."""
        answer = self.ask_only(asked, answer=answer, **more)
        self.turn()
        return answer

    def ask_only(self, asked: UpstreamRequest | None = None, *, answer: Answer | None = None, **more: Any) -> Answer:
        """Ask, and let nothing happen yet."""
        answer = answer or Answer()
        answer.exchange = self.upstream.ask(asked or request(**more), answer)
        assert answer.events == []
        return answer


def server_with(values: dict[int, int], *, greets: bool = True) -> type[FrameServer]:
    """Return a server that begins with these SETTINGS."""
    return type("Server", (FrameServer,), {"values": values, "greets": greets})
