"""Opening an Autobahn protocol whose handshake has been done elsewhere, and summing up how it went.

These are the steps that Autobahn takes behind its own 101 (``succeedHandshake``), without the text: RFC 6455 section
4.2.2 is fulfilled by whoever writes the response.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from upgradegw.interfaces import EndSummary
from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.factories import FactoryUse
from upgradegw.protocols.websocket.beginning import Begun, autobahns_transport
from upgradegw.protocols.websocket.compression import create_compressor
from upgradegw.protocols.websocket.watch import CLOSED, OPEN
from upgradegw.protocols.websocket.writing import WriteWatch

#: RFC 6455 section 7.4.1.
_GOING_AWAY = 1001


class Opening(Begun):
    """The part of a protocol that connects it twice: to ask its ``onConnect``, and to be open behind the 101."""

    #: Autobahn's acceptance of a compression offer, or None, and the open protocols; from the acceptance to the 101.
    upgradegw_opening: tuple[Any, dict[int, Any]] | None = None

    def makeConnection(self, transport: Any) -> None:
        """Begin as with Autobahn; the second time, open: behind the 101, before the first frame."""
        opening = self.upgradegw_opening
        if opening is None:
            super().makeConnection(transport)
            return
        del self.upgradegw_opening
        if self.state == CLOSED:
            # The application has dropped the connection before it was open.
            transport.loseConnection()
            return
        _open(self, transport, *opening)


def _open(protocol: Any, transport: Any, acceptance: Any, opened: dict[int, Any]) -> None:
    """Do what Autobahn does behind its own 101."""
    watch = protocol.upgradegw_watch
    transport = autobahns_transport(transport)
    if vars(protocol).get("transport") is not transport:
        protocol.transport = transport
    protocol.data = b""
    protocol.inside_message = False
    protocol.current_frame = None
    if acceptance is None:
        protocol._perMessageCompress = None  # noqa: SLF001
    else:
        protocol._perMessageCompress = compressor = create_compressor(acceptance)  # noqa: SLF001
        protocol.websocket_extensions_in_use.append(compressor)
    watch.writes = WriteWatch(protocol, transport, watch.policy)
    protocol.state = OPEN
    if protocol.autoPingInterval:
        protocol.autoPingPendingCall = protocol.factory._batched_timer.call_later(  # noqa: SLF001
            protocol.autoPingInterval,
            protocol._sendAutoPing,  # noqa: SLF001
        )
    if protocol.trackedTimings:
        protocol.trackedTimings.track("onOpen")
    opened[id(protocol)] = protocol
    watch.opened = opened
    try:
        protocol._onOpen()  # noqa: SLF001
    except Exception:  # noqa: BLE001 - the application's
        protocol._upgradegw_failed(Failure())  # noqa: SLF001
    protocol.upgradegw_fire_open()


class WebSocketEnding:
    """What a stop and the access log want of a WebSocket, and what gives back what it used."""

    __slots__ = ("_protocol", "_use")

    def __init__(self, protocol: Any, use: FactoryUse) -> None:
        """Speak for a ``Guarded`` protocol.

        Args:
            protocol: The protocol.
            use: Its factory's.
        """
        self._protocol = protocol
        self._use = use

    def release(self) -> None:
        """The connection has ended, or the switch never came."""
        if not self._protocol.upgradegw_watch.lost:
            abandon(self._protocol, "the client left before the opening handshake was completed")
        self._use.release()

    def going_away(self, code: int = _GOING_AWAY) -> None:
        """Begin the closing handshake, with 1001 where nobody says otherwise (RFC 6455 section 7.4.1)."""
        protocol = self._protocol
        if protocol.state == OPEN:
            protocol.upgradegw_watch.note(Reason.STOPPED)
            protocol.sendCloseFrame(code=code)

    def summary(self) -> EndSummary:
        """Say how it went: bytes on the wire, the code of whoever closed first, and the reason."""
        protocol = self._protocol
        stats = protocol.trafficStats
        local, remote = protocol.localCloseCode, protocol.remoteCloseCode
        first, second = (local, remote) if protocol.closedByMe else (remote, local)
        reason = protocol.upgradegw_watch.reason or (Reason.CLOSED if protocol.wasClean else Reason.LOST)
        return EndSummary(
            stats.incomingOctetsWireLevel,
            stats.outgoingOctetsWireLevel,
            second if first is None else first,
            str(reason.value),
        )


def abandon(protocol: Any, why: str) -> None:
    """End a protocol that was never open, so that ``onClose`` and the factory's count are right."""
    protocol.wasNotCleanReason = why
    protocol.connectionLost(Failure(ConnectionDone(why)))
