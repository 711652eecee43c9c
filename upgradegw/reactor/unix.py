"""Connections over UNIX sockets."""

from __future__ import annotations

import os
from socket import SO_KEEPALIVE, SOL_SOCKET
from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.internet.interfaces import IFileDescriptorReceiver, ITLSTransport, IUNIXTransport
from zope.interface import classImplements, implementer

from upgradegw.reactor.connection import Connection
from upgradegw.reactor.descriptors import DescriptorTransport

#: Descriptors that wait above which a streaming producer is paused, the same as in Twisted.
_MANY = 64


@implementer(IUNIXTransport)
class UnixConnection(Connection):
    """A connection over a UNIX socket."""

    __slots__ = ()

    #: Descriptors that wait for octets to go with. Few connections ever have any.
    _descriptors: list[int] | None = None

    def connection_made(self, transport: Any) -> None:
        """Keep the peer's address."""
        self._peer = UNIXAddress(self.addr if self.is_client else transport.get_extra_info("peername") or None)
        super().connection_made(transport)

    def getHost(self) -> Any:
        """Our own end."""
        return UNIXAddress(None if self.is_client else self.socket.getsockname())

    def _place(self) -> tuple[Any, Any]:
        name = os.fsdecode(self.getHost().name or b"") if self.connected else ""
        return name, name

    # --- Descriptors.

    def speak(self, protocol: Any) -> None:
        """Read descriptors for a protocol that can take them."""
        if IFileDescriptorReceiver.providedBy(protocol):
            self._pass_descriptors()
        super().speak(protocol)

    def sendFileDescriptor(self, fileno: int) -> None:
        """See ``IUNIXTransport.sendFileDescriptor``."""
        if not self.connected:
            return
        waiting = self._descriptors = [*(self._descriptors or ()), fileno]
        if len(waiting) > _MANY and self.producer is not None and self.streamingProducer:
            self.producerPaused = True
            self.producer.pauseProducing()
        self._streams.outbox.add(self)

    def flush(self) -> None:
        """Send descriptors with what was gathered."""
        if self._descriptors and not self._blocked and self._transport is not None:
            self._pass_descriptors().queued += self._descriptors
            self._descriptors = None
            self._out = [*(self._out or ()), b""]  # there is something to do even if there are no octets
        super().flush()

    def resume_writing(self) -> None:
        """All octets are sent; descriptors may still wait."""
        if self._descriptors and self._out is None:
            self._out = [b""]
        super().resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """The transport of uvloop is closed; that matters if it is in use."""
        if not isinstance(self._transport, DescriptorTransport):
            super().connection_lost(error)

    def passing_lost(self, error: Exception | None) -> None:
        """The transport that took uvloop's place is closed, or broken."""
        super().connection_lost(error)

    def _pass_descriptors(self) -> DescriptorTransport:
        if not isinstance(self._transport, DescriptorTransport):
            self._transport = DescriptorTransport(self._streams.loop, self._transport, self)
            if self.is_reading:
                self._transport.resume_reading()
        return self._transport

    # --- Options.

    def getTcpNoDelay(self) -> bool:
        """There is no such thing here; code that treats every transport as TCP may ask."""
        return False

    def setTcpNoDelay(self, enabled: bool) -> None:
        """There is no such thing here."""

    def getTcpKeepAlive(self) -> bool:
        """Whether SO_KEEPALIVE is set, which means nothing here."""
        return bool(self.socket.getsockopt(SOL_SOCKET, SO_KEEPALIVE))

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Set SO_KEEPALIVE, which means nothing here."""
        self.socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, enabled)


classImplements(UnixConnection, ITLSTransport)  # as Twisted's, although there is no port in the addresses
