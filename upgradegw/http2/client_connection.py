"""The HTTP/2 connection that we have opened: our requests, each on a stream of its own (RFC 9113 section 8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from h2.errors import ErrorCodes
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.http.context import Context
from upgradegw.http2.any_stream import AnyStream
from upgradegw.http2.client_request import ClientRequest, Hearer, Patience
from upgradegw.http2.client_session import ClientSession
from upgradegw.http2.client_stream import ClientStream
from upgradegw.http2.closing import State
from upgradegw.http2.faults import ConnectionFault
from upgradegw.http2.frames import Flag, Frame
from upgradegw.http2.framing import FramesHalf
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.responses import validate_response
from upgradegw.http2.streams import Place
from upgradegw.http2.validation import Malformed, validate_trailers

_log = Logger(namespace="upgradegw")

#: The bounds towards servers. The connection's window never runs out before those of the streams: one response that
#: nobody reads must not hold up those of other clients. Resets are not counted: there is at most one for each request.
CLIENT_LIMITS = replace(Http2Limits(), connection_window=100 * 64 * 1024, max_resets=10**9)

#: The highest identifier of a stream (RFC 9113 section 5.1.1).
_LAST_STREAM = 2**31 - 1

#: Bytes that may wait for a server that does not read, before it is asked nothing more.
_MAX_UNSENT = 256 * 1024

#: Frames that may be under way on a stream when we give it up: a window full of small ones, and a head.
_UNDER_WAY = 32

_HTTP1 = b"HTTP/1."


class Watcher(Protocol):
    """Who opened the connection."""

    def greeted(self, connection: ClientConnection) -> None:
        """The server's SETTINGS have come: it can be asked."""

    def idle(self, connection: ClientConnection) -> None:
        """The last stream has ended."""

    def gone(self, connection: ClientConnection, reason: Failure) -> None:
        """There is no connection any more."""


class ClientConnection(FramesHalf):
    """One HTTP/2 connection to a server.

    Attributes:
        idle_timeout: Seconds for which it may have no stream.
        greeted: Whether the server's SETTINGS have come.
    """

    idle_timeout: float | None = None
    greeted = False
    _last_answered = 0  # RFC 9113 section 6.8: of streams that the server opens, and there are none

    def __init__(
        self, context: Context, limits: Http2Limits, connection_id: str, watcher: Watcher, idle_timeout: float | None
    ) -> None:
        """Wait for a transport.

        Args:
            context: What the connections to one server share: the clock and the limits.
            limits: The bounds.
            connection_id: A name, for the logs.
            watcher: Is told when it can be used, and when it is gone.
            idle_timeout: Seconds for which it may have no stream, or None.
        """
        super().__init__(context, limits, connection_id, ClientSession(limits, context.limits.max_head))
        self.session: ClientSession
        self._frames.has_preface = True  # a server sends none
        self._watcher: Watcher | None = watcher
        self.idle_timeout = idle_timeout

    # --- For whoever asks.

    @property
    def room(self) -> int:
        """How many streams may be opened now."""
        if not self.greeted or self._state is not State.OPEN or self.session.unsent > _MAX_UNSENT:
            return 0
        most = min(self._limits.max_streams, self.session.max_streams, (_LAST_STREAM - self._streams.highest) // 2)
        return max(0, most - len(self._streams.live))

    @property
    def extended_connect(self) -> bool:
        """Whether the server lets us ask for a switch (RFC 8441 section 3)."""
        return self.session.extended_connect

    @property
    def used(self) -> bool:
        """Whether a stream has been opened on it."""
        return self._streams.highest > 0

    @property
    def busy(self) -> int:
        """How many streams there are."""
        return len(self._streams.live)

    def ask(self, request: ClientRequest, hearer: Hearer, patience: Patience) -> ClientStream:
        """Send a request; there must be room.

        Args:
            request: The request.
            hearer: Gets the answer.
            patience: How long it is waited for.
        """
        stream_id = self._streams.highest + 2 if self._streams.highest else 1
        self._streams.open(stream_id)
        stream = ClientStream(self, stream_id, request, hearer, patience)
        self._streams.add(stream_id, stream)
        stream.begin()
        return stream

    # --- Streams that end.

    def sent_all(self, stream: AnyStream) -> None:
        """A stream has sent its end."""
        if not stream.end_was_sent():
            self._ended(stream)
        elif stream.closed:
            self.context.wheel.hasten(self)

    def stream_fault(self, stream_id: int, code: ErrorCodes) -> None:
        """Reset a stream because of what the server did (RFC 9113 section 5.4.2)."""
        stream = self._streams.live[stream_id]
        if isinstance(stream, ClientStream):
            stream.blame(f"it broke a rule of streams: {code.name}")
        super().stream_fault(stream_id, code)

    def reset(self, stream: AnyStream, code: int) -> None:
        """Reset a stream; what the server sends on it until it knows is no fault."""
        if self._streams.live.get(stream.stream_id) is not stream:
            return
        if isinstance(stream, ClientStream) and stream.over and stream.end_sent:
            self._gone(stream)  # RFC 9113 section 5.1: closed on both sides, so there is nothing to reset
            stream.was_reset(code)
            return
        self._meters.forgive(_UNDER_WAY)
        super().reset(stream, code)
        self.touch()

    def _send(self, stream: AnyStream) -> bool:
        """Let a stream send; one that is gone, and has not heard of it yet, has nothing to send."""
        return self._streams.live.get(stream.stream_id) is stream and super()._send(stream)

    def _gone(self, stream: AnyStream, *, told: bool = True) -> None:
        super()._gone(stream, told=told)
        if not self._streams.live and self._state is State.OPEN and self._watcher is not None:
            self._watcher.idle(self)

    # --- The end.

    def _log_fault(self, fault: ConnectionFault) -> None:
        _log.info("connection {id} to an upstream ends: {detail}", id=self.connection_id, detail=fault.detail)

    def _fail(self, fault: ConnectionFault) -> None:
        super()._fail(fault)
        self._tell_gone(Failure(fault))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        super().connectionLost(reason)
        self._tell_gone(reason)

    def _tell_gone(self, reason: Failure) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            watcher.gone(self, reason)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the server."""
        if not self.greeted and data[: len(_HTTP1)] == _HTTP1:
            # Read as a frame, this would be one that never ends (RFC 9113 section 3.4).
            self._fail(ConnectionFault(ErrorCodes.PROTOCOL_ERROR, "it speaks HTTP/1.1, not HTTP/2"))
            return
        super().dataReceived(data)

    # --- Frames.

    def _take_headers(self, frame: Frame) -> None:
        block = self.session.decode(frame.payload)
        ends = bool(frame.flags & Flag.END_STREAM)
        place = self._place_of_headers(frame)
        if place is Place.IDLE:
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, f"HEADERS on the idle stream {frame.stream_id}")
        stream = self._streams.live.get(frame.stream_id)
        if not isinstance(stream, ClientStream):
            return
        if stream.read_ended:
            self.stream_fault(stream.stream_id, ErrorCodes.STREAM_CLOSED)
        elif stream.answered:
            self._take_trailers(stream, block, ends=ends)
        else:
            head = validate_response(block, self.context.limits.max_head)
            if isinstance(head, Malformed):
                stream.malformed(head.why)
                return
            stream.response_received(head, ends=ends)
            if ends:
                self._peer_ended(stream)

    def _take_trailers(self, stream: ClientStream, block: list[tuple[bytes, bytes]], *, ends: bool) -> None:
        why = validate_trailers(block) if ends else "a second head that does not end the stream"
        if why is not None:
            stream.malformed(why)
            return
        self._peer_ended(stream)

    def _pass_data(self, stream: AnyStream, frame: Frame) -> None:
        if isinstance(stream, ClientStream) and not stream.answered:
            self._drop_data(frame)
            stream.malformed("content, or its end, before the response's head")
            return
        super()._pass_data(stream, frame)

    def _take_goaway(self, frame: Frame) -> None:
        """The server answers no more than some streams; the others it has not looked at (RFC 9113 section 6.8)."""
        self._meters.glitch()
        self._state = max(self._state, State.DRAINING)
        last = int.from_bytes(frame.payload[:4], "big") & _LAST_STREAM
        for stream in list(self._streams.live.values()):
            if stream.stream_id > last and isinstance(stream, ClientStream):
                stream.refused(f"it went away with code {int.from_bytes(frame.payload[4:8], 'big')}")

    def _take_settings(self, frame: Frame) -> None:
        super()._take_settings(frame)
        if not self.greeted:
            self.greeted = True
            if self._watcher is not None:
                self._watcher.greeted(self)
