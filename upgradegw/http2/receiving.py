"""The receiving half of a stream: the content of a request, counted, and credited to the client as it is read.

What the client may send is bounded by its windows. They are opened again only for bytes that somebody has taken: the
buffered content at once, a streamed one as its reader reads (RFC 9113 section 5.2).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from upgradegw.http.content import ContentStream
from upgradegw.http2.any_stream import AnyStream
from upgradegw.http2.fields import response_fields
from upgradegw.http2.validation import Http2Head
from upgradegw.negotiation.reasons import Reason


class ReceivingHalf(AnyStream):
    """What of a request's content has come."""

    _head_received: Http2Head | None = None
    _request: Any = None
    _content: ContentStream | None = None
    _received = 0
    # Since when the next piece of content is awaited.
    _awaited_since: float | None = None

    def start_content(self, *, streams: bool, length: int | None) -> None:
        """Begin to take content."""
        self._awaited_since = self._owner.seconds()
        self.hasten()
        request = self._request
        if streams:
            request.content = self._content = ContentStream(self.want_content, lambda _more: None, self.consumed)
            self.answer()
        else:
            request.gotLength(length)
            self.want_content()

    def want_content(self) -> None:
        """Tell a client that waits for it to send the content (RFC 9110 section 10.1.1)."""
        head = self._head_received
        answered = self._head is not None or self._head_sent
        if head is not None and head.expects_continue and not (self._received or self.read_ended or answered):
            self._session.send_headers(self.stream_id, [(b":status", b"100")])
            self._owner.touch()

    def write_interim(self, code: int, reason: bytes, fields: Iterable[tuple[bytes, bytes]]) -> None:  # noqa: ARG002
        """Send an interim response ahead of the final one (RFC 9110 section 15.2).

        Args:
            code: The status code, 102 to 199.
            reason: Has no place in HTTP/2.
            fields: The fields.
        """
        if self._head is None and not self._head_sent and not self.gone:
            self._session.send_headers(self.stream_id, response_fields(b"%d" % code, fields))
            self._owner.touch()

    def data_received(self, data: bytes, controlled: int) -> None:
        """Take content.

        Args:
            data: The content.
            controlled: Bytes that count for flow control: the content and its padding.
        """
        self._owed += controlled
        self._received += len(data)
        self.take_data(data)
        self.consumed()

    def take_data(self, data: bytes) -> None:
        """Pass content on to where it goes, if it is still wanted."""
        if self._awaited_since is None or self._too_much():
            return
        self._awaited_since = self._owner.seconds()
        if self._content is not None:
            self._content.receive(data)
        elif self._request is not None:
            self._request.handleContentChunk(data)

    def _too_much(self) -> bool:
        """Judge how much has come: against Content-Length (RFC 9113 section 8.1.1) and against the limit."""
        head = self._head_received
        assert head is not None  # noqa: S101 - for the type checker
        if head.content_length is not None and self._received > head.content_length:
            self.malformed(f"more than Content-Length: {head.content_length}")
            return True
        most = self.limits.max_content
        if most is not None and self._received > most:
            self.refuse_content(413, Reason.CONTENT_TOO_LARGE, f"more than {most} bytes")
            return True
        return False

    def waiting_bytes(self) -> int:
        """Return how many bytes have arrived that nobody has taken."""
        return self._content.waiting if self._content is not None else super().waiting_bytes()

    def end_received(self) -> None:
        """The client's side has ended, by whichever frame."""
        self.read_ended = True
        head = self._head_received
        if self._awaited_since is None:
            return
        self._awaited_since = None
        if head is not None and head.content_length is not None and self._received != head.content_length:
            self.malformed(f"{self._received} bytes, Content-Length: {head.content_length}")
            return
        if self._content is not None:
            self._content.finish()
        else:
            self.answer()

    # --- The rest of the stream.

    def answer(self) -> None:
        """Hand the request to its resource."""
        raise NotImplementedError

    def refuse_content(self, status: int, reason: Reason, detail: str = "") -> None:
        """Refuse a request whose content will not be read on."""
        raise NotImplementedError
