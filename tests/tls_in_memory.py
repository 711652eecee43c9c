"""TLS between a client of the standard library and a site of ours, without a socket."""

from __future__ import annotations

import contextlib
import ssl
from typing import Any

from twisted.internet.testing import StringTransport

from upgradegw.service.tls import over_tls


class TcpTransport(StringTransport):
    """A transport with TCP's options."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing to be set."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Nothing to be set."""

    def abortConnection(self) -> None:
        """Nothing to be aborted."""


class Shaken:
    """A handshake of a client of the standard library with a site of ours over TLS, in memory."""

    def __init__(
        self, tls: Any, client: ssl.SSLContext, server_name: str | None, site: Any, session: ssl.SSLSession | None
    ) -> None:
        self.transport = TcpTransport()
        self._clock: Any = site.reactor
        server = over_tls(tls, site, site.reactor).buildProtocol(self.transport.getPeer())
        assert server is not None
        self.server: Any = server
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.connection = client.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name, session=session)

    def begin(self) -> None:
        """Connect, and no more."""
        if not self.server.connected:
            self.server.makeConnection(self.transport)

    def shake(self) -> ssl.SSLObject:
        """Shake hands; raise what the client finds wrong, or the server's alert."""
        self.begin()
        for _ in range(4):
            try:
                self.connection.do_handshake()
            except ssl.SSLWantReadError:
                self.exchange()
            else:
                self.exchange()
                return self.connection
        raise AssertionError("no end of the handshake")

    def hello(self) -> bytes:
        """Return what the client sends first."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.connection.do_handshake()
        return self._outgoing.read()

    def exchange(self) -> None:
        """Deliver what each has written to the other."""
        written = self._outgoing.read()
        if written:
            self.server.dataReceived(written)
        self._incoming.write(self.transport.value())
        self.transport.clear()

    def read(self) -> bytes:
        """Return what the server has sent; tickets and alerts are read, too."""
        self.exchange()
        try:
            return self.connection.read(1 << 16)
        except ssl.SSLWantReadError:
            return b""

    def send(self, data: bytes) -> bytes:
        """Write something, let the server answer, and return the answer."""
        self.connection.write(data)
        self.exchange()
        self._clock.advance(0)
        return self.read()
