"""Bytes of a connection to responses: heads one by one, then content without framing, or a switch; no I/O."""

from __future__ import annotations

from typing import Protocol

from upgradegw.http1.chunked import ChunkedDecoder, ChunkedError
from upgradegw.proxy.exchange import ResponseHead
from upgradegw.proxy.http1.response import CHUNKED, UNTIL_CLOSE, BadResponse, Framing, check_start, parse_response

_SWITCHING_PROTOCOLS = 101
_OK = 200


class Sink(Protocol):
    """Gets what is read."""

    def got_interim(self, head: ResponseHead) -> None:
        """A 1xx other than 101."""

    def got_head(self, head: ResponseHead) -> None:
        """The head of the final response."""

    def got_data(self, data: bytes) -> None:
        """A piece of content."""

    def got_end(self) -> None:
        """The response is complete."""

    def got_switch(self, head: ResponseHead, rest: bytes) -> None:
        """A 101, and what came behind it."""


class State:
    """What the next bytes are."""

    NOTHING = 0  # no response is due
    HEAD = 1
    LENGTH = 2
    CHUNKS = 3
    UNTIL_CLOSE = 4
    SWITCHED = 5


class ResponseReader:
    """Reads the responses of one connection, one after another.

    Attributes:
        state: What the next bytes are.
        untouched: Not a byte of the present response has come.
        keep_alive: Whether the connection may be used again when the response is complete; only then of meaning.
        idle: Seconds for which the upstream says it keeps an idle connection, or None.
    """

    __slots__ = (
        "_chunks",
        "_head_only",
        "_in",
        "_interims",
        "_left",
        "_max_head",
        "_max_interim",
        "_searched",
        "_sink",
        "idle",
        "keep_alive",
        "state",
        "untouched",
    )

    def __init__(self, sink: Sink, max_head: int, max_interim: int) -> None:
        """Wait for ``begin``.

        Args:
            sink: Gets what is read.
            max_head: Bytes of one head.
            max_interim: Interim responses to one request.
        """
        self.state = State.NOTHING
        self.untouched = True
        self.keep_alive = True
        self.idle: int | None = None
        self._sink = sink
        self._max_head = max_head
        self._max_interim = max_interim
        self._in = b""
        self._searched = 0
        self._interims = 0
        self._head_only = False
        self._left = 0
        self._chunks: ChunkedDecoder | None = None

    def begin(self, head_only: bool) -> None:
        """Expect the response to a request.

        Args:
            head_only: Whether the request is a HEAD.
        """
        self.state = State.HEAD
        self.untouched = True
        self._head_only = head_only
        self._interims = 0

    def stop(self) -> None:
        """Read no more of the response: nobody wants it."""
        self.state = State.NOTHING
        self._in = b""

    def release(self) -> None:
        """Let go of who gets what is read, for it knows of the reader; nothing is fed any more."""
        self.stop()
        del self._sink

    def feed(self, data: bytes) -> None:
        """Take bytes from the upstream.

        Args:
            data: The next bytes; not empty.

        Raises:
            BadResponse: They are no response, or beyond a limit. What was right before has been passed on.
        """
        self.untouched = False
        state = self.state
        if state == State.LENGTH:
            self._take_length(data)
        elif state == State.HEAD:
            self._take_heads(data)
        elif state == State.CHUNKS:
            self._take_chunks(data)
        elif state == State.UNTIL_CLOSE:
            self._sink.got_data(data)
        else:
            raise BadResponse("bytes that no request asked for")

    def end_of_input(self) -> bool:
        """The connection has ended in order; return whether that completes the response."""
        if self.state != State.UNTIL_CLOSE:
            return False
        self._complete(b"")
        return True

    def _take_heads(self, data: bytes) -> None:
        if self._in:
            data = self._in + data
        while self.state == State.HEAD:
            end = self._end_of_head(data)
            if end < 0:
                self._in = data
                return
            head, framing = parse_response(data[:end], self._head_only)
            data = data[end:]
            self._in, self._searched = b"", 0
            if head.status == _SWITCHING_PROTOCOLS:
                self.state = State.SWITCHED
                self._sink.got_switch(head, data)
                return
            if head.status >= _OK:
                self._begin_content(head, framing, data)
                return
            self._interims += 1
            if self._interims > self._max_interim:
                raise BadResponse(f"more than {self._max_interim} interim responses")
            self._sink.got_interim(head)
            if not data:
                return

    def _end_of_head(self, data: bytes) -> int:
        """Return where the first head in the bytes ends, or -1."""
        end = data.find(b"\r\n\r\n", max(self._searched - 3, 0))
        if (len(data) if end < 0 else end + 4) > self._max_head:
            raise BadResponse(f"a head of more than {self._max_head} bytes")
        if end < 0:
            check_start(data)
            self._searched = len(data)
            return -1
        return end + 4

    def _begin_content(self, head: ResponseHead, framing: Framing, rest: bytes) -> None:
        length = framing.length
        self.keep_alive = framing.keep_alive
        self.idle = framing.idle
        if length == CHUNKED:
            self.state, self._chunks = State.CHUNKS, ChunkedDecoder()
        elif length == UNTIL_CLOSE:
            self.state = State.UNTIL_CLOSE
        else:
            self.state, self._left = State.LENGTH, length
        self._sink.got_head(head)
        if self.state == State.NOTHING:
            return  # the sink has had enough
        if length == 0:
            self._complete(rest)
        elif rest:
            self.feed(rest)

    def _take_length(self, data: bytes) -> None:
        left = self._left - len(data)
        if left > 0:
            self._left = left
            self._sink.got_data(data)
            return
        rest = b""
        if left < 0:
            data, rest = data[:left], data[left:]
        self._sink.got_data(data)
        if self.state != State.NOTHING:
            self._complete(rest)

    def _take_chunks(self, data: bytes) -> None:
        assert self._chunks is not None  # noqa: S101 - for the type checker
        try:
            content, rest = self._chunks.receive(data)
        except ChunkedError as error:
            raise BadResponse(f"bad chunks: {error}") from None
        if content:
            self._sink.got_data(content)
        if self._chunks.finished and self.state != State.NOTHING:
            self._complete(rest)

    def _complete(self, rest: bytes) -> None:
        """Tell of the end; bytes behind it were not asked for, and who knows to whom they belong."""
        if rest or self.state == State.UNTIL_CLOSE:
            self.keep_alive = False
        self.state, self._chunks = State.NOTHING, None
        self._sink.got_end()
