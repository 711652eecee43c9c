"""The beginning of an Autobahn connection without what only debug logs would read.

Autobahn gives each new protocol some thirty attributes, and asks the transport for details that few applications read.
Here the attributes are found out once, by letting Autobahn set them on a stand-in, and copied; the details are made
when somebody asks.
"""

from __future__ import annotations

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
_LATER = frozenset(("utf8validator",))


@cache
def _blank() -> tuple[Mapping[str, Any], Mapping[str, Callable[[], Any]]]:
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
    """Do what ``connectionMade`` of Autobahn's server protocol does, for a ``Begun`` with all settings on it."""
    attributes = vars(protocol)
    shared, own = _blank()
    attributes.update(shared)
    for name, make in own.items():
        attributes[name] = make()
    transport = protocol.transport
    if ISSLTransport.providedBy(transport):
        # Asked for now: when the connection is gone, there is no telling any more.
        layer = autobahns_transport(getattr(transport, "tls_layer", transport))  # that of an HTTP/2 stream's connection
        protocol._transport_details = create_transport_details(layer, True)  # noqa: SLF001
    else:
        attributes.pop("_transport_details", None)
    if not protocol.tcpNoDelay and hasattr(transport, "setTcpNoDelay"):
        transport.setTcpNoDelay(False)  # HTTP has turned it on
    protocol.factory.countConnections += 1


class Begun(WebSocketServerProtocol):  # type: ignore[misc]
    """What not every connection needs, made when it is first asked for."""

    @cached_property
    def utf8validator(self) -> Any:
        """Checks text messages."""
        return Utf8Validator()

    @cached_property
    def is_closed(self) -> Any:
        """The Deferred that fires when the connection is closed; Autobahn's own until then."""
        return txaio.create_future_success(self)

    @cached_property
    def peer(self) -> str:
        """The other end, as Autobahn writes it."""
        return peer2str(self.transport)  # type: ignore[no-any-return]

    @cached_property
    def _transport_details(self) -> Any:
        return create_transport_details(self.transport, True)
