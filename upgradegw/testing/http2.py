"""HTTP/2 as a client speaks it: many exchanges on one connection, each at the pace that the windows allow."""

from __future__ import annotations

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    InformationalResponseReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from twisted.internet.interfaces import IHandshakeListener, ISSLTransport
from zope.interface import implementer

from upgradegw.testing.connection import Connection
from upgradegw.testing.exchange import Exchange
from upgradegw.testing.reactor import Reactor
from upgradegw.testing.requests import Request
from upgradegw.testing.responses import Unanswered, Violation
from upgradegw.testing.stream import Stream

_FRAME_HEAD = 9
_SETTINGS, _GOAWAY = 4, 7

#: What the client sends is the test's affair, so nothing of it is judged here.
_CONFIGURATION = H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False)


@implementer(IHandshakeListener)
class Http2Connection(Connection):
    """A connection that speaks HTTP/2.

    Attributes:
        greeted: Whether the site has sent its SETTINGS.
        going_away: The error code of the site's GOAWAY, or None: it takes no more streams.
    """

    def __init__(self, reactor: Reactor) -> None:
        """Wait for a transport.

        Args:
            reactor: Moves the bytes.
        """
        super().__init__(reactor)
        self.greeted = False
        self.going_away: int | None = None
        self._h2 = H2Connection(_CONFIGURATION)
        self._streams: dict[int, Stream] = {}
        self._in = bytearray()

    @property
    def idle(self) -> bool:
        """Whether it can take one more request."""
        return self.going_away is None and not self.ended and not self.closed

    def connectionMade(self) -> None:
        """Begin at once where there is no TLS: the site knows by the preface."""
        if not ISSLTransport.providedBy(self.transport):
            self._greet()

    def handshakeCompleted(self) -> None:
        """Begin if TLS agreed on HTTP/2."""
        if self.agreed == b"h2":
            self._greet()

    def _greet(self) -> None:
        """Send the preface and SETTINGS (RFC 9113 section 3.4)."""
        self._h2.initiate_connection()
        self.flush()

    def ask(self, request: Request) -> Exchange:
        """Send a request on a new stream; for a switch, extended CONNECT (RFC 8441 section 4).

        Args:
            request: The request.

        Raises:
            Unanswered: A switch is asked for, and the site does not offer extended CONNECT.
        """
        token, content = request.token, request.content
        if token is not None and not self._h2.remote_settings.enable_connect_protocol:
            raise Unanswered("the site does not offer extended CONNECT, so a client may not ask (RFC 8441 section 3)")
        block = [
            (b":method", request.method if token is None else b"CONNECT"),
            (b":scheme", request.scheme),
            (b":authority", request.host),
            (b":path", request.target),
        ]
        if token is not None:
            block.append((b":protocol", token))
        length = [(b"content-length", b"%d" % len(content))] if content else []
        stream = Stream(self, self._h2.get_next_available_stream_id())
        sent = request.lines(*length)
        switches = None if token is None else 200
        stream.exchange = Exchange(stream, sent, switches, half_closeable=request.half_closeable)
        self._streams[stream.number] = stream
        stream.ended = token is None and not content
        self._h2.send_headers(stream.number, block + sent, end_stream=stream.ended)
        stream.put(content + request.leading, end=token is None)
        self.turn()
        return stream.exchange

    # --- What is sent.

    def send_on(self, stream: Stream) -> None:
        """Send what the windows of a stream allow, and the end behind it."""
        h2, number = self._h2, stream.number
        while stream.unsent and not stream.over:
            size = min(h2.local_flow_control_window(number), h2.max_outbound_frame_size, len(stream.unsent))
            if size <= 0:
                break
            h2.send_data(number, bytes(stream.unsent[:size]))
            del stream.unsent[:size]
        if stream.end_wanted and not stream.unsent and not stream.ended and not stream.over:
            stream.ended = True
            h2.end_stream(number)
            self._close_if_over(stream)
        self.flush()

    def reset(self, stream: Stream) -> None:
        """Break a stream off: CANCEL, RFC 8441 section 5."""
        if not stream.over:
            self._h2.reset_stream(stream.number, ErrorCodes.CANCEL)
            self.flush()
            self._close(stream, aborted=False)

    def credit(self, stream: Stream) -> None:
        """Let the site send as much as has been read."""
        owed, stream.owed = stream.owed, 0
        if owed:
            self._h2.acknowledge_received_data(owed, stream.number)
            self.flush()

    def flush(self) -> None:
        """Send what h2 has for the site."""
        self.put(self._h2.data_to_send())

    # --- What comes.

    def take(self, data: bytes) -> None:
        """Take whole frames; a GOAWAY is not shown to h2, which would let the running streams end with it."""
        self._in += data
        while len(self._in) >= _FRAME_HEAD:
            size = _FRAME_HEAD + int.from_bytes(self._in[:3], "big")
            if len(self._in) < size:
                return
            frame = bytes(self._in[:size])
            del self._in[:size]
            if frame[3] == _GOAWAY:
                self.going_away = int.from_bytes(frame[_FRAME_HEAD + 4 : _FRAME_HEAD + 8], "big")
            else:
                self._take_frame(frame)

    def _take_frame(self, frame: bytes) -> None:
        try:
            events = self._h2.receive_data(frame)
        except ProtocolError as error:
            self.flush()
            raise Violation(f"this is against RFC 9113 ({error}): {frame[:200]!r}") from error
        self.greeted = self.greeted or frame[3] == _SETTINGS
        self.flush()
        for event in events:
            self._take_event(event)

    def _take_event(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged) or (isinstance(event, WindowUpdated) and not event.stream_id):
            for each in list(self._streams.values()):
                self.send_on(each)
            return
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        if stream is None:
            return
        exchange = stream.exchange
        if isinstance(event, ResponseReceived | InformationalResponseReceived):
            (_, status), *fields = ((bytes(name), bytes(value)) for name, value in event.headers or [])
            exchange.head_received(int(status), tuple(fields))
        elif isinstance(event, DataReceived):
            stream.owed += event.flow_controlled_length or 0
            exchange.data_received(event.data or b"")
            if not stream.paused:
                self.credit(stream)
        elif isinstance(event, StreamEnded):
            exchange.end_received()
            self._close_if_over(stream)
        elif isinstance(event, StreamReset):
            code = event.error_code
            name = code.name if isinstance(code, ErrorCodes) else code
            self._close(stream, aborted=not exchange.ended, why=f"the stream was reset with {name}")
        elif isinstance(event, WindowUpdated):
            self.send_on(stream)

    def _close_if_over(self, stream: Stream) -> None:
        if stream.ended and stream.exchange.ended:
            self._close(stream, aborted=False)

    def _close(self, stream: Stream, *, aborted: bool, why: str = "the stream ended") -> None:
        if not stream.over:
            stream.over = True
            self._streams.pop(stream.number, None)
            stream.exchange.gone(aborted=aborted, why=why)

    def end_received(self) -> None:
        """The site has ended its side; so does the client."""
        self.lose()

    def gone(self) -> None:
        """The connection is gone, and what was under way with it."""
        for stream in list(self._streams.values()):
            self._close(stream, aborted=self.aborted, why=self.end())
