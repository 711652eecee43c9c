"""An HTTP/2 connection: what each frame means where it comes (RFC 9113 sections 5 and 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from h2.errors import ErrorCodes
from twisted.internet.interfaces import ITCPTransport

from upgradegw.http.context import Context
from upgradegw.http2.closing import LINGER_SECONDS, State
from upgradegw.http2.faults import ConnectionFault, flood
from upgradegw.http2.frames import Flag, Frame, Kind, content_of
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.refusing import refuse
from upgradegw.http2.serving import ServingHalf
from upgradegw.http2.session import Session
from upgradegw.http2.stream import Stream
from upgradegw.http2.streams import Place
from upgradegw.http2.upgraded import UpgradedRequest
from upgradegw.http2.validation import Http2Head, Malformed, validate_request, validate_trailers
from upgradegw.negotiation.reasons import Reason


class Connection(ServingHalf):
    """One HTTP/2 connection.

    Attributes:
        site: The site.
        request_factory: Makes the requests.
        extended_connect: Whether extended CONNECT is offered (RFC 8441).
    """

    def __init__(
        self,
        context: Context,
        limits: Http2Limits,
        site: Any,
        connection_id: str,
        *,
        request_factory: Any = None,
        extended_connect: bool = True,
        welcome: bool = True,
        upgraded: UpgradedRequest | None = None,
    ) -> None:
        """Wait for a transport.

        Args:
            context: What the site's connections share.
            limits: The bounds.
            site: The site: its ``resource``, ``timeOut`` and ``log`` are used.
            connection_id: A name, for the logs.
            request_factory: Makes the requests; without it, the site's ``requestFactory``.
            extended_connect: Whether extended CONNECT is offered.
            welcome: Whether there is room for this connection; else it is told so when it asks.
            upgraded: The request of HTTP/1.1 that led here by its Upgrade field, to be answered on stream 1.
        """
        settings, max_head = None if upgraded is None else upgraded.settings, context.limits.max_head
        session = Session(limits, max_head, extended_connect=extended_connect, upgraded=settings)
        super().__init__(context, limits, connection_id, session)
        self._upgraded, self.site = upgraded, site
        self.request_factory = site.requestFactory if request_factory is None else request_factory
        self.extended_connect = extended_connect
        self._welcome = welcome

    @property
    def idle_timeout(self) -> float | None:
        """Seconds for which the connection may have no stream, or None."""
        return self.site.timeOut if self._welcome else LINGER_SECONDS

    # --- The transport.

    def connectionMade(self) -> None:
        """Begin: our SETTINGS go out at once."""
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
            self.transport.setTcpKeepAlive(True)
        self._register_self()
        self._since = self.seconds()
        self.context.wheel.hasten(self)
        self.touch()
        upgraded, self._upgraded = self._upgraded, None
        if upgraded is not None:
            self._streams.open(1)
            stream = Stream(self, 1)
            self._streams.add(1, stream)
            stream.begin_upgraded(upgraded.head, upgraded.content)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the connection."""
        if self._state >= State.CLOSING:
            self._discard(data)
            return
        self._frames.feed(data)
        if self._running:
            return
        self._running = True
        try:
            self._run()
        except ConnectionFault as fault:
            self._fail(fault)
        finally:
            self._running = False
        self.flush()

    def _run(self) -> None:
        """Take all frames that are complete."""
        frames = self._frames
        had_settings, had_preface = frames.has_settings, frames.has_preface
        while self._state < State.CLOSING:
            frame = frames.next()
            if frame is None:
                break
            self._take_frame(frame)
            if frame.kind == Kind.HEADERS:
                self._block_since = None  # the next block has its own time
        if frames.has_preface != had_preface or frames.has_settings != had_settings:
            self._since = self.seconds()
            self.context.wheel.hasten(self)
        if not frames.head_begun:
            self._block_since = None
        elif self._block_since is None:
            self._block_since = self.seconds()
            self.context.wheel.hasten(self)

    # --- Frames.

    def _take_frame(self, frame: Frame) -> None:
        """Act on a frame; what an application does wrong on its stream costs no other stream anything."""
        try:
            self._TAKE[frame.kind](self, frame)
        except ConnectionFault:
            raise
        except Exception:
            stream = self._streams.live.get(frame.stream_id)
            if stream is None:
                raise
            self.failed(stream)

    def _take_headers(self, frame: Frame) -> None:
        block = self.session.decode(frame.raw)
        ends = bool(frame.flags & Flag.END_STREAM)
        stream_id = frame.stream_id
        place = self._streams.place(stream_id)
        if place is Place.LIVE:
            self._take_trailers(stream_id, block, ends=ends)
        elif place is Place.ABANDONED:
            self._meters.glitch()
        elif place is Place.CLOSED:
            raise ConnectionFault(ErrorCodes.STREAM_CLOSED, f"HEADERS on the closed stream {stream_id}")
        elif place is Place.SKIPPED or stream_id % 2 == 0:
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, f"HEADERS on stream {stream_id}")
        else:
            self._open(stream_id, block, ends=ends)

    def _open(self, stream_id: int, block: list[tuple[bytes, bytes]], *, ends: bool) -> None:
        """A new request: begin it, or refuse its stream before h2 knows of it."""
        self._streams.open(stream_id)
        if self._state is not State.OPEN or len(self._streams.live) + len(self._unfinished) >= self._limits.max_streams:
            self._refuse_stream(stream_id, ErrorCodes.REFUSED_STREAM, ends=ends)
            return
        head = validate_request(block, extended_connect=self.extended_connect)
        if isinstance(head, Http2Head) and head.method == b"CONNECT" and ends:
            head = Malformed("CONNECT that ends with its head", head.method, head.target)
        if isinstance(head, Malformed):
            refused = 400, Reason.MALFORMED_REQUEST, head.why
            self.context.log_refusal(self, (head.method, head.target, ()), refused, 0, "HTTP/2")
            self._meters.glitch()
            self._refuse_stream(stream_id, ErrorCodes.PROTOCOL_ERROR, ends=ends)
            return
        self.session.headers_received(stream_id, ends=ends)
        stream = Stream(self, stream_id)
        self._streams.add(stream_id, stream)
        stream.begin(head, ends=ends, refused=refuse(head, block, self, welcome=self._welcome))
        if not self._welcome:
            self._go_away()

    def _take_trailers(self, stream_id: int, block: list[tuple[bytes, bytes]], *, ends: bool) -> None:
        stream = self._streams.live[stream_id]
        if stream.read_ended:
            self.stream_fault(stream_id, ErrorCodes.STREAM_CLOSED)
            return
        why = validate_trailers(block) if ends else "a second head that does not end the stream"
        if why is not None:
            stream.malformed(why)
            return
        self.session.headers_received(stream_id, ends=True)
        self._client_ended(stream)

    def _take_data(self, frame: Frame) -> None:
        stream_id = frame.stream_id
        place = self._streams.place(stream_id)
        if place is Place.LIVE:
            stream = self._streams.live[stream_id]
            if stream.read_ended:
                self._drop_data(frame)
                self.stream_fault(stream_id, ErrorCodes.STREAM_CLOSED)
            elif stream.closed:
                self._drop_data(frame)
                if frame.flags & Flag.END_STREAM:
                    self.session.end_received(stream_id)
                    self._client_ended(stream)
            else:
                self._pass_data(stream, frame)
        elif place is Place.ABANDONED:
            self._meters.glitch()
            self._drop_data(frame)
        elif place is Place.CLOSED:
            raise ConnectionFault(ErrorCodes.STREAM_CLOSED, f"DATA on the closed stream {stream_id}")
        else:
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, f"DATA on the idle stream {stream_id}")

    def _drop_data(self, frame: Frame) -> None:
        """Drop content that nobody wants; the connection's window is opened again, for the others."""
        number = len(frame.raw) - 9
        self.session.data_received(0, number)
        self.session.consumed(0, number)

    def _pass_data(self, stream: Stream, frame: Frame) -> None:
        number = len(frame.raw) - 9
        content = content_of(frame)
        if not self.session.data_received(stream.stream_id, number):
            self.session.consumed(0, number)
            self.stream_fault(stream.stream_id, ErrorCodes.FLOW_CONTROL_ERROR)
            return
        if number:
            stream.data_received(content, number)
        if frame.flags & Flag.END_STREAM and self._streams.live.get(stream.stream_id) is stream:
            self.session.end_received(stream.stream_id)
            self._client_ended(stream)

    def _client_ended(self, stream: Stream) -> None:
        if self._streams.live.get(stream.stream_id) is not stream:
            return
        stream.end_received()
        if stream.end_sent and self._streams.live.get(stream.stream_id) is stream:
            self._ended(stream)

    def _take_reset(self, frame: Frame) -> None:
        stream_id = frame.stream_id
        place = self._streams.place(stream_id)
        if place is Place.IDLE:
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, f"RST_STREAM on the idle stream {stream_id}")
        if place is not Place.LIVE:
            self._meters.glitch()
            self._streams.close(stream_id)
            return
        self._meters.reset()
        self._events(self.session.receive(frame.raw))

    def _take_window_update(self, frame: Frame) -> None:
        stream_id, increment = frame.stream_id, int.from_bytes(frame.raw[9:], "big") & 0x7FFFFFFF
        place = self._streams.place(stream_id) if stream_id else Place.LIVE
        self._meters.update(self._streams.highest, self.session.data_frames)
        if place is Place.IDLE or (not increment and not stream_id):
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, f"WINDOW_UPDATE by {increment} on stream {stream_id}")
        if place is not Place.LIVE:
            return
        if not increment:
            self.stream_fault(stream_id, ErrorCodes.PROTOCOL_ERROR)
        elif not self.session.outbound.open(stream_id, increment):
            if not stream_id:
                raise ConnectionFault(ErrorCodes.FLOW_CONTROL_ERROR, f"WINDOW_UPDATE by {increment}")
            self.stream_fault(stream_id, ErrorCodes.FLOW_CONTROL_ERROR)
        elif not stream_id:
            self.windows_opened()
        elif self._streams.live[stream_id] in self._starved:
            self._turns.add(self._streams.live[stream_id])

    def _take_settings(self, frame: Frame) -> None:
        if not frame.flags & Flag.ACK:
            self._count_ack()
        self.session.settings_received(frame.raw)
        self.windows_opened()

    def _take_ping(self, frame: Frame) -> None:
        if not frame.flags & Flag.ACK:
            self._count_ack()
            self.session.receive(frame.raw)

    def _take_goaway(self, _frame: Frame) -> None:
        """The client opens no more streams; those that run are answered (RFC 9113 section 6.8)."""
        self._meters.glitch()
        self._state = max(self._state, State.DRAINING)

    def _count_ack(self) -> None:
        self._acks += 1
        if self._acks > self._limits.max_queued_acks:
            raise flood("acknowledgements are not read")

    _TAKE: ClassVar[dict[int, Callable[[Connection, Frame], None]]] = {
        Kind.DATA: _take_data,
        Kind.HEADERS: _take_headers,
        Kind.RST_STREAM: _take_reset,
        Kind.SETTINGS: _take_settings,
        Kind.PING: _take_ping,
        Kind.GOAWAY: _take_goaway,
        Kind.WINDOW_UPDATE: _take_window_update,
    }
