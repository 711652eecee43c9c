"""What both ends of a connection agree on, without I/O: settings, the tables of HPACK, windows, and what is sent.

h2 is shown the frames that concern the connection, SETTINGS and PING, after ``frames`` has passed them. Of streams it
is not told. Their states are two bits each, whether either side has ended, which ``framing`` and ``sending`` know
anyway; h2 would write them down a second time, for about as much as all the rest of a request costs.
"""

from __future__ import annotations

from collections.abc import Iterable

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RemoteSettingsChanged
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes, Settings

from upgradegw.http2.decoding import Decoder, Field
from upgradegw.http2.encoding import Encoder
from upgradegw.http2.faults import ConnectionFault, flow_fault
from upgradegw.http2.frames import MAX_FRAME, PREFACE, Flag, Frame, Kind, frame_head
from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.windows import FIRST_WINDOW, Inbound, Outbound

_CONFIGURATION = H2Configuration(client_side=False)

_WHOLE, _LAST = int(Flag.END_HEADERS), int(Flag.END_HEADERS | Flag.END_STREAM)
_DATA, _HEADERS, _CONTINUATION = int(Kind.DATA), int(Kind.HEADERS), int(Kind.CONTINUATION)
_END_STREAM = int(Flag.END_STREAM)
#: Bytes of a frame's head.
_HEAD = 9


class Session:
    """One HTTP/2 connection without I/O, as either side has it."""

    def __init__(
        self, h2: H2Connection, limits: Http2Limits, max_head: int, secret: frozenset[bytes] = frozenset()
    ) -> None:
        """Begin with the SETTINGS that are prepared, to be sent first (RFC 9113 section 3.4).

        Args:
            h2: The connection, initiated.
            limits: The bounds.
            max_head: Bytes of a header section that is received, each field counted with 32 more (RFC 9113 section
                6.5.2).
            secret: Names of fields that are kept out of the table of what we send.
        """
        self._h2 = h2
        if limits.connection_window > FIRST_WINDOW:
            h2.increment_flow_control_window(limits.connection_window - FIRST_WINDOW)
        # A head that is too large by less than its double concerns its stream; what is larger ends the connection,
        # for the decoder's state is lost.
        self._decoder = Decoder(2 * max_head)
        self._encoder = Encoder(secret)
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

    def add(self, stream_id: int) -> None:
        """Count what is sent on a new stream."""
        self._inbounds[stream_id] = Inbound(self._stream_window)
        self.outbound.add(stream_id, self._h2.remote_settings.initial_window_size)

    def forget(self, stream_id: int) -> None:
        """Count nothing on a stream any more."""
        self._inbounds.pop(stream_id, None)
        self.outbound.remove(stream_id)

    # --- What has come.

    def decode(self, block: bytes) -> list[Field]:
        """Decode a header block; every block must be, for the blocks behind it depend on it (RFC 7541 section 2.2).

        Raises:
            ConnectionFault: It is too large or no header block.
        """
        return self._decoder.decode(block)

    def settings_received(self, frame: Frame) -> None:
        """Take SETTINGS: they change our encoder's table, and the windows of all streams.

        Raises:
            ConnectionFault: They end the connection.
        """
        for event in self._show(frame):
            if isinstance(event, RemoteSettingsChanged):
                self._encoder.resize(self._h2.remote_settings.header_table_size)
                changed = event.changed_settings.get(SettingCodes.INITIAL_WINDOW_SIZE)
                if changed is not None and not self.outbound.change(changed.new_value - (changed.original_value or 0)):
                    raise flow_fault("SETTINGS make a window too large")

    def ping_received(self, frame: Frame) -> None:
        """Take a PING, and acknowledge it.

        Raises:
            ConnectionFault: It ends the connection.
        """
        self._show(frame)

    def _show(self, frame: Frame) -> list[object]:
        """Show h2 a frame; what it says to that stands before all that we say from then on."""
        try:
            kind, flags, stream_id, payload = frame
            events = self._h2.receive_data(frame_head(len(payload), kind, flags, stream_id) + payload)
        except ProtocolError as error:
            self._h2.clear_outbound_data_buffer()  # its GOAWAY; ours names the streams that we answer
            raise ConnectionFault(error.error_code, str(error)) from None
        self._out.append(self._h2.data_to_send())
        return list(events)

    def data_received(self, stream_id: int, number: int) -> bool:
        """Count the payload of a DATA frame; return whether the stream's window had room for it.

        Raises:
            ConnectionFault: The connection's window had none (RFC 9113 section 6.9.1).
        """
        if not self._inbound.receive(number):
            raise flow_fault("more DATA than the connection's window")
        inbound = self._inbounds.get(stream_id)
        return inbound is None or inbound.receive(number)

    def consumed(self, stream_id: int, number: int) -> bool:
        """Let the peer send as many bytes more, now or when there are enough to be worth a frame.

        Args:
            stream_id: On which stream; 0 if it may send none there.
            number: How many.

        Returns:
            Whether there is something to send.
        """
        opened = self._inbound.take(number)
        if opened:
            self._open(0, opened)
        inbound = self._inbounds.get(stream_id)
        if inbound is not None:
            number = inbound.take(number)
            if number:
                self._open(stream_id, number)
                return True
        return opened > 0

    def _open(self, stream_id: int, increment: int) -> None:
        self._out.append(frame_head(4, Kind.WINDOW_UPDATE, 0, stream_id) + increment.to_bytes(4, "big"))

    # --- What is sent.

    def send_headers(self, stream_id: int, fields: Iterable[Field], *, ends: bool = False) -> None:
        """Send the head of a message, names in lower case and pseudo-header fields first."""
        block = self._encoder.encode(fields)
        number = len(block)
        self.unsent += number + _HEAD
        if number <= MAX_FRAME:
            self._out.append(frame_head(number, _HEADERS, _LAST if ends else _WHOLE, stream_id) + block)
            return
        kind, flags = _HEADERS, _END_STREAM if ends else 0
        for at in range(0, number, MAX_FRAME):
            piece = block[at : at + MAX_FRAME]
            flags |= _WHOLE if at + MAX_FRAME >= number else 0
            self._out.append(frame_head(len(piece), kind, flags, stream_id) + piece)
            kind, flags = _CONTINUATION, 0

    def room(self, stream_id: int) -> int:
        """Return how many bytes of content may be sent in one frame; 0 or less if the windows are empty."""
        return min(self.outbound.room(stream_id), MAX_FRAME)

    def send_data(self, stream_id: int, data: bytes | memoryview, *, ends: bool) -> None:
        """Send content, no more than there is room for."""
        number, out = len(data), self._out
        out.append(frame_head(number, _DATA, _END_STREAM if ends else 0, stream_id))
        out.append(data)
        self.outbound.send(stream_id, number)
        self.data_frames += 1
        self.unsent += number + _HEAD

    def reset(self, stream_id: int, code: int) -> None:
        """Send RST_STREAM."""
        self._out.append(frame_head(4, Kind.RST_STREAM, 0, stream_id) + int(code).to_bytes(4, "big"))
        self.unsent += _HEAD + 4

    def take(self) -> bytes:
        """Return the bytes that are to be sent."""
        self.unsent = 0
        out = self._out
        if not out:
            return b""
        self._out = []
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
        super().__init__(h2, limits, max_head)
        h2.receive_data(PREFACE)
        if upgraded is not None:
            self._encoder.resize(h2.remote_settings.header_table_size)
            self.add(1)
