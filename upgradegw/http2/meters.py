"""Token buckets: how often a client may do what costs more to answer than to send (RFC 9113 section 10.5)."""

from __future__ import annotations

from collections.abc import Callable

from upgradegw.http2.faults import flood
from upgradegw.http2.limits import Http2Limits


class Bucket:
    """Holds tokens up to a burst, and earns new ones with time."""

    __slots__ = ("_at", "_burst", "_rate", "_seconds", "_tokens")

    def __init__(self, burst: float, rate: float, seconds: Callable[[], float]) -> None:
        """Start full.

        Args:
            burst: The most tokens.
            rate: Tokens a second.
            seconds: Gives the time.
        """
        self._burst = self._tokens = burst
        self._rate = rate
        self._seconds = seconds
        self._at = seconds()

    def take(self) -> bool:
        """Take a token; return whether there was one."""
        now = self._seconds()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True

    def give(self, number: float) -> None:
        """Earn tokens otherwise than with time."""
        self._tokens = min(self._burst, self._tokens + number)


class Meters:
    """The buckets of one connection; each method takes a token.

    Raises:
        ConnectionFault: (each method) There is none left.
    """

    __slots__ = ("_control", "_glitches", "_resets", "_updates")

    def __init__(self, limits: Http2Limits, seconds: Callable[[], float]) -> None:
        """Start full."""
        self._resets = Bucket(limits.max_resets, limits.resets_per_second, seconds)
        self._glitches = Bucket(limits.max_glitches, limits.glitches_per_second, seconds)
        self._updates = 0
        self._control = Bucket(limits.max_control_frames, limits.control_frames_per_second, seconds)

    def reset(self) -> None:
        """A stream is reset, by the client or because of what the client did: both cost the work done for it."""
        if not self._resets.take():
            raise flood("too many streams were reset")

    def glitch(self) -> None:
        """Something odd came that is not an error."""
        if not self._glitches.take():
            raise flood("too many frames that mean nothing")

    def forgive(self, frames: int) -> None:
        """We have given up a stream: so many frames that are under way on it are nothing odd."""
        self._glitches.give(frames)

    def update(self, streams: int, data_frames: int) -> None:
        """A WINDOW_UPDATE came: in order are some for each stream and each DATA frame (Envoy: 2 and 20, and 5 more).

        Args:
            streams: Twice the number of streams that the client has opened.
            data_frames: DATA frames that we have sent.
        """
        self._updates += 1
        if self._updates > 5 + streams + 20 * data_frames:
            self.glitch()

    def control(self) -> None:
        """A frame came that is to be acknowledged."""
        if not self._control.take():
            raise flood("too many PING or SETTINGS frames")
