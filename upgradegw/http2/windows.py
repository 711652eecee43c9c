"""Flow control (RFC 9113 sections 5.2 and 6.9): what the client may send, and what we may send.

DATA frames are most of what a connection carries, so they are counted here and never shown to h2.
"""

from __future__ import annotations

#: The largest window there is (RFC 9113 section 6.9.1).
MOST = 2**31 - 1

#: Every connection's window at first (RFC 9113 section 6.9.2).
FIRST_WINDOW = 65_535

#: Bytes for which it is worth telling a client that has nothing left to send with.
_WORTH = 1024


class Inbound:
    """What the client may still send on a stream, or on the connection."""

    __slots__ = ("_least", "_left", "_size", "_taken")

    def __init__(self, size: int) -> None:
        """Start open.

        Args:
            size: Bytes that may be on the way or wait here at a time.
        """
        self._size = self._left = size
        self._least = min(_WORTH, size // 4)
        self._taken = 0

    def receive(self, number: int) -> bool:
        """Count bytes that have arrived; return whether there was room for them."""
        self._left -= number
        return self._left >= 0

    def take(self, number: int) -> int:
        """Count bytes that somebody has taken.

        Returns:
            By how much to open the window, or 0 while that is not worth a frame: half of the window, or a little where
            the client can send nothing more.
        """
        self._taken += number
        if self._taken < self._size // 2 and (self._left > 0 or self._taken <= self._least):
            return 0
        taken, self._taken = self._taken, 0
        self._left += taken
        return taken


class Outbound:
    """What we may still send, on the connection and on each stream; a stream's window may be negative."""

    def __init__(self) -> None:
        """Know no stream."""
        self._connection = FIRST_WINDOW
        self._streams: dict[int, int] = {}

    def add(self, stream_id: int, size: int) -> None:
        """Know a stream."""
        self._streams[stream_id] = size

    def remove(self, stream_id: int) -> None:
        """Know it no longer."""
        self._streams.pop(stream_id, None)

    def room(self, stream_id: int) -> int:
        """Return how many bytes may be sent on a stream."""
        return min(self._streams[stream_id], self._connection)

    def send(self, stream_id: int, number: int) -> None:
        """Count bytes that are sent."""
        self._streams[stream_id] -= number
        self._connection -= number

    def open(self, stream_id: int, number: int) -> bool:
        """Open the window of a stream, or of the connection (0); return whether it is no larger than it may be."""
        if not stream_id:
            self._connection += number
            return self._connection <= MOST
        self._streams[stream_id] += number
        return self._streams[stream_id] <= MOST

    def change(self, difference: int) -> bool:
        """Open or shut all streams' windows (RFC 9113 section 6.9.2); return whether none is larger than it may be."""
        for stream_id in self._streams:
            self._streams[stream_id] += difference
        return difference <= 0 or max(self._streams.values(), default=0) <= MOST
