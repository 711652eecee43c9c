"""HTTP/2 as a client that asks for one switch with extended CONNECT: bytes in, bytes out, no I/O (RFC 8441)."""

from __future__ import annotations

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
        self._h2 = H2Connection(_CONFIGURATION)
        self._h2.initiate_connection()

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
        """Send bytes behind the switch; few enough for the smallest window that a server may set by default.

        Args:
            data: The bytes.
            end: Whether they are the last.
        """
        if not self.ended:
            self._h2.send_data(1, data, end_stream=end)

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

    def _take(self, event: Event) -> None:
        if isinstance(event, RemoteSettingsChanged):
            self.greeted = True
            self.extended_connect = bool(self._h2.remote_settings.enable_connect_protocol)
        elif isinstance(event, ResponseReceived | InformationalResponseReceived):
            (_, status), *fields = ((bytes(name), bytes(value)) for name, value in event.headers or [])
            if isinstance(event, ResponseReceived):
                self.status, self.fields = int(status), tuple(fields)
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
