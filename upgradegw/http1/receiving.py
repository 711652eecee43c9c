"""The receiving half of the channel: the content of a request, to a file or as a stream, no faster than it is read."""

from __future__ import annotations

from twisted.internet.error import ConnectionAborted
from twisted.python.failure import Failure

from upgradegw.http.content import ContentStream
from upgradegw.http1.chunked import ChunkedDecoder, ChunkedError
from upgradegw.http1.closing import State
from upgradegw.http1.head import Head
from upgradegw.http1.taking import TakeableHalf
from upgradegw.negotiation.reasons import Reason


class ReceivingHalf(TakeableHalf):
    """The part of the channel that reads content.

    Attributes:
        began: When the present request's head was complete, by the site's clock.
    """

    began = 0.0
    _received = 0

    def _answer(self) -> None:
        """Hand the request to its resource."""
        self._state = State.ANSWERING
        head = self._head
        assert head is not None  # noqa: S101 - for the type checker
        self._request.requestReceived(head.method, head.target, head.http_version)

    def _start_content(self, head: Head, streams: bool) -> None:
        self._left = head.content_length
        self._chunks = ChunkedDecoder() if head.chunked else None
        self._received = 0
        self._since = self.began
        if streams:
            self._request.content = self._stream = ContentStream(self._want_content, self._flow)
            self._hasten()
            self._answer()
        else:
            self._state = State.CONTENT
            self._hasten()
            self._request.gotLength(None if head.chunked else head.content_length)
            self._want_content()

    def _hasten(self) -> None:
        """Begin to wait for content: with limits of its own, a request's deadline may be nearer than all others."""
        if self._own_limits is not self._limits:
            self._context.wheel.hasten(self)

    def _want_content(self) -> None:
        """Tell a client that waits for it to send the content (RFC 9110 section 10.1.1)."""
        head = self._head
        answered = self._stream is not None and self._request.startedWriting
        if head is not None and head.expects_continue and not (self._received or answered or self._at < len(self._in)):
            self._continue()

    def _continue(self) -> None:
        self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _read_content(self) -> None:
        """Take what there is of the request's content."""
        try:
            content = self._take_content()
        except ChunkedError as error:
            self._refuse_content(400, Reason.BAD_REQUEST, str(error))
            return
        self._progress()
        self._received += len(content)
        most = self._limits_now().max_content
        if most is not None and self._received > most:
            self._refuse_content(413, Reason.CONTENT_TOO_LARGE, f"more than {most} bytes")
            return
        complete = not self._left and self._chunks is None
        stream = self._stream
        if stream is not None:
            if complete:
                self._stream = None
            stream.receive(content)
            if complete:
                stream.finish()
            return
        self._request.handleContentChunk(content)
        if complete:
            self._answer()

    def _take_content(self) -> bytes:
        """Take content from the input; what follows the request stays."""
        if self._chunks is None:
            content = bytes(self._in[self._at : self._at + self._left])
            self._left -= len(content)
            self._consume(self._at + len(content))
            return content
        data = bytes(self._in[self._at :])
        self._consume(len(self._in))
        content, self._in = self._chunks.receive(data)
        if self._chunks.finished:
            self._chunks = None
        return content

    def _consume(self, end: int) -> None:
        """Let go of the input before ``end``."""
        if end >= len(self._in):
            self._in, self._at = b"", 0
        else:
            self._at = end

    def _refuse_content(self, status: int, reason: Reason, detail: str = "") -> None:
        """Refuse a request whose content cannot be read on; if it is streamed, its resource has the last word."""
        self._left, self._chunks = 0, None
        self.keep_alive = False
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.fail((status, reason, detail))
            return
        self._refuse_request(status, reason, detail)

    def _refuse_request(self, status: int, reason: Reason, detail: str) -> None:
        """Refuse a request that has been made, but that its resource has not seen."""
        head, request, self._request = self._head, self._request, None
        request.connectionLost(Failure(ConnectionAborted()))
        about = (head.method, head.target, head.fields) if head is not None else (b"", b"", ())
        self._refuse(status, reason, detail, about)

    def _flow(self, more: bool) -> None:
        """A stream has room for more, or has not."""
        if self._stream is not None:
            if more:
                self._progress()
            self._update_reading()

    def _update_reading(self) -> None:
        if self._state == State.ANSWERING:
            stream = self._stream
            if stream is not None:
                reading = stream.waiting < stream.HIGH_WATER
            else:
                reading = len(self._in) - self._at <= self._limits.max_leading_data
        else:
            # Whoever does not read his answers may not ask on.
            reading = self._lingering or not (self.blocked or self._queue)
        if reading != self._reading and not self._read_closed:
            self._reading = reading
            if reading:
                self.transport.resumeProducing()
            else:
                self.transport.pauseProducing()
