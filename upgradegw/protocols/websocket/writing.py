"""A client that does not read: nothing more is read from it, and what is kept for it has an end.

While the transport's write buffer is full, reading stops, so that nobody makes the server answer without reading the
answers. What is unsent beyond ``max_unsent``, or does not move for ``write_timeout`` seconds, ends the connection.

The transport tells whoever is registered as its producer that its buffer is full. One producer can be registered, and
while one is, TLS does not close; so nobody is registered as long as little is written.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from upgradegw.protocols.websocket.settings import Policy
from upgradegw.protocols.websocket.timing import call_later, seconds
from upgradegw.transports import unsent_bytes

#: Bytes after which it is worth asking whether the transport keeps up; its own buffer is as large.
HIGH_WATER = 1 << 16

#: Seconds between two looks at a connection that is being closed, where no other time is set.
_LINGER = 5.0


@implementer(IPushProducer)
class WriteWatch:
    """Watches what is written to one connection."""

    __slots__ = (
        "_application",
        "_closing",
        "_foreign",
        "_full",
        "_moved_at",
        "_policy",
        "_protocol",
        "_reading",
        "_registered",
        "_sent",
        "_timer",
        "_transport",
        "burst",
    )

    def __init__(self, protocol: Any, transport: Any, policy: Policy) -> None:
        """Watch what a protocol writes.

        Args:
            protocol: A ``Guarded`` protocol, connected to its transport.
            transport: The transport.
            policy: The limits.
        """
        self._protocol = protocol
        self._transport = transport
        self._policy = policy
        self._application: Any = None
        self._closing = False
        self._foreign = False
        self._registered = False
        self._full = False
        self._reading = True
        self._timer: Any = None
        self._sent = 0
        self._moved_at = 0.0
        #: Bytes written since the transport was last known to keep up.
        self.burst = 0

    @property
    def reading_stopped(self) -> bool:
        """Whether we have stopped reading, so that silence of the client says nothing."""
        return self._full and self._reading

    # --- Written to.

    def swell(self, size: int) -> None:
        """More than ``HIGH_WATER`` is written since the last look: look, before a write of ``size`` more bytes."""
        if self._full:
            if not self._closing and self.over_limit(self.unsent(self.burst - size)):
                self._protocol.drop_slow_reader(f"more than {self._policy.max_unsent} bytes are unsent")
        elif not self._registered and not self._foreign:
            unsent = unsent_bytes(self._transport)
            if unsent is not None and unsent + size <= HIGH_WATER:
                self.burst = unsent + size
            else:
                self._register()

    def unsent(self, written: int | None = None) -> int:
        """Return how many bytes are unsent.

        Args:
            written: What to go by where the transport does not tell; by default ``burst``.
        """
        unsent = unsent_bytes(self._transport)
        if unsent is not None:
            return unsent
        return self.burst if written is None else written

    def over_limit(self, unsent: int) -> bool:
        """Tell whether so many unsent bytes are too many."""
        limit = self._policy.max_unsent
        return limit is not None and unsent > limit

    def allow_close(self) -> None:
        """One Close frame more is written behind whatever is unsent, and nothing after it."""
        self._closing = True

    def _register(self) -> None:
        try:
            self._transport.registerProducer(self, True)
        except RuntimeError:
            # The application has registered its own directly with the transport; it is told when to pause.
            self.burst = 0
            return
        self._registered = True
        call_later(0, self._settle)

    def _settle(self) -> None:
        """The transport did not say that it is full: it keeps up."""
        if self._registered and not self._full and self._application is None:
            self._unregister()
            self.burst = 0

    def _unregister(self) -> None:
        self._registered = False
        self._transport.unregisterProducer()

    # --- IPushProducer: what the transport says.

    def pauseProducing(self) -> None:
        """The transport's buffer is full."""
        if not self._full:
            self._full = True
            if self._reading:
                self._transport.pauseProducing()
            self._watch_progress()
        if self._application is not None:
            self._application.pauseProducing()

    def resumeProducing(self) -> None:
        """The transport's buffer is empty."""
        self._relax()
        if self._application is not None:
            self._application.resumeProducing()
        elif self._registered:
            self._unregister()

    def stopProducing(self) -> None:
        """The connection is gone."""
        self._registered = False
        self.cancel()
        if self._application is not None:
            self._application.stopProducing()

    def _relax(self) -> None:
        if self._full:
            self._full = False
            self.burst = 0
            self.cancel()
            if self._reading:
                self._transport.resumeProducing()

    # --- What the application registers.

    def register(self, producer: Any, streaming: bool) -> None:
        """Give way to the application's producer, and listen with it if it is a push producer."""
        if self._registered and self._application is None:
            self._unregister()
        if not streaming:
            self._transport.registerProducer(producer, False)
            self._foreign = True
            return
        self._transport.registerProducer(self, True)
        self._registered, self._application = True, producer
        if self._full:
            producer.pauseProducing()

    def unregister(self) -> None:
        """The application's producer is done; nobody is registered any more."""
        if self._registered or self._foreign or getattr(self._transport, "producer", None) is not None:
            self._registered = self._foreign = False
            self._application = None
            # Whether the buffer is full will be known with the next write.
            self._relax()
            self._transport.unregisterProducer()

    # --- Deadlines.

    def keep_reading(self) -> None:
        """Nothing that is read will be answered any more, so reading need not stop for what is unsent."""
        if self.reading_stopped:
            self._transport.resumeProducing()
        self._reading = False

    def linger(self) -> None:
        """The transport was told to close: see to it that it does."""
        self.cancel()
        self._note_progress()
        self._timer = call_later(self._linger_seconds(), self._end_lingering)

    def _linger_seconds(self) -> float:
        return self._protocol.closeHandshakeTimeout or _LINGER

    def cancel(self) -> None:
        """Forget the timer."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _note_progress(self) -> bool:
        unsent = unsent_bytes(self._transport)
        sent = 0 if unsent is None else self._protocol.trafficStats.outgoingOctetsWireLevel - unsent
        moved, self._sent = sent > self._sent, sent
        if moved:
            self._moved_at = seconds()
        return moved

    def _watch_progress(self) -> None:
        if self._policy.write_timeout is not None:
            self._note_progress()
            self._timer = call_later(self._policy.write_timeout, self._expect_progress)

    def _expect_progress(self) -> None:
        self._timer = None
        if self._note_progress():
            self._timer = call_later(self._policy.write_timeout or 0, self._expect_progress)
        else:
            self._protocol.drop_slow_reader(f"nothing was sent for {self._policy.write_timeout} seconds")

    def _end_lingering(self) -> None:
        self._timer = None
        timeout = self._policy.write_timeout
        moved = self._note_progress()
        if unsent_bytes(self._transport) and (moved or timeout is None or seconds() - self._moved_at < timeout):
            self._timer = call_later(self._linger_seconds(), self._end_lingering)
        else:
            self._protocol._closeConnection(True)  # noqa: SLF001
