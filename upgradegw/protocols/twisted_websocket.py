"""Applications written for ``twisted.web.websocket``: their callbacks, called by an Autobahn protocol.

So all rules, limits and transports of ``websocket(...)`` are theirs, too. Nothing is imported of twisted.web's module,
which needs wsproto: an application fits by its methods (``twisted.web.websocket.WebSocketProtocol``).
"""

from __future__ import annotations

from collections import deque
from typing import Any

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from autobahn.util import encode_truncate
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocolFactory, IPushProducer
from twisted.python.failure import Failure

from upgradegw.negotiation.websocket import check_close_code

#: Bytes that the reason of a Close may have (RFC 6455 section 5.5.1: 125, two of them the code).
_MAX_REASON = 123
#: Pings of our own whose pongs may be on their way; one waits at a time.
_PINGS = 4
_NO_REACTOR = object()


def is_twisted_factory(factory: Any) -> bool:
    """Tell whether something can be a ``twisted.web.websocket.WebSocketServerFactory``.

    That is whatever has ``buildProtocol`` and is no factory of byte streams.
    """
    build = getattr(factory, "buildProtocol", None)
    return callable(build) and not isinstance(factory, type) and not IProtocolFactory.providedBy(factory)


class MessageTransport:
    """What the application gets in ``negotiationStarted``: ``twisted.web.websocket.WebSocketTransport``."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: TwistedWebSocket) -> None:
        """Send by an Autobahn protocol that is open."""
        self._protocol = protocol

    def sendTextMessage(self, text: str) -> None:
        """Send a text message.

        Raises:
            autobahn.exception.Disconnected: The connection is closed, or being closed.
        """
        self._protocol.sendMessage(text.encode("utf-8"))

    def sendBytesMessage(self, data: bytes) -> None:
        """Send a message of bytes.

        Raises:
            autobahn.exception.Disconnected: The connection is closed, or being closed.
        """
        self._protocol.sendMessage(data, isBinary=True)

    def ping(self, payload: bytes = b"") -> None:
        """Send a ping; ``pongReceived`` is called with the same bytes.

        Args:
            payload: At most 125 bytes (RFC 6455 section 5.5).
        """
        self._protocol.send_ping(payload)

    def loseConnection(self, code: int = 1000, reason: str = "") -> None:
        """Close; no message is delivered from now on, and ``connectionLost`` follows when the client has answered.

        Args:
            code: The close code (RFC 6455 section 7.4).
            reason: A few words, of which 123 bytes are sent.

        Raises:
            ValueError: The code may not be sent.
        """
        check_close_code(code)
        self._protocol.closing = True
        self._protocol.sendCloseFrame(code, encode_truncate(reason, _MAX_REASON) if reason else None)

    def attachProducer(self, producer: IPushProducer) -> None:
        """Let a producer be paused while the client does not read."""
        self._protocol.registerProducer(producer, True)

    def detachProducer(self) -> None:
        """Forget the producer."""
        self._protocol.unregisterProducer()


class TwistedWebSocket(WebSocketServerProtocol):  # type: ignore[misc]
    """One connection of an application that is written for twisted.web.

    Attributes:
        application: What the application's ``buildProtocol`` returned.
        closing: Whether the application has closed the connection.
    """

    application: Any = None
    closing = False
    _began = False

    def __init__(self) -> None:
        """Wait for the opening."""
        super().__init__()
        self._own_pings: deque[bytes] = deque(maxlen=_PINGS)

    # --- What Autobahn says.

    def onOpen(self) -> None:
        """Both sides have agreed; the response is written, so that messages can be sent at once."""
        application, self._began = self.application, True
        if hasattr(application, "upgraded"):
            application.upgraded(self.upgrade_info)
        application.negotiationStarted(MessageTransport(self))
        application.negotiationFinished()

    def onMessage(self, payload: bytes, isBinary: bool) -> Any:
        """Deliver a message."""
        if self.closing:
            return None
        if isBinary:
            return self.application.bytesMessageReceived(payload)
        return self.application.textMessageReceived(payload.decode("utf-8"))

    def onPong(self, payload: bytes) -> Any:
        """Deliver a pong, unless it answers a ping of ours."""
        if payload in self._own_pings:
            self._own_pings.remove(payload)
            return None
        return None if self.closing else self.application.pongReceived(payload)

    def connectionLost(self, reason: Failure) -> None:
        """Tell the application, if it has heard of the connection.

        Behind a complete closing handshake that is ConnectionDone, however the transport ended then.
        """
        super().connectionLost(reason)
        if self._began:
            self._began = False
            self.application.connectionLost(Failure(ConnectionDone()) if self.wasClean else reason)

    # --- Pings.

    def sendPing(self, payload: bytes | None = None) -> None:
        """Send a ping of our own, which keeps the connection alive (Autobahn calls this)."""
        self._own_pings.append(payload or b"")
        super().sendPing(payload)

    def send_ping(self, payload: bytes) -> None:
        """Send a ping of the application's."""
        super().sendPing(payload)


class TwistedFactory(WebSocketServerFactory):  # type: ignore[misc]
    """Builds ``TwistedWebSocket`` for the protocols of a ``twisted.web.websocket.WebSocketServerFactory``."""

    protocol = TwistedWebSocket
    noisy = False

    def __init__(self, factory: Any) -> None:
        """Build with a factory.

        Args:
            factory: The application's.
        """
        # Without one, Autobahn would import, and so install, the default reactor, which only what listens needs.
        super().__init__(reactor=_NO_REACTOR)
        self._factory = factory

    def build_for(self, request: Any, address: Any) -> TwistedWebSocket | None:
        """Build the protocol of a request, or None if the application has none for it.

        Args:
            request: The ``twisted.web.server.Request``.
            address: The client's.
        """
        application = self._factory.buildProtocol(request)
        if application is None:
            return None
        protocol: TwistedWebSocket = self.buildProtocol(address)
        protocol.application = application
        return protocol
