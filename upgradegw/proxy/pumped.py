"""Who is read from by the pump, as long as all is as usual, and by its transport before that and behind it."""

from __future__ import annotations

from collections.abc import Callable
from socket import socket
from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.proxy.frames import Frames
from upgradegw.proxy.pump import Pump
from upgradegw.transports import bare_socket, is_bare

#: After how many pieces the pump takes over: what says less is not worth the moving of its sockets.
_PIECES = 3


@implementer(IPushProducer)
class Pumped(Protocol):
    """Reads, and pauses and resumes reading, whoever it is that reads.

    Attributes:
        paused: Whether it is not read from.
        read_ended: Whether it has ended its side.
        cut: Whether what it still sends is not passed on.
        lost: Whether its connection is gone.
    """

    transport: Any = None
    paused = False
    read_ended = False
    cut = False
    lost = False
    # The socket that everything goes to, while nothing waits in its transport.
    _socket: socket | None = None
    # What everything goes to otherwise.
    _write: Callable[[bytes], None]
    # The socket of this transport.
    _own: socket | None = None
    # What the transport has brought, and the pump before it was told to forget us.
    _received = 0
    # Who reads instead of the transport, and where it does while it does; and when it begins to.
    _pump: Pump | None = None
    _place = -1
    _pieces = _PIECES
    _waiting = 0

    @property
    def received(self) -> int:
        """Bytes that have come."""
        passed = 0 if self._place < 0 or self._pump is None else self._pump.turn.passed(self._place)
        return self._received + passed

    def _shared_pump(self) -> Pump | None:
        """Return the pump, if there is such a thing."""
        raise NotImplementedError

    def abort(self) -> None:
        """Break the connection off."""
        raise NotImplementedError

    def _frames(self) -> Frames | None:
        """Return who follows what passes."""
        return None

    def bare(self) -> socket | None:
        """Return the socket, if the transport does nothing but read and send on it, and is connected."""
        if self._own is None and not self.lost and is_bare(self.transport):
            self._own = bare_socket(self.transport)
        return self._own

    def _let_go_of_socket(self) -> None:
        """The descriptor may be another connection's soon."""
        own, self._own = self._own, None
        if own is not None:
            own.close()

    # --- The pump.

    def _begin_pumping(self) -> None:
        """Let the pump read if there is one, and if what the transport reads comes here and nowhere else."""
        pump = self._shared_pump()
        if pump is None or self.paused or self.cut or self.bare() is None:
            return
        if getattr(self.transport.protocol, "dataReceived", None) != self.dataReceived:
            self._pieces = _PIECES  # what was kept is delivered first
            return
        try:
            pump.join(self)
        except OSError:  # too many files are open for the pump's own; later, perhaps
            self._pieces = _PIECES
            return
        self.transport.pauseProducing()
        self._pump = pump
        self._pump_on(pump)

    def _pump_on(self, pump: Pump) -> None:
        own, out = self.bare(), self._socket
        if own is None or out is None:
            self.hand_back()  # one of both is about to end
            return
        if self._place >= 0:
            return
        try:
            self._place = pump.turn.put(own, out, self._frames(), self)
        except OSError:  # the system watches no more
            self.hand_back()

    def left(self, data: bytes) -> None:
        """The other end's socket has not taken all that the pump had for it."""
        self._socket = None
        if self._pump is not None:
            self._waiting = len(data)
            self._pump.waiting += self._waiting
        self._write(data)

    def _waited(self) -> None:
        """What was left over has been sent, or never will be."""
        if self._pump is not None:
            self._pump.waiting -= self._waiting
            self._waiting = 0

    def hand_back(self) -> None:
        """Let the transport read, from now on."""
        if self._pump is not None:
            self._stop_pumping()
            if not self.paused:
                self.transport.resumeProducing()

    def _stop_pumping(self) -> None:
        """Let nobody read."""
        if self._pump is not None:
            self._waited()
            self._leave_place(self._pump)
            pump, self._pump = self._pump, None
            pump.leave(self)

    def _leave_place(self, pump: Pump) -> None:
        """Let the pump forget us."""
        if self._place >= 0:
            self._received += pump.turn.forget(self._place)
            self._place = -1

    def stop(self, reason: Failure) -> None:
        """The reactor stops, and would have told the transport if that had been reading."""
        self._stop_pumping()
        lost = getattr(self.transport, "connectionLost", None)
        if lost is not None and not self.lost:
            lost(reason)

    # --- What the transport takes to which everything goes.

    def pauseProducing(self) -> None:
        """It is full."""
        self.paused = True
        if self._pump is not None:
            self._leave_place(self._pump)
        elif not self.read_ended and not self.lost:
            self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """It has room."""
        self.paused = False
        if self._pump is not None:
            self._pump_on(self._pump)
        elif not self.read_ended and not self.lost:
            self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """It is gone; its own end is told."""
