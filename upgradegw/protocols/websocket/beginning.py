"""The beginning of an Autobahn connection without what only debug logs would read.

Autobahn gives each new protocol some thirty attributes, and asks the transport for details that few applications read.
Here the attributes are found out once, by letting Autobahn set them on a stand-in, and copied; the details are made
when somebody asks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from types import SimpleNamespace
from typing import Any

import txaio
from autobahn.twisted.util import create_transport_details, peer2str
from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.protocol import WebSocketProtocol
from autobahn.websocket.utf8validator import Utf8Validator
from twisted.internet.interfaces import ISSLTransport
from twisted.protocols.tls import TLSMemoryBIOProtocol

from upgradegw.protocols.websocket.counts import Counts

#: What Autobahn asks of a protocol that it begins, as far as the stand-in must have it.
_STAND_IN = {
    "CONFIG_ATTRS": (),
    "factory": SimpleNamespace(isServer=True),
    "log": SimpleNamespace(debug=lambda *_, **__: None),
    "openHandshakeTimeout": 0,
    "setTrackTimings": lambda _enable: None,
    "trackTimings": False,
}


#: What ``Begun`` makes when it is first asked for.
_LATER = frozenset(("send_queue", "trafficStats", "utf8validator"))

#: In place of a Deferred that would have fired, had anybody asked for it.
_OVER = object()

#: What is read for each message: found quicker on the protocol itself than on its class.
_WARM = (
    "applyMask",
    "autoFragmentSize",
    "failedByMe",
    "logFrames",
    "logOctets",
    "maskServerFrames",
    "maxFramePayloadSize",
    "maxMessagePayloadSize",
    "trackedTimings",
    "triggered",
    "utf8validateIncoming",
)


@cache
def blank_state() -> tuple[Mapping[str, Any], Mapping[str, Callable[[], Any]]]:
    """Return what a new connection has: values that all can share, and how those are made that each has for itself."""
    stand_in: Any = SimpleNamespace(**_STAND_IN)
    WebSocketProtocol._connectionMade(stand_in)  # noqa: SLF001
    state = {name: value for name, value in vars(stand_in).items() if name not in _STAND_IN}
    own = {name: type(value) for name, value in state.items() if not isinstance(value, int | str | bytes | None)}
    shared = {name: value for name, value in state.items() if name not in own}
    return shared, {name: make for name, make in own.items() if name not in _LATER}


def autobahns_transport(transport: Any) -> Any:
    """Return the transport as Autobahn must see it.

    Where ``startTLS`` was called on a socket, that is the TLS layer, which Autobahn asks for certificates; the socket
    itself would pass everything on to it.
    """
    layer = getattr(transport, "protocol", None)
    return layer if isinstance(layer, TLSMemoryBIOProtocol) else transport


def begin(protocol: Any) -> None:
    """Do what ``connectionMade`` of Autobahn's server protocol does, for a ``Begun`` with all settings."""
    shared, own = blank_state()
    if not protocol.upgradegw_has_state:
        vars(protocol).update(shared)
    for name, make in own.items():
        setattr(protocol, name, make())
    protocol.trafficStats = Counts()
    transport = protocol.transport
    if ISSLTransport.providedBy(transport):
        # Asked for now: when the connection is gone, there is no telling any more.
        layer = autobahns_transport(getattr(transport, "tls_layer", transport))  # that of an HTTP/2 stream's connection
        protocol._transport_details = create_transport_details(layer, True)  # noqa: SLF001
    if not protocol.tcpNoDelay and hasattr(transport, "setTcpNoDelay"):
        transport.setTcpNoDelay(False)  # HTTP has turned it on
    protocol.factory.countConnections += 1


class Begun(WebSocketServerProtocol):  # type: ignore[misc]
    """What not every connection needs, made when it is first asked for.

    Attributes:
        upgradegw_has_state: Whether Autobahn's first state of a connection is on the class.
    """

    upgradegw_has_state = False
    _upgradegw_opened: Any = None
    _upgradegw_closed: Any = None
    _upgradegw_details: Any = None

    #: The one event that can be listened to, as Autobahn has it.
    _valid_events: Any = ["message"]  # noqa: RUF012 - as Autobahn has it, which does not change it

    @cached_property
    def _results(self) -> dict[str, Any]:
        """What listeners have returned."""
        return dict.fromkeys(self._valid_events)

    @cached_property
    def utf8validator(self) -> Any:
        """Checks text messages."""
        return Utf8Validator()

    @cached_property
    def send_queue(self) -> deque[Any]:
        """What is to be sent in pieces."""
        return deque()

    @cached_property
    def peer(self) -> str:
        """The other end, as Autobahn writes it."""
        return peer2str(self.transport)  # type: ignore[no-any-return]

    @property
    def _transport_details(self) -> Any:
        if self._upgradegw_details is None:
            self._upgradegw_details = create_transport_details(self.transport, True)
        return self._upgradegw_details

    @_transport_details.setter
    def _transport_details(self, details: Any) -> None:
        self._upgradegw_details = details

    @property
    def is_open(self) -> Any:
        """The Deferred that fires when the connection is open."""
        opened = self._upgradegw_opened
        if opened is None or opened is _OVER:
            self._upgradegw_opened = txaio.create_future()
            if opened is _OVER:
                txaio.resolve(self._upgradegw_opened, None)
        return self._upgradegw_opened

    @is_open.setter
    def is_open(self, opened: Any) -> None:
        self._upgradegw_opened = opened

    def upgradegw_fire_open(self) -> None:
        """Let ``is_open`` fire, now or as soon as there is one."""
        opened, self._upgradegw_opened = self._upgradegw_opened, self._upgradegw_opened or _OVER
        if opened is not None:
            txaio.resolve(opened, None)

    @property
    def is_closed(self) -> Any:
        """The Deferred that fires when the connection is closed."""
        closed = self._upgradegw_closed
        if closed is _OVER:
            return txaio.create_future_success(self)
        if closed is None:
            self._upgradegw_closed = closed = txaio.create_future()
        return closed

    @is_closed.setter
    def is_closed(self, closed: Any) -> None:
        self._upgradegw_closed = closed

    @is_closed.deleter
    def is_closed(self) -> None:
        # Its result is the protocol itself. Without this circle all of the connection goes at once, and costs the
        # garbage collector nothing; whoever asks for it from now on gets another.
        self._upgradegw_closed = _OVER

    def upgradegw_warm(self) -> None:
        """Put on the protocol what is read for each message."""
        own: dict[str, Any] = self.__dict__
        for name in _WARM:
            own.setdefault(name, getattr(self, name))
