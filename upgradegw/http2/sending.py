"""The sending half of a stream: what twisted.web's Request, or the protocol behind a switch, writes.

Everything waits here for the stream's turn, which comes once in a reactor turn, so that a head, its content and its
end leave together. What the client's windows do not let through stays, and the writer is told to pause.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any, Protocol

from upgradegw.http.context import Context
from upgradegw.http2.fields import response_fields
from upgradegw.http2.session import Session

#: Bytes that may wait on a stream before its producer is paused, as in Twisted's transports.
HIGH_WATER = 64 * 1024

#: Bytes that a client must take in ``write_timeout``, or all that there is: fewer are no progress.
MIN_PROGRESS = 1024


class Owner(Protocol):
    """The connection as a stream's sending half sees it."""

    context: Context
    session: Session
    transport: Any

    def wake(self, stream: Any) -> None:
        """A stream has something to send."""

    def touch(self) -> None:
        """There are bytes to send that belong to no stream's turn."""

    def has_room(self) -> bool:
        """Whether something may be sent out of turn."""

    def starved(self, stream: Any) -> None:
        """A stream has content for which there is no room."""

    def seconds(self) -> float:
        """The time."""

    def isSecure(self) -> bool:
        """Whether the connection is encrypted by us."""

    def getPeer(self) -> Any:
        """The address of its other end."""

    def getHost(self) -> Any:
        """The address of this end."""

    def sent_all(self, stream: Any) -> None:
        """A stream has sent its end."""

    def reset(self, stream: Any, code: int) -> None:
        """A stream is to be reset, and is gone for whoever uses it."""


class SendingHalf:
    """What a stream has to send, and who produces it.

    Attributes:
        stream_id: Its identifier.
        urgency: How soon the client wants it.
        waiting: Whether it is its turn soon.
        finished: Whether nothing comes behind what waits.
        end_sent: Whether our side has ended on the wire.
        gone: Whether the stream was reset, or its connection lost.
    """

    urgency = 3
    waiting = False
    finished = False
    end_sent = False
    gone = False
    _head: list[tuple[bytes, bytes]] | None = None
    _head_sent = False
    _size = 0
    _producer: Any = None
    _pulling = False
    _paused = False
    _asked = False
    _reset_with: int | None = None
    _pending_since: float | None = None
    _progress = 0

    def __init__(self, owner: Owner, stream_id: int) -> None:
        """Have nothing to send."""
        self.stream_id = stream_id
        self._owner = owner
        self._session = owner.session
        self._pieces: deque[bytes | memoryview] = deque()

    @property
    def has_pending(self) -> bool:
        """Whether something waits to be sent."""
        return bool(self._size or self._head is not None or (self.finished and not self.end_sent))

    @property
    def unsent(self) -> int:
        """How many bytes of content wait."""
        return self._size

    # --- For Request.

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:  # noqa: ARG002
        """Take a response's head (called by Request); HTTP/2 has neither version nor reason phrase.

        Raises:
            ValueError: The status is none of a final response; 101 does not exist here (RFC 9113 section 8.6).
        """
        if code < b"200":
            raise ValueError(f"{code.decode('latin-1')} is no status of a response over HTTP/2")
        self.send_head(response_fields(code, headers))

    def send_head(self, fields: list[tuple[bytes, bytes]]) -> None:
        """Take a response's head."""
        self._head = fields
        self._owner.wake(self)

    def write(self, data: bytes) -> None:
        """Take content.

        Raises:
            TypeError: It is no bytes; found out here, where it concerns this stream alone.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"data must be bytes, not {type(data).__name__}")
        if not data or self.finished:
            return
        self._pieces.append(data)
        self._size += len(data)
        self._asked = False
        if self._size > HIGH_WATER:
            self._pause_producer()
        if not self.waiting:
            self._owner.wake(self)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Take content in pieces."""
        self.write(b"".join(iovec))

    def end(self) -> None:
        """Nothing comes behind what has been written."""
        if not self.finished:
            self.finished = True
            if not self.waiting:
                self._owner.wake(self)

    def reset_later(self, code: int) -> None:
        """Reset the stream when its turn comes, dropping what waits."""
        if self._reset_with is None:
            self._reset_with = code
            self._owner.wake(self)

    # --- Producers.

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let a producer be paused and resumed, or asked for each piece.

        Args:
            producer: The producer.
            streaming: Whether it is an IPushProducer.

        Raises:
            RuntimeError: There is one already.
        """
        if self._producer is not None:
            raise RuntimeError(f"cannot register {producer!r}: {self._producer!r} was not unregistered")
        self._producer = producer
        self._pulling = not streaming
        self._paused = self._asked = False
        if streaming and self._size > HIGH_WATER:
            self._pause_producer()
        elif self._pulling:
            self._owner.wake(self)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self._producer = None
        self._pulling = self._paused = False

    def _pause_producer(self) -> None:
        if self._producer is not None and not self._pulling and not self._paused:
            self._paused = True
            self._producer.pauseProducing()

    def _go_on_producing(self) -> None:
        """Ask for more when there is room: a push producer once, a pull producer once for each time it has written."""
        if self._producer is None or self._size > HIGH_WATER // 2:
            return
        if self._pulling:
            if not self._size and not self._asked:
                self._asked = True
                self._producer.resumeProducing()
        elif self._paused:
            self._paused = False
            self._producer.resumeProducing()

    def stop_producing(self) -> None:
        """The stream is gone: let go of everything, and tell the producer."""
        self.gone = True
        self._pieces.clear()
        self._size = 0
        self._head = self._pending_since = None
        self.finished = True
        self.drop_producer()

    def drop_producer(self) -> None:
        """Nothing more can be written: tell the producer."""
        producer, self._producer = self._producer, None
        self._pulling = self._paused = False
        if producer is not None:
            producer.stopProducing()

    # --- The stream's turn.

    def send_some(self) -> bool:
        """Send the head if it waits, and a frame of content; return whether more could be sent at once."""
        if self._reset_with is not None and not self.gone:
            self._owner.reset(self, self._reset_with)
        if self.gone or self.end_sent:
            return False
        self._begin()
        if self._size:
            room = self._session.room(self.stream_id)
            if room <= 0:
                self._note_pending()
                self._owner.starved(self)
                return False
            self._send_data(room)
        elif self.finished and not self.end_sent:
            self._session.send_data(self.stream_id, b"", ends=True)
            self._end_sent()
        if self.end_sent:
            return False
        self._go_on_producing()
        return self.has_pending

    def _begin(self) -> None:
        """Send the head, which stands before all else; with the end, if that is all."""
        head, self._head = self._head, None
        if head is not None:
            self._head_sent = True
            ends = self.finished and not self._size
            self._session.send_headers(self.stream_id, head, ends=ends)
            if ends:
                self._end_sent()
        elif not self._head_sent and self.has_pending:
            raise RuntimeError("a response without a head")

    def _send_data(self, most: int) -> None:
        data = self._cut(most)
        ends = self.finished and not self._size
        self._session.send_data(self.stream_id, data, ends=ends)
        self._progress += len(data)
        if not self._size:
            self._pending_since = None
        else:
            if self._progress >= MIN_PROGRESS:
                self._pending_since = None
            self._note_pending()
        if ends:
            self._end_sent()

    def _cut(self, most: int) -> bytes | memoryview:
        """Take up to so many bytes from what waits; small pieces are joined."""
        pieces = self._pieces
        first = pieces.popleft()
        if len(first) > most:
            first = memoryview(first)
            pieces.appendleft(first[most:])
            self._size -= most
            return first[:most]
        self._size -= len(first)
        if not pieces or len(first) == most:
            return first
        joined = [bytes(first)]
        left = most - len(first)
        while pieces and len(pieces[0]) <= left:
            piece = pieces.popleft()
            joined.append(bytes(piece))
            left -= len(piece)
            self._size -= len(piece)
        return b"".join(joined)

    def _end_sent(self) -> None:
        self.end_sent = True
        self._pending_since = None
        self._owner.sent_all(self)

    def _note_pending(self) -> None:
        """Something waits for the client's windows from now on."""
        if self._pending_since is None:
            self._pending_since = self._owner.seconds()
            self._progress = 0
