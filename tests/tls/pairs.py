"""Our TLS layer at one end, the standard library's at the other, and memory between them."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from twisted.internet.interfaces import ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

from tests.certificates import self_signed
from upgradegw.service.tls import ServerTls, tls_options
from upgradegw.tls.layer import TlsFactory, TlsLayer


@lru_cache(maxsize=1)
def certified() -> tuple[ServerTls, ssl.SSLContext]:
    """What a server has, and a client that trusts it."""
    with tempfile.TemporaryDirectory() as folder:
        files = self_signed(Path(folder))
        return tls_options(str(files.cert), str(files.key)), ssl.create_default_context(cafile=str(files.cert))


@implementer(ITCPTransport)
class Wire(StringTransport):
    """What carries the encrypted bytes; it counts writes."""

    writes = 0
    aborted = False

    def write(self, data: bytes) -> None:
        """Count, and keep."""
        self.writes += 1
        super().write(data)

    def abortConnection(self) -> None:
        """Nothing more is sent."""
        self.aborted = True


class Inside(Protocol):
    """Keeps what comes, and does with it what a test wants."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.why: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        """Something has come."""
        self.pieces.append(data)
        self.got(data)

    def got(self, data: bytes) -> None:
        """What a test wants."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The end."""
        self.why = reason

    @property
    def received(self) -> bytes:
        """All that has come."""
        return b"".join(self.pieces)


class _Site(Factory):
    noisy = False

    def buildProtocol(self, addr: Any) -> Inside:
        """Make what a test looks into."""
        return Inside()

    @staticmethod
    def acceptableProtocols() -> list[bytes]:
        """What ALPN may agree on."""
        return [b"http/1.1"]


class Pair:
    """A server with our layer and a client of the standard library."""

    def __init__(self, factory: TlsFactory | None = None, *, shaken: bool = True) -> None:
        client = certified()[1]
        self.factory = factory or server_factory(Clock())
        self.clock: Any = self.factory._clock
        self.layer: TlsLayer = self.factory.buildProtocol(None)
        self.inside: Any = self.layer.wrappedProtocol
        self.wire = Wire()
        self.layer.makeConnection(self.wire)
        self._to_client, self._to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.client = client.wrap_bio(self._to_client, self._to_server, server_hostname="localhost")
        if shaken:
            self.shake()

    def shake(self) -> None:
        """Make the handshake, and read the tickets."""
        for _ in range(2):
            with contextlib.suppress(ssl.SSLWantReadError):
                self.client.do_handshake()
            self.deliver(self.sent())
        assert self.read() == b""
        self.wire.writes = 0

    def sent(self) -> bytes:
        """Return what the client sends."""
        return self._to_server.read()

    def deliver(self, data: bytes, size: int = 1 << 20) -> None:
        """Give it to the server in pieces of a size, and the answers to the client."""
        for at in range(0, len(data), size):
            self.layer.dataReceived(data[at : at + size])
        self.carry()

    def carry(self) -> None:
        """Give the client what the server has sent."""
        self._to_client.write(self.wire.value())
        self.wire.clear()

    def send(self, data: bytes, size: int = 1 << 20) -> None:
        """Let the client send something."""
        self.client.write(data)
        self.deliver(self.sent(), size)

    def read(self) -> bytes:
        """Return what the client reads."""
        self.carry()
        read = b""
        with contextlib.suppress(ssl.SSLWantReadError):
            while data := self.client.read(1 << 20):
                read += data
        return read


def server_factory(clock: Clock) -> TlsFactory:
    """Return a factory of servers."""
    return TlsFactory(certified()[0], False, _Site(), clock)
