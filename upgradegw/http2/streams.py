"""Which streams there are, and what a frame for one that is not there means (RFC 9113 section 5.1)."""

from __future__ import annotations

from collections import OrderedDict, deque
from enum import Enum
from typing import Generic, TypeVar

S = TypeVar("S")

#: Streams that we have reset and on which the client may still be sending; the meter of resets allows as many at once.
_REMEMBERED = 1000
#: Ranges of identifiers that the client has skipped. No client that we know skips any.
_GAPS = 16


class Place(Enum):
    """Where a stream is, seen from what the client sends."""

    #: It has not been opened, and would be by HEADERS if its identifier is odd.
    IDLE = "idle"
    #: It is there.
    LIVE = "live"
    #: We have reset it, and the client may not know yet: what comes is dropped (RFC 9113 section 5.4.2).
    ABANDONED = "abandoned"
    #: It was open and has ended, as the client knows.
    CLOSED = "closed"
    #: The client went past its identifier (RFC 9113 section 5.1.1).
    SKIPPED = "skipped"


class Streams(Generic[S]):
    """The streams of a connection.

    Attributes:
        live: Those that are there, by identifier.
        highest: The highest identifier that the client has used.
    """

    def __init__(self) -> None:
        """Have none."""
        self.live: dict[int, S] = {}
        self.highest = 0
        self._abandoned: OrderedDict[int, None] = OrderedDict()
        self._gaps: deque[range] = deque(maxlen=_GAPS)

    def place(self, stream_id: int) -> Place:
        """Tell where a stream is."""
        if stream_id in self.live:
            return Place.LIVE
        if stream_id > self.highest or stream_id % 2 == 0:
            return Place.IDLE
        if stream_id in self._abandoned:
            return Place.ABANDONED
        return Place.SKIPPED if any(stream_id in gap for gap in self._gaps) else Place.CLOSED

    def open(self, stream_id: int) -> None:
        """Note that the client uses an identifier that was idle."""
        if stream_id > self.highest + 2:
            self._gaps.append(range(self.highest + 1, stream_id))
        self.highest = stream_id

    def add(self, stream_id: int, stream: S) -> None:
        """Have a stream."""
        self.live[stream_id] = stream

    def abandon(self, stream_id: int) -> None:
        """Note that we have reset a stream on which the client had not ended."""
        self.live.pop(stream_id, None)
        self._abandoned[stream_id] = None
        if len(self._abandoned) > _REMEMBERED:
            self._abandoned.popitem(last=False)

    def close(self, stream_id: int) -> None:
        """Note that a stream has ended and that the client knows."""
        self.live.pop(stream_id, None)
        self._abandoned.pop(stream_id, None)
