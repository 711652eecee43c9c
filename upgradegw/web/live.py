"""The upgraded connections that are open now, for a person who wants to see them and may end one.

A site whose ``live`` is set tells it of each switch and each end; a site without it pays nothing. How long a connection
has been idle is found out by looking at its counts now and then, so no byte costs a look at the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from twisted.internet.interfaces import IReactorTime

from upgradegw.http.wheel import Wheel
from upgradegw.interfaces import EndSummary
from upgradegw.transports import abort_transport

#: Seconds between two looks at a connection's counts: how exactly its idle time is known.
LOOK_SECONDS = 5.0

_NOTHING = EndSummary(0, 0)


@dataclass(eq=False, slots=True)
class LiveConnection:
    """One upgraded connection.

    Attributes:
        number: Its place in the order in which connections were switched; never used twice.
        about: What the ``switch`` event says of it.
        began: When it was switched, by the clock of its site.
        bucket: For the wheel.
        draining: Whether ``drain`` has been called.
    """

    number: int
    about: Mapping[str, Any]
    began: float
    bucket: int = 0
    draining: bool = False
    _clock: IReactorTime = field(kw_only=True, repr=False)
    _remove: Callable[[LiveConnection], None] = field(kw_only=True, repr=False)
    _so_far: Callable[[], EndSummary] | None = None
    _going_away: Callable[[int], None] | None = None
    _transport: Any = None
    _seen: tuple[int, int] = (0, 0)
    _since: float = 0.0

    def ready(self, so_far: Callable[[], EndSummary], going_away: Callable[[int], None], transport: Any) -> None:
        """It speaks its protocol now.

        Args:
            so_far: Tells what has gone through.
            going_away: Ends it in order, with a close code.
            transport: Its transport.
        """
        self._so_far, self._going_away, self._transport = so_far, going_away, transport

    def counts(self) -> tuple[int, int]:
        """Bytes received and sent behind the switch, so far."""
        summary = _NOTHING if self._so_far is None else self._so_far()
        return summary.bytes_in, summary.bytes_out

    def age(self) -> float:
        """Seconds since the switch."""
        return self._clock.seconds() - self.began

    def idle(self) -> float:
        """Seconds in which nothing went through, too short by ``LOOK_SECONDS`` at most."""
        self._look()
        return self._clock.seconds() - self._since

    def _look(self) -> None:
        counts = self.counts()
        if counts != self._seen:
            self._seen, self._since = counts, self._clock.seconds()

    def drain(self, code: int = 1001) -> None:
        """End it in order.

        Args:
            code: The close code of RFC 6455 section 7.4, for a WebSocket.
        """
        if self._going_away is not None:
            self.draining = True
            self._going_away(code)

    def end(self) -> None:
        """End it at once."""
        if self._transport is not None:
            abort_transport(self._transport)

    def remove(self) -> None:
        """It has ended."""
        self._remove(self)

    # --- For the wheel.

    def deadline(self) -> None:
        """Look at the counts; nothing else is to happen at any time."""
        self._look()

    def expired(self) -> None:
        """Never called: there is no deadline."""


class Live:
    """The connections of one or more sites, in the order of their switches.

    Attributes:
        switched: How many there have been in all.
    """

    def __init__(self, clock: IReactorTime) -> None:
        """Have none.

        Args:
            clock: Gives the time.
        """
        self._clock = clock
        self._wheel = Wheel(clock, LOOK_SECONDS)
        self._connections: dict[int, LiveConnection] = {}
        self._began = clock.seconds()
        self.switched = 0

    def age(self) -> float:
        """Seconds since the table was made, which is when the server starts."""
        return self._clock.seconds() - self._began

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._connections)

    def __iter__(self) -> Iterator[LiveConnection]:
        """Go through them, the oldest first."""
        return iter(tuple(self._connections.values()))

    def get(self, number: int) -> LiveConnection | None:
        """Return a connection by its number, or None if it has ended.

        Args:
            number: Its number.
        """
        return self._connections.get(number)

    def begin(self, about: Mapping[str, Any]) -> LiveConnection:
        """A connection is about to be switched.

        Args:
            about: What the ``switch`` event says of it.
        """
        self.switched += 1
        now = self._clock.seconds()
        connection = LiveConnection(self.switched, about, now, _clock=self._clock, _remove=self._remove, _since=now)
        self._connections[connection.number] = connection
        self._wheel.hasten(connection)
        return connection

    def _remove(self, connection: LiveConnection) -> None:
        self._connections.pop(connection.number, None)
        self._wheel.forget(connection)
