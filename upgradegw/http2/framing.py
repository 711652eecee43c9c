"""What frames mean on either side of an HTTP/2 connection: all but those that open streams (RFC 9113 section 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from h2.errors import ErrorCodes
from twisted.internet.interfaces import ITCPTransport

from upgradegw.http2.any_stream import AnyStream
from upgradegw.http2.closing import State
from upgradegw.http2.faults import ConnectionFault, error_code, flood, flow_fault
from upgradegw.http2.frames import Flag, Frame, Kind
from upgradegw.http2.padding import unpadded
from upgradegw.http2.serving import ServingHalf
from upgradegw.http2.streams import Place

_HEADERS, _END_STREAM, _PADDED = int(Kind.HEADERS), int(Flag.END_STREAM), int(Flag.PADDED)


class FramesHalf(ServingHalf):
    """The part of a connection that takes frames."""

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
            if frame.kind == _HEADERS:
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

    def _place_of_headers(self, frame: Frame) -> Place:
        """Tell where the stream of HEADERS is: it is there, or was reset by us, or is not open yet.

        Raises:
            ConnectionFault: It has ended, or cannot be opened.
        """
        place = self._streams.place(frame.stream_id)
        if place is Place.ABANDONED:
            self._meters.glitch()
        elif place is Place.CLOSED:
            raise ConnectionFault(ErrorCodes.STREAM_CLOSED, f"HEADERS on the closed stream {frame.stream_id}")
        elif place is Place.SKIPPED or frame.stream_id % 2 == 0:
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, f"HEADERS on stream {frame.stream_id}")
        return place

    def _take_headers(self, frame: Frame) -> None:
        raise NotImplementedError

    def _take_goaway(self, frame: Frame) -> None:
        raise NotImplementedError

    def _take_data(self, frame: Frame) -> None:
        stream_id = frame.stream_id
        stream = self._streams.live.get(stream_id)
        if stream is None:
            self._take_data_of_none(frame)
        elif stream.read_ended:
            self._drop_data(frame)
            self.stream_fault(stream_id, ErrorCodes.STREAM_CLOSED)
        elif stream.closed:
            self._drop_data(frame)
            if frame.flags & _END_STREAM:
                self._peer_ended(stream)
        else:
            self._pass_data(stream, frame)

    def _take_data_of_none(self, frame: Frame) -> None:
        """Take content on a stream that is not there."""
        stream_id = frame.stream_id
        place = self._streams.place(stream_id)
        if place is Place.ABANDONED:
            self._meters.glitch()
            self._drop_data(frame)
        elif place is Place.CLOSED:
            raise ConnectionFault(ErrorCodes.STREAM_CLOSED, f"DATA on the closed stream {stream_id}")
        else:
            raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, f"DATA on the idle stream {stream_id}")

    def _drop_data(self, frame: Frame) -> None:
        """Drop content that nobody wants; the connection's window is opened again, for the others."""
        number = len(frame.payload)
        self.session.data_received(0, number)
        self.session.consumed(0, number)

    def _pass_data(self, stream: AnyStream, frame: Frame) -> None:
        content = frame.payload
        number = len(content)
        if frame.flags & _PADDED:
            content = unpadded(content)
        if not self.session.data_received(stream.stream_id, number):
            self.session.consumed(0, number)
            self.stream_fault(stream.stream_id, ErrorCodes.FLOW_CONTROL_ERROR)
            return
        if number:
            stream.data_received(content, number)
        if frame.flags & _END_STREAM and self._streams.live.get(stream.stream_id) is stream:
            self._peer_ended(stream)

    def _peer_ended(self, stream: AnyStream) -> None:
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
        stream = self._streams.live[stream_id]
        self._gone(stream)
        stream.was_reset(error_code(int.from_bytes(frame.payload, "big")))

    def _take_window_update(self, frame: Frame) -> None:
        stream_id, increment = frame.stream_id, int.from_bytes(frame.payload, "big") & 0x7FFFFFFF
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
                raise flow_fault(f"WINDOW_UPDATE by {increment}")
            self.stream_fault(stream_id, ErrorCodes.FLOW_CONTROL_ERROR)
        elif not stream_id:
            self.windows_opened()
        elif self._streams.live[stream_id] in self._starved:
            self._turns.add(self._streams.live[stream_id])

    def _take_settings(self, frame: Frame) -> None:
        if not frame.flags & Flag.ACK:
            self._count_ack()
        self.session.settings_received(frame)
        self.windows_opened()

    def _take_ping(self, frame: Frame) -> None:
        if not frame.flags & Flag.ACK:
            self._count_ack()
            self.session.ping_received(frame)

    def _count_ack(self) -> None:
        self._acks += 1
        if self._acks > self._limits.max_queued_acks:
            raise flood("acknowledgements are not read")

    _TAKE: ClassVar[dict[int, Callable[[Any, Frame], None]]] = {
        Kind.DATA: _take_data,
        Kind.HEADERS: lambda self, frame: self._take_headers(frame),
        Kind.RST_STREAM: _take_reset,
        Kind.SETTINGS: lambda self, frame: self._take_settings(frame),
        Kind.PING: _take_ping,
        Kind.GOAWAY: lambda self, frame: self._take_goaway(frame),
        Kind.WINDOW_UPDATE: _take_window_update,
    }
