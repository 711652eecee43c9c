"""A connection to an upstream: TCP, UNIX or TLS, the name looked up anew each time, and in words why there is none."""

from __future__ import annotations

from typing import Any, NoReturn

from OpenSSL import SSL
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.interfaces import IHandshakeListener, IProtocolFactory
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.exchange import UpstreamError
from upgradegw.proxy.opening import Opening
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.tls import client_tls, ip_version, server_name
from upgradegw.takeover import attach_protocol
from upgradegw.tls.layer import TlsFactory

#: How to connect to a host, by the version of its address; None for a name.
_ENDPOINTS = {None: HostnameEndpoint, 4: TCP4ClientEndpoint, 6: TCP6ClientEndpoint}


class NotConnected(UpstreamError):  # noqa: N818 - it says what is the case
    """There is no connection, so nothing of the request was sent: another upstream may be asked."""


class Connector:
    """Makes connections to one upstream; what TLS needs is read from its files once."""

    def __init__(self, address: UpstreamAddress, settings: UpstreamSettings, reactor: Any) -> None:
        """Read the files.

        Args:
            address: Where to.
            settings: How.
            reactor: Connects, looks names up and tells the time.

        Raises:
            ValueError: A file cannot be read, or is not what it should be.
        """
        self._address = address
        self._settings = settings
        self._reactor = reactor
        self._secure = address.scheme == "https"
        self._version = None if address.unix is not None else ip_version(address.host)
        self._tls: Any = client_tls(address, settings) if self._secure else None

    def connect(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect, and start a protocol of the factory when the connection is ready to be spoken on.

        That is behind TLS's handshake. The transport then delivers to the protocol itself, with nothing in between.

        Args:
            factory: Builds the protocol.

        Returns:
            A Deferred of the protocol; it fails with ``NotConnected``, and may be cancelled.
        """
        if not self._secure and (self._version is not None or self._address.unix is not None):
            return self._connect_at_once(factory)
        waiting = Deferred.fromCoroutine(self._connect(factory))
        waiting.addTimeout(self._settings.connect_timeout, self._reactor, self._too_late)
        return waiting

    def _connect_at_once(self, factory: IProtocolFactory) -> Deferred[Any]:
        """Connect where there is nothing to look up, and nothing to shake hands over."""
        address, reactor = self._address, self._reactor
        opening = Opening(lambda transport: self._start(transport, factory), self._no_connection)
        seconds = self._settings.connect_timeout
        if address.unix is not None:
            return opening.begin(reactor, reactor.connectUNIX, (address.unix,), seconds)
        return opening.begin(reactor, reactor.connectTCP, (address.host, address.port), seconds)

    def _no_connection(self, error: Exception) -> NotConnected:
        """Say what happened to an attempt of ``_connect_at_once``."""
        if isinstance(error, TimeoutError):
            return self._failed(self._late(self._settings.connect_timeout), timed_out=True)
        return self._failed(self._words(error), timed_out=isinstance(error, ConnectTimeout))

    async def _connect(self, factory: IProtocolFactory) -> Any:
        try:
            opening = await self._opening()
        except (CancelledError, NotConnected):
            raise
        except Exception as error:
            timed_out = isinstance(error, ConnectTimeout)
            raise self._failed(self._words(error), timed_out=timed_out) from error
        return self._start(opening.transport, factory)

    def _start(self, transport: Any, factory: IProtocolFactory) -> Any:
        """Put a protocol of the factory at a transport that is ready to be spoken on."""
        if self._settings.http_version == 2 and self._secure and transport.negotiatedProtocol != b"h2":  # noqa: PLR2004
            transport.abortConnection()
            raise self._failed("it did not choose HTTP/2 (ALPN h2), which upstream_http = 2 asks for")
        protocol = factory.buildProtocol(transport.getPeer())
        if protocol is None:
            transport.abortConnection()
            raise self._failed("nobody wants the connection any more")
        if self._address.unix is None and hasattr(transport, "setTcpNoDelay"):
            transport.setTcpNoDelay(True)
        attach_protocol(transport, protocol)
        _let_go(transport)
        protocol.makeConnection(transport)
        return protocol

    async def _opening(self) -> _Opening:
        """Return what stands at a connection that is ready to be spoken on."""
        factory: Any = Factory.forProtocol(_Opening)
        factory.noisy = False
        if not self._secure:
            return await self._endpoint().connect(factory)  # type: ignore[no-any-return]
        factory = TlsFactory(self._tls, True, factory, self._reactor)
        layer: Any = await self._endpoint().connect(factory)
        await layer.wrappedProtocol.shake()
        return layer.wrappedProtocol  # type: ignore[no-any-return]

    def _endpoint(self) -> Any:
        kind: Any = _ENDPOINTS[self._version]
        return kind(self._reactor, self._address.host, self._address.port, self._settings.connect_timeout)

    def _words(self, error: Exception) -> str:
        """Say what happened, in one line."""
        if isinstance(error, DNSLookupError):
            return "there is no address for the name"
        if isinstance(error, SSL.Error):
            reasons = [entry[2] for entry in error.args[0]] if error.args and error.args[0] else []
            return "TLS failed: " + ("; ".join(reasons) or "the upstream ended the handshake")
        if type(error).__name__ == "VerificationError":  # of service_identity, which Twisted's TLS brings along
            return f"TLS failed: its certificate is not for {server_name(self._address, self._settings)}"
        if isinstance(error, ConnectionClosed):
            return "it closed the connection during TLS's handshake"
        words = str(error) if isinstance(error, ConnectError) else f"{type(error).__name__} {error}"
        return " ".join(words.split()).rstrip(" .")

    def _failed(self, words: str, *, timed_out: bool = False) -> NotConnected:
        if timed_out:
            return NotConnected(Reason.UPSTREAM_TIMEOUT, 504, f"{self._address}: {words}")
        return NotConnected(Reason.UPSTREAM_UNREACHABLE, 502, f"{self._address}: {words}")

    def _too_late(self, _cancelled: Failure, seconds: float) -> NoReturn:
        raise self._failed(self._late(seconds), timed_out=True) from None

    @staticmethod
    def _late(seconds: float) -> str:
        return f"no connection within {seconds:g} seconds"


def _let_go(transport: Any) -> None:
    """Part a connection from its connector, which nobody asks any more: each knows of the other, so both would stay."""
    connector = getattr(transport, "connector", None)
    if connector is not None:
        connector.transport = None


@implementer(IHandshakeListener)
class _Opening(Protocol):
    """Stands at a new connection until TLS has shaken hands; of several that an endpoint tries only one goes on."""

    _waiting: Deferred[None] | None = None

    def shake(self) -> Deferred[None]:
        """Return what fires when TLS is ready; called as soon as the connection is made."""
        self._waiting = Deferred(lambda _: self.transport.abortConnection())  # type: ignore[union-attr]
        return self._waiting

    def handshakeCompleted(self) -> None:
        """TLS is ready."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone before it could be used."""
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(reason)
