"""The HTTP/2 connection of a client: its requests, each on a stream that it opens (RFC 9113 section 8)."""

from __future__ import annotations

from typing import Any

from h2.errors import ErrorCodes
from twisted.web.iweb import INonQueuedRequestFactory

from upgradegw.http.context import Context
from upgradegw.http2.closing import LINGER_SECONDS, State
from upgradegw.http2.frames import Flag, Frame
from upgradegw.http2.framing import FramesHalf
from upgradegw.http2.heads import Heads
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.refusing import refuse
from upgradegw.http2.session import ServerSession
from upgradegw.http2.stream import Stream
from upgradegw.http2.streams import Place
from upgradegw.http2.upgraded import UpgradedRequest
from upgradegw.http2.validation import Http2Head, Malformed, validate_trailers
from upgradegw.negotiation.reasons import Reason


class Connection(FramesHalf):
    """One HTTP/2 connection.

    Attributes:
        site: The site.
        request_factory: Makes the requests.
        queues_requests: Whether it wants to be told that they are not queued.
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
        session = ServerSession(limits, max_head, extended_connect=extended_connect, upgraded=settings)
        super().__init__(context, limits, connection_id, session)
        self._upgraded, self.site = upgraded, site
        self.request_factory = site.requestFactory if request_factory is None else request_factory
        self.queues_requests = not INonQueuedRequestFactory.providedBy(self.request_factory)
        self.extended_connect = extended_connect
        self._heads = Heads(extended_connect=extended_connect)
        self._welcome = welcome

    @property
    def idle_timeout(self) -> float | None:
        """Seconds for which the connection may have no stream, or None."""
        return self.site.timeOut if self._welcome else LINGER_SECONDS

    # --- The transport.

    def connectionMade(self) -> None:
        """Begin: our SETTINGS go out at once."""
        super().connectionMade()
        upgraded, self._upgraded = self._upgraded, None
        if upgraded is not None:
            self._streams.open(1)
            stream = Stream(self, 1)
            self._streams.add(1, stream)
            stream.begin_upgraded(upgraded.head, upgraded.content)

    # --- Frames.

    def _take_headers(self, frame: Frame) -> None:
        block = self.session.decode(frame.payload)
        ends = bool(frame.flags & Flag.END_STREAM)
        stream_id = frame.stream_id
        place = self._place_of_headers(frame)
        if place is Place.LIVE:
            self._take_trailers(stream_id, block, ends=ends)
        elif place is Place.IDLE:
            self._open(stream_id, block, ends=ends)

    def _open(self, stream_id: int, block: list[tuple[bytes, bytes]], *, ends: bool) -> None:
        """A new request: begin it, or refuse its stream before h2 knows of it."""
        self._streams.open(stream_id)
        if self._state is not State.OPEN or len(self._streams.live) + len(self._unfinished) >= self._limits.max_streams:
            self._refuse_stream(stream_id, ErrorCodes.REFUSED_STREAM, ends=ends)
            return
        head = self._heads.judge(block)
        if isinstance(head, Http2Head) and head.method == b"CONNECT" and ends:
            head = Malformed("CONNECT that ends with its head", head.method, head.target)
        if isinstance(head, Malformed):
            refused = 400, Reason.MALFORMED_REQUEST, head.why
            self.context.log_refusal(self, (head.method, head.target, ()), refused, 0, "HTTP/2")
            self._meters.glitch()
            self._refuse_stream(stream_id, ErrorCodes.PROTOCOL_ERROR, ends=ends)
            return
        self.session.add(stream_id)
        stream = Stream(self, stream_id)
        self._streams.add(stream_id, stream)
        stream.begin(head, ends=ends, refused=refuse(head, self, welcome=self._welcome))
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
        self._peer_ended(stream)

    def _take_goaway(self, _frame: Frame) -> None:
        """The client opens no more streams; those that run are answered (RFC 9113 section 6.8)."""
        self._meters.glitch()
        self._state = max(self._state, State.DRAINING)
