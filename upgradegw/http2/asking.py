"""HTTP/2 as a client that asks for one switch with extended CONNECT: bytes in, bytes out, no I/O (RFC 8441)."""

from __future__ import annotations

import re

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    ConnectionTerminated,
    DataReceived,
    Event,
    InformationalResponseReceived,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.exceptions import ProtocolError

from upgradegw.http2.frames import Kind
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Fields

#: What the caller asks is the caller's affair, so nothing of it is judged here.
_CONFIGURATION = H2Configuration(client_side=True, header_encoding=None, validate_outbound_headers=False)


#: Where in a frame its type stands (RFC 9113 section 4.1).
_KIND = 3

#: Interim responses that are kept; nobody sends more than a few.
_MAX_INTERIM = 10

_STATUS = re.compile(rb"[1-5][0-9]{2}")


class NotHttp2(Exception):  # noqa: N818 - the name says what it is
    """What the server sent is no HTTP/2."""


class Asking:
    """One connection, one request.

    Attributes:
        greeted: Whether the server's SETTINGS have come.
        extended_connect: Whether they let a client ask for a switch (RFC 8441 section 3).
        status: The status of the final response; None until it has come.
        fields: Its field lines.
        interim: Status and fields of each response before it.
        content: Content, or what came behind the switch; taken away by whoever reads it.
        ended: Whether the server has ended the stream or the connection.
        ending: How, if not in order: ``CANCEL``, for example.
    """

    def __init__(self) -> None:
        """Have nothing to say but the preface."""
        self.greeted = self.extended_connect = self.ended = False
        self.status: int | None = None
        self.fields: Fields = ()
        self.interim: list[tuple[int, Fields]] = []
        self.content = b""
        self.ending: str | None = None
        self._first = b""
        self._unsent = b""
        self._to_end = False
        self._h2 = H2Connection(_CONFIGURATION)
        # RFC 9113 section 8.4: there is one question, and what a server would push is no answer to it.
        self._h2.local_settings.enable_push = 0
        self._h2.local_settings.acknowledge()
        self._h2.initiate_connection()

    @property
    def has_room(self) -> bool:
        """Whether the server lets us open a stream (RFC 9113 section 5.1.2)."""
        return self._h2.remote_settings.max_concurrent_streams > 0

    def unsent(self) -> bytes:
        """Return what is to be sent now."""
        return self._h2.data_to_send()

    def ask(self, fields: Fields, content: bytes = b"") -> None:
        """Send the request; its stream stays open.

        Args:
            fields: Pseudo-header fields first.
            content: What to send at once.
        """
        self._h2.send_headers(1, fields)
        if content:
            self._h2.send_data(1, content)

    def send(self, data: bytes, *, end: bool = False) -> None:
        """Send bytes behind the switch; what the server's windows hold back goes when they open.

        Args:
            data: The bytes.
            end: Whether they are the last.
        """
        self._unsent, self._to_end = self._unsent + data, end
        self._send_on()

    def _send_on(self) -> None:
        """Send what windows and frames have room for (RFC 9113 sections 4.2 and 6.9)."""
        while not self.ended and (self._unsent or self._to_end):
            room = min(self._h2.local_flow_control_window(1), self._h2.max_outbound_frame_size)
            if room < min(len(self._unsent), 1):
                return
            piece, self._unsent = self._unsent[:room], self._unsent[room:]
            last = self._to_end and not self._unsent
            self._h2.send_data(1, piece, end_stream=last)
            self._to_end = self._to_end and not last

    def receive(self, data: bytes) -> None:
        """Take bytes from the server.

        Args:
            data: The bytes.

        Raises:
            NotHttp2: They are against RFC 9113.
        """
        if len(self._first) <= _KIND:
            self._first += data[: _KIND + 1 - len(self._first)]
            if len(self._first) > _KIND and self._first[_KIND] != Kind.SETTINGS:
                # RFC 9113 section 3.4. Read as a frame, text would be one that never ends.
                raise NotHttp2(f"it begins with {printable(self._first)}")
        try:
            events = self._h2.receive_data(data)
        except ProtocolError as error:
            raise NotHttp2(str(error)) from error
        for event in events:
            self._take(event)
        self._send_on()

    def _take(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged):
            self.greeted = True
            self.extended_connect = bool(self._h2.remote_settings.enable_connect_protocol)
        elif isinstance(event, ResponseReceived | InformationalResponseReceived):
            (_, status), *fields = ((bytes(name), bytes(value)) for name, value in event.headers or [])
            if _STATUS.fullmatch(status) is None:
                raise NotHttp2(f"its status is {printable(status)}")
            if isinstance(event, ResponseReceived):
                self.status, self.fields = int(status), tuple(fields)
            elif len(self.interim) == _MAX_INTERIM:
                raise NotHttp2(f"more than {_MAX_INTERIM} interim responses and no answer")
            else:
                self.interim.append((int(status), tuple(fields)))
        elif isinstance(event, DataReceived):
            self.content += event.data or b""
            self._h2.acknowledge_received_data(event.flow_controlled_length or 0, 1)
        elif isinstance(event, StreamEnded):
            self.ended = True
        elif isinstance(event, StreamReset | ConnectionTerminated):
            code = event.error_code
            self.ended = True
            self.ending = code.name if isinstance(code, ErrorCodes) else str(code)
