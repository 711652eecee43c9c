"""What is done when a switched connection is gone: one small object for as long as the connection lasts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.interfaces import IReactorTime

from upgradegw.events import access_events
from upgradegw.interfaces import EndSummary, Standing
from upgradegw.web.admission import Place
from upgradegw.web.live import LiveConnection


class End:
    """Gives back what a connection has used.

    Attributes:
        connection: What stands for it.
        live: Its entry in the table of open connections, if there is one.
    """

    __slots__ = ("_place", "_release", "connection", "live")

    def __init__(
        self,
        connection: Standing,
        place: Place,
        release: Callable[[], None],
        live: LiveConnection | None = None,
    ) -> None:
        """Wait for the end.

        Args:
            connection: What stands for the connection.
            place: Where it is counted.
            release: What ``Accept`` wants to be called.
            live: Its entry in the table of open connections.
        """
        self.connection = connection
        self.live = live
        self._place = place
        self._release = release

    def __call__(self, summarize: Callable[[], EndSummary]) -> None:  # noqa: ARG002 - see below
        """The connection is gone."""
        self.connection.ended()
        self._place.leave()
        self._release()
        if self.live is not None:
            self.live.remove()


class LoggedEnd(End):
    """The same where somebody wants to know."""

    __slots__ = ("_about", "_began", "_clock")

    def __init__(
        self,
        connection: Standing,
        place: Place,
        release: Callable[[], None],
        live: LiveConnection | None,
        about: dict[str, Any],
        clock: IReactorTime,
    ) -> None:
        """Wait for the end, from now on.

        Args:
            connection: What stands for the connection.
            place: Where it is counted.
            release: What ``Accept`` wants to be called.
            live: Its entry in the table of open connections.
            about: What the ``switch`` event has said.
            clock: Gives the time.
        """
        super().__init__(connection, place, release, live)
        self._about = about
        self._began = clock.seconds()
        self._clock = clock

    def __call__(self, summarize: Callable[[], EndSummary]) -> None:
        """The connection is gone: say how it went."""
        try:
            summary = summarize()
        finally:
            super().__call__(summarize)
        access_events.emit(
            "{client} {path!r}: {token} ended ({connection_id}): {reason} {close_code} after {seconds:.3f} s, "
            "{bytes_in} bytes in, {bytes_out} out",
            event="end",
            seconds=self._clock.seconds() - self._began,
            bytes_in=summary.bytes_in,
            bytes_out=summary.bytes_out,
            close_code=summary.close_code,
            reason=summary.reason,
            **self._about,
        )


class Closing:
    """How a connection ends in order whose protocol has no way of its own."""

    __slots__ = ("_transport",)

    def __init__(self, transport: Any) -> None:
        """Close a transport, when asked."""
        self._transport = transport

    def __call__(self, _code: int) -> None:
        """Close behind what is written."""
        # On TLS a close waits for a registered producer, which need not know that it is to end.
        with suppress(RuntimeError):  # a transport may object if there is none
            self._transport.unregisterProducer()
        self._transport.loseConnection()
