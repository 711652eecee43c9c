"""The h2 connection behind a connection of ours: the states of streams, settings, HPACK, and the bytes that we send.

h2 is shown only frames that ``frames`` and ``connection`` have passed. Header blocks are decoded here and judged by
``validation``; h2, which would end the connection for a request that is merely malformed, gets an empty one of its
own in place of each. Of DATA it is told the end only: ``windows`` counts, and the frames are written here.
"""

from __future__ import annotations

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import Event, RemoteSettingsChanged
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings
from hpack import HPACKError, OversizedHeaderListError

from upgradegw.http2.faults import ConnectionFault, flood
from upgradegw.http2.frames import MAX_FRAME, PREFACE, Flag, Kind, frame_head
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.windows import FIRST_WINDOW, Inbound, Outbound

#: Bytes that the table of our encoder may have, whatever the peer allows: it is our memory (RFC 7541 section 4.2).
_MAX_TABLE = 4096

_CONFIGURATION = H2Configuration(
    client_side=False,
    validate_inbound_headers=False,
    normalize_inbound_headers=False,
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
)


class Session:
    """One HTTP/2 connection without I/O, as either side has it."""

    def __init__(self, h2: H2Connection, limits: Http2Limits, max_head: int) -> None:
        """Begin with the SETTINGS that are prepared, to be sent first (RFC 9113 section 3.4).

        Args:
            h2: The connection, initiated.
            limits: The bounds.
            max_head: Bytes of a header section that is received, each field counted with 32 more (RFC 9113 section
                6.5.2).
        """
        self._h2 = h2
        if limits.connection_window > FIRST_WINDOW:
            h2.increment_flow_control_window(limits.connection_window - FIRST_WINDOW)
        # A head that is too large by less than its double concerns its stream; what is larger ends the connection,
        # for the decoder's state is lost.
        h2.decoder.max_header_list_size = 2 * max_head
        #: About how many bytes wait to be taken.
        self.unsent = 0
        #: DATA frames that were sent.
        self.data_frames = 0
        # Our SETTINGS stand before all else that is written here.
        self._out: list[bytes | memoryview] = [h2.data_to_send()]
        self._stream_window = limits.stream_window
        self._inbound = Inbound(limits.connection_window)
        self._inbounds: dict[int, Inbound] = {}
        self.outbound = Outbound()

    def _add(self, stream_id: int) -> None:
        """Count what is sent on a new stream."""
        self._inbounds[stream_id] = Inbound(self._stream_window)
        self.outbound.add(stream_id, self._h2.remote_settings.initial_window_size)

    def forget(self, stream_id: int) -> None:
        """Count nothing on a stream any more."""
        self._inbounds.pop(stream_id, None)
        self.outbound.remove(stream_id)

    # --- What has come.

    def receive(self, raw: bytes) -> list[Event]:
        """Show h2 a frame.

        Raises:
            ConnectionFault: It ends the connection.
        """
        try:
            return self._h2.receive_data(raw)
        except ProtocolError as error:
            self._h2.clear_outbound_data_buffer()  # its GOAWAY; ours names the streams that we answer
            raise ConnectionFault(error.error_code, str(error)) from None

    def decode(self, block: bytes) -> list[tuple[bytes, bytes]]:
        """Decode a header block; every block must be, for the blocks behind it depend on it (RFC 7541 section 2.2).

        Raises:
            ConnectionFault: It is too large or no header block.
        """
        try:
            return list(self._h2.decoder.decode(block, raw=True))
        except OversizedHeaderListError as error:
            raise flood(str(error)) from None
        except HPACKError as error:
            raise ConnectionFault(ErrorCodes.COMPRESSION_ERROR, str(error)) from None

    def headers_received(self, stream_id: int, *, ends: bool) -> None:
        """Tell h2 that the head of a message, or trailers, have come."""
        if stream_id not in self._inbounds:
            self._add(stream_id)
        flags = Flag.END_HEADERS | (Flag.END_STREAM if ends else 0)
        self.receive(frame_head(0, Kind.HEADERS, flags, stream_id))

    def end_received(self, stream_id: int) -> None:
        """Tell h2 that the peer's side of a stream has ended with a frame that h2 was not shown."""
        self.receive(frame_head(0, Kind.DATA, Flag.END_STREAM, stream_id))

    def settings_received(self, raw: bytes) -> None:
        """Take SETTINGS: the encoder's table stays small, and the windows of all streams change.

        Raises:
            ConnectionFault: They end the connection.
        """
        for event in self.receive(raw):
            if isinstance(event, RemoteSettingsChanged):
                self.bound_table()
                changed = event.changed_settings.get(SettingCodes.INITIAL_WINDOW_SIZE)
                if changed is not None and not self.outbound.change(changed.new_value - (changed.original_value or 0)):
                    raise ConnectionFault(ErrorCodes.FLOW_CONTROL_ERROR, "SETTINGS make a window too large")

    def bound_table(self) -> None:
        """Keep the encoder's table small, whatever the peer's SETTINGS allow."""
        self._h2.encoder.header_table_size = min(self._h2.encoder.header_table_size, _MAX_TABLE)

    def data_received(self, stream_id: int, number: int) -> bool:
        """Count the payload of a DATA frame; return whether the stream's window had room for it.

        Raises:
            ConnectionFault: The connection's window had none (RFC 9113 section 6.9.1).
        """
        if not self._inbound.receive(number):
            raise ConnectionFault(ErrorCodes.FLOW_CONTROL_ERROR, "more DATA than the connection's window")
        inbound = self._inbounds.get(stream_id)
        return inbound is None or inbound.receive(number)

    def consumed(self, stream_id: int, number: int) -> None:
        """Let the peer send as many bytes more, now or when there are enough to be worth a frame.

        Args:
            stream_id: On which stream; 0 if it may send none there.
            number: How many.
        """
        self._open(0, self._inbound.take(number))
        inbound = self._inbounds.get(stream_id)
        if inbound is not None:
            self._open(stream_id, inbound.take(number))

    def _open(self, stream_id: int, increment: int) -> None:
        if increment:
            self._out.append(frame_head(4, Kind.WINDOW_UPDATE, 0, stream_id) + increment.to_bytes(4, "big"))

    # --- What is sent.

    def send_headers(self, stream_id: int, fields: list[tuple[bytes, bytes]], *, ends: bool = False) -> None:
        """Send the head of a message, names in lower case and pseudo-header fields first."""
        self._h2.send_headers(stream_id, fields, end_stream=ends)
        self.unsent += 128

    def room(self, stream_id: int) -> int:
        """Return how many bytes of content may be sent in one frame; 0 or less if the windows are empty."""
        return min(self.outbound.room(stream_id), MAX_FRAME)

    def send_data(self, stream_id: int, data: bytes | memoryview, *, ends: bool) -> None:
        """Send content, no more than there is room for."""
        number, out = len(data), self._out
        before = self._h2.data_to_send()
        if before:
            out.append(before)  # such as the stream's head
        out.append(frame_head(number, Kind.DATA, Flag.END_STREAM if ends else 0, stream_id))
        out.append(data)
        self.outbound.send(stream_id, number)
        self.data_frames += 1
        self.unsent += number + 9
        if ends:
            self._h2.end_stream(stream_id)
            self._h2.data_to_send()  # a frame that says what ours has said

    def reset(self, stream_id: int, code: int) -> bool:
        """Reset a stream; return whether h2 held it for one that can be."""
        try:
            self._h2.reset_stream(stream_id, code)
        except ProtocolError:
            return False
        return True

    def refuse(self, stream_id: int, code: int) -> bytes:
        """Return what resets a stream that h2 was not told of."""
        return frame_head(4, Kind.RST_STREAM, 0, stream_id) + int(code).to_bytes(4, "big")

    def take(self) -> bytes:
        """Return the bytes that are to be sent."""
        self.unsent = 0
        last = self._h2.data_to_send()
        if not self._out:
            return last
        out, self._out = self._out, []
        out.append(last)
        return b"".join(out)


class ServerSession(Session):
    """The side that answers."""

    def __init__(
        self, limits: Http2Limits, max_head: int, *, extended_connect: bool, upgraded: bytes | None = None
    ) -> None:
        """Prepare our SETTINGS.

        Args:
            limits: The bounds.
            max_head: Bytes of a request's header section, each field counted with 32 more (RFC 9113 section 6.5.2).
            extended_connect: Whether extended CONNECT is offered (RFC 8441 section 3).
            upgraded: The value of HTTP2-Settings if a request of HTTP/1.1 is answered on stream 1; it holds at once and
                is not acknowledged (RFC 7540 section 3.2.1).
        """
        h2 = H2Connection(_CONFIGURATION)
        settings = {
            SettingCodes.MAX_CONCURRENT_STREAMS: limits.max_streams,
            SettingCodes.INITIAL_WINDOW_SIZE: limits.stream_window,
            SettingCodes.MAX_HEADER_LIST_SIZE: max_head,
            SettingCodes.ENABLE_CONNECT_PROTOCOL: int(extended_connect),
        }
        h2.local_settings = Settings(client=False, initial_values=settings)
        if upgraded is None:
            h2.initiate_connection()
        else:
            h2.initiate_upgrade_connection(upgraded)
        # Streams beyond the limit are refused one by one; h2 would end the connection.
        del h2.local_settings[SettingCodes.MAX_CONCURRENT_STREAMS]
        super().__init__(h2, limits, max_head)
        h2.receive_data(PREFACE)
        if upgraded is not None:
            self.bound_table()
            self._add(1)
