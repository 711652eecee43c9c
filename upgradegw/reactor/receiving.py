"""The half of a connection that reads: into the shared buffer, to the protocol, unless that has paused."""

from __future__ import annotations

from typing import Any

from twisted.python.failure import Failure

from upgradegw.reactor.sending import Sending, half_closeable_of
from upgradegw.reactor.streams import Streams


class Receiving(Sending):
    """Reading begins when the connection is open, and never happens while the protocol has paused it."""

    __slots__ = ("_at_end", "_held", "_paused", "_reason")

    def __init__(self, streams: Streams) -> None:
        super().__init__(streams)
        self._paused = False
        self._held: bytes | None = None  # what was read although reading was paused
        self._at_end = False
        self._reason: Failure | None = None  # why it is being closed at once

    # --- What uvloop calls.

    @property
    def get_buffer(self) -> Any:
        """What uvloop calls before each read; it asks for it once."""
        return self._streams.get_buffer

    def buffer_updated(self, count: int) -> None:
        """So many octets were read into the shared buffer: give them to the protocol, and send what it writes."""
        streams = self._streams
        data = streams.buffer[:count]
        if self._paused:
            # uvloop begins to read when connection_made returns, also if the protocol has paused in it.
            self._held = data
            self._transport.pause_reading()
            return
        outbox = streams.outbox
        outbox.expected = True
        streams.reading = self
        try:
            self.protocol.dataReceived(data)
        except BaseException:  # noqa: BLE001 - whatever it is, it ends the connection and not the reactor
            self.fail("dataReceived failed")
        streams.reading = None
        if outbox.waiting:
            outbox.flush()
        else:
            outbox.expected = False

    def received(self, data: bytes) -> None:
        """Go on as if octets had been read just now, at most as many as the buffer holds."""
        self._streams.buffer[: len(data)] = data
        self.buffer_updated(len(data))

    def eof_received(self) -> bool:
        """The peer sends no more. uvloop is not to close by itself: Twisted's protocols are told first."""
        self._at_end = True
        if not self._paused:
            self._read_ended()
        return True

    # --- Reading.

    def pauseProducing(self) -> None:
        """Read no more for now."""
        self._paused = True
        if self.connected:
            self._transport.pause_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        if not self.connected or self.disconnecting or not self._paused:
            return
        self._paused = False
        if self._held is not None or self._at_end:
            self._streams.loop.call_soon(self._go_on)
        elif not self._reason:
            self._transport.resume_reading()

    stopReading = pauseProducing
    startReading = resumeProducing

    def stopProducing(self) -> None:
        """Close."""
        self.loseConnection()

    def stopConsuming(self) -> None:
        """Close, and forget the producer."""
        self.unregisterProducer()
        self.loseConnection()

    def _go_on(self) -> None:
        """Deliver what came while reading was paused."""
        held = self._held
        if self._paused or self.disconnected or self.disconnecting:
            return
        if held is not None:
            self._held = None
            self.received(held)
        if self._paused or self.disconnected or self.disconnecting:
            return
        if self._at_end:
            self._read_ended()
        elif not self._reason:
            self._transport.resume_reading()

    def _read_ended(self) -> None:
        half_closeable = half_closeable_of(self.protocol)
        if half_closeable is None:
            self.lose_at_once()
            return
        try:
            half_closeable.readConnectionLost()
        except BaseException:  # noqa: BLE001 - as in received
            self.fail("readConnectionLost failed")

    @property
    def is_reading(self) -> bool:
        """Whether what comes is read."""
        return bool(self.connected) and not (self._paused or self._at_end or self.disconnecting)
