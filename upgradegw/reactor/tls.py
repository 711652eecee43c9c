"""``startTLS``: Twisted's TLS put between a connection and its protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twisted.internet.interfaces import ISSLTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import directlyProvides


class _BelowTls:
    """The connection as TLS sees it: what is written here is sent as it is."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.write = connection.send_below_tls
        self.loseConnection = connection.lose_below_tls
        self.registerProducer = connection.register_below_tls
        self.unregisterProducer = connection.unregister_below_tls

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        self.write(b"".join(iovec))


def start_tls(connection: Any, context_factory: Any, normal: bool) -> None:
    """Speak TLS from now on.

    Args:
        connection: The connection.
        context_factory: Twisted's or pyOpenSSL's; see ``ITLSTransport.startTLS``.
        normal: Whether the TLS client is who connected.
    """
    producer, streaming = connection.producer, connection.streamingProducer
    if producer is not None:
        connection.unregisterProducer()
    nobody: Any = None  # the protocol is there already
    factory = TLSMemoryBIOFactory(context_factory, connection.is_client == normal, nobody, connection.reactor)
    protocol = factory.protocol(factory, connection.protocol, False)
    connection.protocol = protocol
    connection.getHandle = protocol.getHandle
    connection.getPeerCertificate = protocol.getPeerCertificate
    directlyProvides(connection, ISSLTransport)
    connection.switch_to_tls()
    protocol.makeConnection(_BelowTls(connection))
    if producer is not None:
        connection.registerProducer(producer, streaming)
