"""The clock of all connections of a site: one delayed call for all of them, and no work for each request.

A connection lies in the bucket of a second, at or before its deadline, and says anew what its deadline is when the
bucket's time has come. A request that is answered in time therefore touches nothing here: the connection notes the
time, and the wheel reads the note some seconds later.
"""

from __future__ import annotations

from math import ceil
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

_log = Logger(namespace="upgradegw")


class Watched(Protocol):
    """Something with a deadline.

    Attributes:
        bucket: The second in whose bucket it lies; the wheel's own, 0 outside.
    """

    bucket: int

    def deadline(self) -> float | None:
        """Return when ``expired`` should be called, in the clock's seconds; None while there is nothing to wait for."""

    def expired(self) -> None:
        """The deadline has passed."""


class Wheel:
    """Buckets of one second each."""

    def __init__(self, clock: IReactorTime, longest: float) -> None:
        """Watch nothing yet.

        Args:
            clock: What gives the time and the one delayed call.
            longest: Seconds after which every connection is asked for its deadline at the latest. No deadline that
                appears without a call of ``hasten`` may lie nearer than this.
        """
        self._clock = clock
        self._longest = longest
        self._buckets: dict[int, set[Watched]] = {}
        self._call: IDelayedCall | None = None
        self._next = 0

    def __len__(self) -> int:
        """Return how many are watched."""
        return sum(map(len, self._buckets.values()))

    def enter(self, watched: Watched) -> None:
        """Watch something new: it is asked for its deadline within a second, for by then most have left."""
        self._put_soon(watched, int(self._clock.seconds()) + 1)

    def hasten(self, watched: Watched) -> None:
        """Watch something, or take notice that its deadline may now lie nearer than before."""
        bucket = self._bucket(watched)
        if watched.bucket:
            if bucket >= watched.bucket:
                return
            self.forget(watched)
        self._put_soon(watched, bucket)

    def forget(self, watched: Watched) -> None:
        """Watch something no longer."""
        if watched.bucket:
            self.leave(watched)
            self.rest()

    def leave(self, watched: Watched) -> None:
        """Watch something no longer, and expect more to come soon: the delayed call stays; see ``rest``."""
        if not watched.bucket:
            return
        bucket = self._buckets[watched.bucket]
        bucket.remove(watched)
        if not bucket:
            del self._buckets[watched.bucket]
        watched.bucket = 0

    def rest(self) -> None:
        """Drop the delayed call if nothing is watched."""
        if not self._buckets and self._call is not None:
            self._call.cancel()
            self._call = None

    def _bucket(self, watched: Watched) -> int:
        latest = self._clock.seconds() + self._longest
        deadline = watched.deadline()
        return max(1, ceil(latest if deadline is None or deadline > latest else deadline))

    def _put_soon(self, watched: Watched, bucket: int) -> None:
        """Put something into a bucket that may be due before all others."""
        is_new = bucket not in self._buckets
        self._put(watched, bucket)
        if is_new:
            self._schedule()

    def _put(self, watched: Watched, bucket: int) -> None:
        watched.bucket = bucket
        self._buckets.setdefault(bucket, set()).add(watched)

    def _schedule(self) -> None:
        """See to it that the call comes when the first bucket is due."""
        first = min(self._buckets)
        if self._call is None:
            self._call = self._clock.callLater(max(0.0, first - self._clock.seconds()), self._turn)
        elif first < self._next:
            self._call.reset(max(0.0, first - self._clock.seconds()))
        else:
            return
        self._next = first

    def _turn(self) -> None:
        """Go through the buckets that are due."""
        self._call = None
        now = self._clock.seconds()
        for bucket in sorted(due for due in self._buckets if due <= now):
            for watched in list(self._buckets.get(bucket, ())):
                if watched.bucket == bucket:
                    self._look(watched, now)
        if self._buckets:
            self._schedule()

    def _look(self, watched: Watched, now: float) -> None:
        deadline = watched.deadline()
        if deadline is not None and deadline <= now:
            try:
                watched.expired()
            except Exception:  # noqa: BLE001 - one connection's fault must not stop the clock of all
                _log.failure("a connection's deadline")
            if not watched.bucket:
                return  # it is gone
        bucket = watched.bucket
        again = max(self._bucket(watched), bucket + 1)
        self.forget(watched)
        self._put(watched, again)
