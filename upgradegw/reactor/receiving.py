"""The half of a connection that reads: into the shared buffer, to the protocol, unless that has paused."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from twisted.python.failure import Failure

from upgradegw.reactor.producing import Producing
from upgradegw.reactor.sending import half_closeable_of
from upgradegw.reactor.streams import Streams


class Receiving(Producing):
    """Reading begins when the connection is open, and never happens while the protocol has paused it."""

    __slots__ = ("_at_end", "_held", "_paused", "_reason", "_taken", "_until_turns", "frame", "key", "spoken")

    #: After how many reads of uvloop it is read from in turns; 0 for never.
    reads_before_turns = 0

    def __init__(self, streams: Streams) -> None:
        super().__init__(streams)
        self._until_turns = self.reads_before_turns
        self.key = self._taken = 0
        self.spoken: Any = None
        self.frame: Callable[[int, bytes], bool] | None = None
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
        if self._until_turns:
            self._until_turns -= 1
            if not self._until_turns:
                self._begin_turns()

    def received(self, data: bytes) -> None:
        """Go on as if octets had been read just now, at most as many as the buffer holds."""
        self._streams.buffer[: len(data)] = data
        self.buffer_updated(len(data))

    # --- Turns.

    def _begin_turns(self) -> None:
        """Be read from together with others, if there is such a thing and nothing is about to end."""
        if not self.is_reading or self._reason is not None or not self._streams.has_turns():
            return
        self.descriptor = self._transport.get_extra_info("socket").fileno()
        self._transport.pause_reading()
        self._read_on()

    def _read_on(self) -> None:
        """Let whoever reads do so."""
        turn = self._streams.turn
        if self.descriptor >= 0 and turn is not None:
            if self.key:
                return
            self._look()
            try:
                self.key = turn.put(self.descriptor, self, frames=self.frame is not None)
            except OSError:  # the system watches no more
                self.descriptor = -1
            else:
                return
        self._transport.resume_reading()

    def stop_reading(self) -> None:
        """Let nobody read."""
        if self.key:
            self._leave_turn()
        else:
            self._transport.pause_reading()

    def _leave_turn(self) -> None:
        key, self.key = self.key, 0
        self.frame = self.spoken = None  # what has been read already is looked at by ``take``
        if key and self._streams.turn is not None:
            self._streams.turn.forget(key)

    def hand_back(self) -> None:
        """There is something to read that is not common, or turns are over: uvloop is to read."""
        self._leave_turn()
        self.descriptor = -1
        self._transport.resume_reading()

    def _look(self) -> None:
        """See whom to deliver to, and whether that wants short frames without their mask."""
        self.spoken = self.protocol
        received = getattr(self.protocol, "dataReceived", None)
        frame = getattr(getattr(received, "__func__", None), "upgradegw_frame", None)
        self.frame = None if frame is None else MethodType(frame, received.__self__)  # type: ignore[union-attr]

    def take(self, key: int, data: bytes) -> None:
        """Deliver what was read in a turn.

        Args:
            key: The one under which it was read. If that is gone, somebody has paused or closed this meanwhile.
            data: The octets.
        """
        if self.key != key:
            if not self.is_open:
                return
            if self._paused:
                self._held = data
                return
        streams, turn = self._streams, self._streams.turn
        streams.reading = self
        if turn is not None:
            self._taken = turn.number
            if self.protocol is not self.spoken:
                self._look()
                turn.frames(key, wanted=self.frame is not None)
        self.protocol.dataReceived(data)
        if self.protocol is not self.spoken:
            self.spoken = self.frame = None  # who has gone is not kept

    @property
    def has_undelivered(self) -> bool:
        """Whether something was read that the protocol has not been given yet."""
        turn = self._streams.turn
        return self._held is not None or (turn is not None and self._taken != turn.number and turn.holds(self))

    @property
    def is_open(self) -> bool:
        """Whether it is neither closed nor about to be."""
        return bool(self.connected) and not self.disconnecting and self._reason is None

    # --- What uvloop calls at the end.

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
            self.stop_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        if not self.connected or self.disconnecting or not self._paused:
            return
        self._paused = False
        if self._held is not None or self._at_end:
            self._streams.loop.call_soon(self._go_on)
        elif not self._reason:
            self._read_on()

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
            self._read_on()

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
