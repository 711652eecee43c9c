"""What a listening port makes its connections with: a site, with what is put before it, exchanged while it listens."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import (
    IAddress,
    IListeningPort,
    ILoggingContext,
    IProtocolFactory,
    IStreamServerEndpoint,
)
from twisted.protocols.haproxy import proxyEndpoint
from zope.interface import implementer

from upgradegw.service.tls import ServerTls, over_tls


@implementer(IProtocolFactory, ILoggingContext)
class Door:
    """The factory that a port is given once and for all."""

    def __init__(self, inner: IProtocolFactory) -> None:
        """Lead to a factory.

        Args:
            inner: The factory.
        """
        self.inner = inner
        self._ports = 0

    def lead_to(self, inner: IProtocolFactory) -> None:
        """Lead new connections elsewhere; those that are there stay where they are."""
        before, self.inner = self.inner, inner
        for _ in range(self._ports):
            inner.doStart()
            before.doStop()

    def logPrefix(self) -> str:
        """Name the factory in Twisted's own log lines."""
        prefix = getattr(self.inner, "logPrefix", None)
        return str(prefix()) if prefix is not None else type(self.inner).__name__

    # --- For ports.

    def buildProtocol(self, addr: IAddress) -> Any:
        """Make the protocol of a new connection."""
        return self.inner.buildProtocol(addr)

    def doStart(self) -> None:
        """A port listens."""
        self._ports += 1
        self.inner.doStart()

    def doStop(self) -> None:
        """A port listens no more."""
        self._ports -= 1
        self.inner.doStop()


def before_site(site: IProtocolFactory, tls: ServerTls | None, reactor: Any, *, haproxy: bool) -> IProtocolFactory:
    """Put before a site what its connections begin with.

    Args:
        site: The site.
        tls: The certificates; None for cleartext.
        reactor: Gives TLS the time.
        haproxy: Whether a PROXY protocol header comes first.
    """
    factory = site if tls is None else over_tls(tls, site, reactor)
    if not haproxy:
        return factory
    taking = _Taking()
    proxyEndpoint(taking).listen(factory)
    return taking.factory


@implementer(IStreamServerEndpoint)
class _Taking:
    """Takes what Twisted puts before a factory: it gives that only to endpoints."""

    factory: IProtocolFactory

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        self.factory = protocolFactory
        return succeed(None)  # type: ignore[arg-type]
