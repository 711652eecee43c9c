"""The two echoes: one that sends WebSocket messages back, one that sends bytes back."""

from __future__ import annotations

import json
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocolFactory
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.policies import TimeoutMixin
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.interfaces import UpgradeInfo

#: The subprotocol by which the page asks to be told what the server saw. Everybody else gets a pure echo.
SUBPROTOCOL = "demo.upgradegw"

#: Seconds without a byte from the client after which the raw echo ends.
RAW_IDLE = 60.0


class WebSocketEcho(WebSocketServerProtocol):  # type: ignore[misc]
    """Sends each message back; begins with a report to clients that ask for it."""

    seen: dict[str, Any]

    def upgraded(self, info: UpgradeInfo) -> None:
        """Keep what the server saw of the handshake."""
        self.seen = {
            "http_version": info.http_version.decode("latin-1"),
            "client": info.client.address or "a UNIX socket",
            "secure": info.secure,
        }

    def onConnect(self, request: Any) -> str | None:
        """Speak the page's subprotocol if it is offered."""
        return SUBPROTOCOL if SUBPROTOCOL in request.protocols else None

    def onOpen(self) -> None:
        """Report to the page."""
        if self.websocket_protocol_in_use == SUBPROTOCOL:
            extensions = [extension.EXTENSION_NAME for extension in self.websocket_extensions_in_use]
            report = {**self.seen, "subprotocol": SUBPROTOCOL, "extensions": extensions}
            self.sendMessage(json.dumps(report).encode())

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        """Send it back as it came."""
        self.sendMessage(payload, isBinary)


def _accept_deflate(offers: list[Any]) -> Any:
    deflate = [offer for offer in offers if isinstance(offer, PerMessageDeflateOffer)]
    return PerMessageDeflateOfferAccept(deflate[0]) if deflate else None


def websocket_echo_factory() -> WebSocketServerFactory:
    """Return the factory of ``/ws``: an echo that accepts permessage-deflate."""
    factory = WebSocketServerFactory()
    factory.protocol = WebSocketEcho
    factory.noisy = False
    factory.setProtocolOptions(perMessageCompressionAccept=_accept_deflate)
    return factory


@implementer(IHalfCloseableProtocol)
class RawEcho(Protocol, TimeoutMixin):
    """Sends bytes back, reads no faster than the client does, and ends when the client has ended its side."""

    transport: Any

    def connectionMade(self) -> None:
        """Let the transport pause itself while the client does not read."""
        self.setTimeout(RAW_IDLE)
        self.transport.registerProducer(self.transport, True)

    def dataReceived(self, data: bytes) -> None:
        """Send it back."""
        self.resetTimeout()
        self.transport.write(data)

    def readConnectionLost(self) -> None:
        """Send what is left, and close."""
        self.transport.unregisterProducer()
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Nothing more can be sent."""
        self.transport.abortConnection()

    def timeoutConnection(self) -> None:
        """The client has fallen silent."""
        self.transport.abortConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 - Twisted's signature
        """Forget the timer."""
        self.setTimeout(None)


def raw_echo_factory() -> IProtocolFactory:
    """Return the factory of ``/echo``."""
    factory = Factory.forProtocol(RawEcho)
    factory.noisy = False
    return factory
