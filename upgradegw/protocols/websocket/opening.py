"""Opening an Autobahn protocol whose handshake has been done elsewhere, and summing up how it went.

These are the steps that Autobahn takes behind its own 101 (``succeedHandshake``), without the text: RFC 6455 section
4.2.2 is fulfilled by whoever writes the response.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import txaio
from twisted.internet.interfaces import IProtocol
from twisted.python.failure import Failure
from zope.interface import classImplements

from upgradegw.interfaces import EndSummary
from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.websocket.beginning import autobahns_transport
from upgradegw.protocols.websocket.compression import create_compressor
from upgradegw.protocols.websocket.watch import CLOSED, OPEN
from upgradegw.protocols.websocket.writing import WriteWatch

#: RFC 6455 section 7.4.1.
_GOING_AWAY = 1001


class Opener:
    """The protocol that is attached behind the 101: opens Autobahn's, to which everything else goes directly."""

    __slots__ = ("_acceptance", "_opened", "_protocol", "connectionLost", "dataReceived", "upgraded")

    dataReceived: Callable[[bytes], None]
    connectionLost: Callable[[Failure], None]

    def __init__(self, protocol: Any, acceptance: Any, opened: dict[int, Any]) -> None:
        """Prepare to open.

        Args:
            protocol: A ``Guarded`` protocol, connected and with its request.
            acceptance: Autobahn's acceptance of a compression offer, or None.
            opened: The open protocols by ``id``, which this one will be among.
        """
        self._protocol = protocol
        self._opened = opened
        self._acceptance = acceptance
        self.dataReceived = protocol.dataReceived
        self.connectionLost = protocol.connectionLost
        if hasattr(protocol, "upgraded"):
            self.upgraded = protocol.upgraded

    def makeConnection(self, transport: Any) -> None:
        """Open: behind the 101, before the first frame."""
        protocol = self._protocol
        watch = protocol.upgradegw_watch
        if protocol.state == CLOSED:
            # The application has dropped the connection before it was open.
            transport.loseConnection()
            return
        protocol.transport = autobahns_transport(transport)
        protocol.inside_message = False
        protocol.current_frame = None
        if self._acceptance is not None:
            compressor = create_compressor(self._acceptance)
            protocol._perMessageCompress = compressor  # noqa: SLF001
            protocol.websocket_extensions_in_use.append(compressor)
        watch.writes = WriteWatch(protocol, watch.policy)
        protocol.state = OPEN
        if protocol.autoPingInterval:
            protocol.autoPingPendingCall = protocol.factory._batched_timer.call_later(  # noqa: SLF001
                protocol.autoPingInterval,
                protocol._sendAutoPing,  # noqa: SLF001
            )
        if protocol.trackedTimings:
            protocol.trackedTimings.track("onOpen")
        self._opened[id(protocol)] = protocol
        watch.opened = self._opened
        try:
            protocol._onOpen()  # noqa: SLF001
        except Exception:  # noqa: BLE001 - the application's
            protocol._upgradegw_failed(Failure())  # noqa: SLF001
        txaio.resolve(protocol.is_open, None)

    def connectionMade(self) -> None:
        """Part of IProtocol; ``makeConnection`` has done it all."""


classImplements(Opener, IProtocol)


class WebSocketEnding:
    """What a stop and the access log want of a WebSocket."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: Any) -> None:
        """Speak for a ``Guarded`` protocol."""
        self._protocol = protocol

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
