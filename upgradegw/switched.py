"""What stands between a transport and the protocol behind a switch.

Bytes that came behind the request are delivered once and in order, kept while the protocol has paused the transport,
and dropped if it has closed it; so is a FIN. From then on events pass through, or past it where nothing is counted.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.interfaces import Ending, EndSummary, Witness
from upgradegw.negotiation.reasons import Reason
from upgradegw.shadows import Shadows
from upgradegw.transports import abort_transport

_log = Logger(namespace="upgradegw")

#: Is told that a connection is gone, and gets what tells how it went, which takes some work.
Ended: TypeAlias = Callable[[Callable[[], EndSummary]], None]


class Switched(Protocol):
    """Stands where the transport delivers: passes events on, counts bytes if asked to, notices the end.

    Attributes:
        witness: Who is told of the end before the protocol is.
    """

    # Set on the instance by the few connections that need more.
    witness: Witness | None = None
    _gate: Shadows | None = None
    _counter: Shadows | None = None
    _why: Reason | None = None
    _bytes_in = 0
    _bytes_out = 0
    _failed = False
    _held: list[bytes] | None = None
    _paused = False
    _closed = False
    _started = False
    _delivering = False
    _read_ended = False
    _resume: Callable[[], None] | None = None
    _transport_resume: Callable[[], None] | None = None

    def __init__(self, protocol: IProtocol, transport: Any, ending: Ending | None, ended: Ended) -> None:
        """Pass events to ``protocol``; call ``ended`` once when the connection is gone.

        Args:
            protocol: The new protocol.
            transport: The connection's transport.
            ending: Who can sum the connection up; if None, bytes are counted here.
            ended: Told when the connection is gone.
        """
        self._transport = transport
        self._protocol = protocol
        self._ending = ending
        self._ended = ended

    # --- Until the protocol runs: what it asks of the transport is noted, what arrives is held.

    def hold(self, leading_data: bytes, resume: Callable[[], None] | None) -> None:
        """Keep bytes back, and note pauses and closes, until ``release``.

        Args:
            leading_data: The bytes to begin with.
            resume: Called when all that is held has been delivered, unless the protocol has paused or closed.
        """
        self._resume = resume
        self._held = [leading_data] if leading_data else []
        self._gate = gate = Shadows(self._transport)
        pause = gate.cover("pauseProducing", lambda: self._note_pause(pause))
        self._transport_resume = gate.cover("resumeProducing", self._note_resume)
        for name in ("loseConnection", "abortConnection"):
            self._cover_close(gate, name)

    def _cover_close(self, gate: Shadows, name: str) -> None:
        def close(*args: Any, **kwargs: Any) -> None:
            self._closed = True
            original(*args, **kwargs)

        original = gate.cover(name, close)

    def _note_pause(self, pause: Callable[[], None]) -> None:
        self._paused = True
        pause()

    def _note_resume(self) -> None:
        self._paused = False
        self._resume = self._transport_resume
        self._pass_held()

    def release(self) -> None:
        """Deliver what was held and let reading go on, unless the protocol paused or closed."""
        self._started = True
        if self._held is not None:
            self._pass_held()
        else:
            self._pass_directly()

    def _pass_held(self) -> None:
        """Deliver held bytes in order; stop where the protocol pauses, drop the rest where it closes."""
        held = self._held
        # A protocol may pause and resume while it looks at one piece; the next one waits until it is done.
        if not self._started or held is None or self._delivering:
            return
        self._delivering = True
        while held and not self._paused and not self._closed:
            self._deliver(held.pop(0))
        self._delivering = False
        if self._paused and not self._closed:
            return
        self._held = None
        self._lift_gate()
        if held:
            # TLS delivers behind a close what it has read already; with what is dropped here that would have a hole.
            self.dataReceived = _drop  # type: ignore[method-assign]
            return
        self._pass_directly()
        if self._closed:
            return
        if self._read_ended:
            self._end_of_stream()  # there is nothing more to read, so reading need not resume
        elif self._resume is not None:
            self._resume()

    def end_read_side(self) -> None:
        """The client's FIN came before the switch: say so behind what is held, as the transport would have."""
        self._read_ended = True

    def _end_of_stream(self) -> None:
        self._transport.loseConnection()

    def _lift_gate(self) -> None:
        gate = self._gate
        if gate is not None:
            self._gate = None
            gate.lift()

    def _pass_directly(self) -> None:
        if self._ending is not None and not self._failed:
            # Nothing is counted here, so nothing need stand in between.
            self.dataReceived = self._protocol.dataReceived  # type: ignore[method-assign]

    def _deliver(self, data: bytes) -> None:
        self._bytes_in += len(data)
        try:
            self._protocol.dataReceived(data)
        except Exception:  # noqa: BLE001 - the application's; the reactor would do the same
            self.fail("the protocol failed on the bytes behind the request")

    def fail(self, what: str) -> None:
        """Log the application's exception and drop the connection."""
        _log.failure("{what}", what=what)
        self._failed = True
        self._closed = True
        abort_transport(self._transport)

    # --- While the protocol runs.

    def count_writes(self) -> None:
        """Count the bytes that the protocol writes."""
        self._counter = counter = Shadows(self._transport)
        write = counter.cover("write", lambda data: self._count(write, data))
        write_sequence = counter.cover("writeSequence", lambda data: self._count_sequence(write_sequence, data))

    def _count(self, write: Callable[[bytes], None], data: bytes) -> None:
        self._bytes_out += len(data)
        write(data)

    def _count_sequence(self, write: Callable[[list[bytes]], None], data: Any) -> None:
        chunks = list(data)
        self._bytes_out += sum(map(len, chunks))
        write(chunks)

    def dataReceived(self, data: bytes) -> None:
        """Pass bytes on, behind those that are held."""
        if self._held is not None:
            self._held.append(data)
            return
        self._bytes_in += len(data)
        try:
            self._protocol.dataReceived(data)
        except Exception:
            self._failed = True
            raise

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the protocol, then whoever keeps the books."""
        self._lift_gate()
        if self._counter is not None:
            self._counter.lift()
        self._held = None
        self._closed = True
        try:
            try:
                if self.witness is not None:
                    self._why = self.witness.ends()
            finally:
                self._protocol.connectionLost(reason)
        finally:
            self._ended(partial(self._summary, reason))

    def so_far(self) -> EndSummary:
        """Say what has gone through until now."""
        return EndSummary(self._bytes_in, self._bytes_out) if self._ending is None else self._ending.summary()

    def _summary(self, why: Failure) -> EndSummary:
        if self._ending is not None:
            return self._ending.summary()
        reason = self._why or (Reason.CLOSED if isinstance(why.value, ConnectionDone) else Reason.LOST)
        if self._failed:
            reason = Reason.APPLICATION_ERROR
        return EndSummary(self._bytes_in, self._bytes_out, None, str(reason.value))


def _drop(data: bytes) -> None:
    """Deliver nothing more."""


@implementer(IHalfCloseableProtocol)
class HalfCloseableSwitched(Switched):
    """The same for a protocol that wants to know when one side has ended."""

    def _end_of_stream(self) -> None:
        try:
            self.readConnectionLost()
        except Exception:  # noqa: BLE001 - the application's; the reactor would do the same
            self.fail("the protocol failed at the end of the client's side")

    def readConnectionLost(self) -> None:
        """The client has ended its side."""
        IHalfCloseableProtocol(self._protocol).readConnectionLost()

    def writeConnectionLost(self) -> None:
        """Our side has ended."""
        IHalfCloseableProtocol(self._protocol).writeConnectionLost()
