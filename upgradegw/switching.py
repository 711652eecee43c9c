"""The switch itself: from a taken connection to a running protocol, in one order that does not vary.

Producers are unregistered and the request detached (the taking) → the protocol receives the transport's events → the
101 is written → ``upgraded(info)`` → ``makeConnection`` → leading data → reading resumes. Leading data is the bytes
that came behind the request: they are delivered once and in order, kept while the protocol has paused the transport,
and dropped if it has closed it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.interfaces import Ending, EndSummary, Taken, UpgradeInfo
from upgradegw.negotiation.fields import has_control, is_token
from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.reasons import Reason

_log = Logger(namespace="upgradegw")


def checked_fields(fields: Fields) -> Fields:
    """Return the fields if they can stand in a response head.

    Raises:
        ValueError: A name is no token, or a value holds control characters (RFC 9110 sections 5.1 and 5.5).
    """
    for name, value in fields:
        if not is_token(name):
            raise ValueError(f"{name!r} is no field name")
        if has_control(value):
            raise ValueError(f"the value of {name.decode('latin-1')} holds control characters")
    return fields


def http1_switching_head(phrase: bytes, fields: Fields) -> bytes:
    """Return a 101 as it stands on an HTTP/1.1 connection (RFC 9110 section 15.2.2)."""
    lines = [b"HTTP/1.1 101 " + phrase]
    lines.extend([name + b": " + value for name, value in fields])
    lines.append(b"\r\n")
    return b"\r\n".join(lines)


class _Shadows:
    """Methods of one object replaced for a while, by attributes of the instance."""

    __slots__ = ("_kept", "_target")

    def __init__(self, target: Any) -> None:
        self._target = target
        self._kept: list[tuple[str, Any]] = []

    def cover(self, name: str, replacement: Callable[..., None]) -> Any:
        """Replace a method; return the one that was there, or None without touching anything if there is none."""
        original = getattr(self._target, name, None)
        if original is not None:
            self._kept.append((name, self._target.__dict__.get(name)))
            setattr(self._target, name, replacement)
        return original

    def lift(self) -> None:
        """Bring the original methods back."""
        kept, self._kept = self._kept, []
        for name, own in kept:
            if own is None:
                self._target.__dict__.pop(name, None)
            else:
                setattr(self._target, name, own)


class Switched(Protocol):
    """Stands where the transport delivers: passes events on, counts bytes if asked to, notices the end."""

    # Set on the instance by the few connections that need more.
    _bytes_in = 0
    _bytes_out = 0
    _failed = False
    _held: list[bytes] | None = None
    _paused = False
    _closed = False
    _started = False
    _resume: Callable[[], None] | None = None
    _transport_resume: Callable[[], None] | None = None

    def __init__(
        self, protocol: IProtocol, transport: Any, ending: Ending | None, ended: Callable[[EndSummary], None]
    ) -> None:
        """Pass events to ``protocol``; call ``ended`` once when the connection is gone.

        Args:
            protocol: The new protocol.
            transport: The connection's transport.
            ending: Who can sum the connection up; if None, bytes are counted here.
            ended: Told how the connection went.
        """
        self._transport = transport
        self._protocol = protocol
        self._ending = ending
        self._ended = ended
        self._gate: _Shadows | None = None
        self._counter: _Shadows | None = None

    # --- Until the protocol runs: what it asks of the transport is noted, what arrives is held.

    def hold(self, leading_data: bytes, resume: Callable[[], None] | None) -> None:
        """Keep bytes back, and note pauses and closes, until ``release``.

        Args:
            leading_data: The bytes to begin with.
            resume: Called when all that is held has been delivered, unless the protocol has paused or closed.
        """
        self._resume = resume
        self._held = [leading_data] if leading_data else []
        self._gate = gate = _Shadows(self._transport)
        pause = gate.cover("pauseProducing", lambda: self._note_pause(pause))
        self._transport_resume = gate.cover("resumeProducing", self._note_resume)
        for name in ("loseConnection", "abortConnection"):
            self._cover_close(gate, name)

    def _cover_close(self, gate: _Shadows, name: str) -> None:
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
        if not self._started or held is None:
            return
        while held and not self._paused and not self._closed:
            self._deliver(held.pop(0))
        if self._paused and not self._closed:
            return
        self._held = None
        self._lift_gate()
        self._pass_directly()
        if self._resume is not None and not self._closed:
            self._resume()

    def _lift_gate(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
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
        abort = getattr(self._transport, "abortConnection", None) or self._transport.loseConnection
        abort()

    # --- While the protocol runs.

    def count_writes(self) -> None:
        """Count the bytes that the protocol writes."""
        self._counter = counter = _Shadows(self._transport)
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
        try:
            self._protocol.connectionLost(reason)
        finally:
            self._ended(self._summary(reason))

    def _summary(self, why: Failure) -> EndSummary:
        if self._ending is not None:
            return self._ending.summary()
        reason = Reason.CLOSED if isinstance(why.value, ConnectionDone) else Reason.LOST
        if self._failed:
            reason = Reason.APPLICATION_ERROR
        return EndSummary(self._bytes_in, self._bytes_out, None, str(reason.value))


@implementer(IHalfCloseableProtocol)
class HalfCloseableSwitched(Switched):
    """The same for a protocol that wants to know when one side has ended."""

    def readConnectionLost(self) -> None:
        """The client has ended its side."""
        IHalfCloseableProtocol(self._protocol).readConnectionLost()

    def writeConnectionLost(self) -> None:
        """Our side has ended."""
        IHalfCloseableProtocol(self._protocol).writeConnectionLost()


def switch(
    taken: Taken,
    head: tuple[bytes, Fields],
    protocol: IProtocol,
    info: UpgradeInfo,
    ended: Callable[[EndSummary], None],
    ending: Ending | None = None,
) -> None:
    """Announce the switch and start the protocol.

    An exception of the protocol's is logged and costs this connection only.

    Args:
        taken: The connection.
        head: Reason phrase and fields of the 101, already checked.
        protocol: The new protocol.
        info: Given to ``protocol.upgraded`` if there is one.
        ended: Called once, when the connection is gone.
        ending: Who can sum the connection up; without it bytes are counted.
    """
    half_closeable = IHalfCloseableProtocol.providedBy(protocol)
    switched = (HalfCloseableSwitched if half_closeable else Switched)(protocol, taken.transport, ending, ended)
    taken.attach(switched)
    taken.write_head(*head)
    if ending is None:
        switched.count_writes()
    if taken.leading_data or taken.resume is not None:
        switched.hold(taken.leading_data, taken.resume)
    try:
        upgraded = getattr(protocol, "upgraded", None)
        if upgraded is not None:
            upgraded(info)
        protocol.makeConnection(taken.transport)
    except Exception:  # noqa: BLE001 - the application's; the 101 is out, so there is nothing left to answer
        switched.fail("the protocol failed at the switch")
    switched.release()
    if taken.read_closed:
        _end_read_side(taken, switched, half_closeable)


def _end_read_side(taken: Taken, switched: Switched, half_closeable: bool) -> None:
    """The client's FIN came before the switch: say so now, as the transport would have."""
    if half_closeable:
        IHalfCloseableProtocol(switched).readConnectionLost()
    else:
        taken.transport.loseConnection()
