"""A connection in memory: our site on Twisted's own TCP transport, on one end of a socket pair; the test has the other.

No port, no reactor that runs: ``turn`` does what a reactor would do until nothing more happens.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Iterable
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableDescriptor
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from upgradegw.web.site import UpgradeSite

PEER = IPv4Address("TCP", "192.0.2.7", 50000)
HOST = IPv4Address("TCP", "192.0.2.1", 80)


class _Server(Connection):
    """An accepted connection."""

    peer: Any = PEER

    def getPeer(self) -> Any:
        return self.peer

    def getHost(self) -> Any:
        return HOST

    def setTcpNoDelay(self, enabled: bool) -> None:
        """A socket pair is no TCP."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """A socket pair is no TCP."""


class _Quiet(socket.socket):
    """A socket that a test may forget to close."""

    def __del__(self) -> None:
        self.close()


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected sockets."""
    one, other = socket.socketpair()
    return _Quiet(fileno=one.detach()), _Quiet(fileno=other.detach())


class Wire:
    """One connection to a site."""

    def __init__(self, site: Any, reactor: MemoryReactorClock, *, peer: Any = PEER, buffer: int | None = None) -> None:
        ours, self.socket = socket_pair()
        if buffer is not None:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
        self.socket.setblocking(False)
        self.reactor = reactor
        self.received = b""
        self.eof = False
        self.protocol = site.buildProtocol(peer)
        self.transport = _Server(ours, self.protocol, reactor)
        self.transport.peer = peer
        self.transport.connected = 1
        self.protocol.makeConnection(self.transport)
        self.transport.startReading()

    @property
    def open(self) -> bool:
        """Whether our side still has the connection."""
        return bool(self.transport.connected)

    def send(self, *data: bytes) -> Wire:
        """Send bytes, each argument as a segment of its own, and let everything happen."""
        for each in data:
            rest = each
            while rest and self.open:
                try:
                    rest = rest[self.socket.send(rest) :]
                except BlockingIOError:
                    if not self.turn():
                        break
                except OSError:
                    break
            self.turn()
        return self

    def turn(self, *, read: bool = True) -> bool:
        """Do what the reactor would do; return whether anything happened."""
        happened = False
        while self._step() or (read and self._receive()):
            happened = True
        return happened

    def _step(self) -> bool:
        transport, reactor = self.transport, self.reactor
        readable, writable, _ = select.select(
            [transport] if transport in reactor.getReaders() and transport.connected else [],
            [transport] if transport in reactor.getWriters() and transport.connected else [],
            [],
            0,
        )
        for ready, do, is_read in ((readable, "doRead", True), (writable, "doWrite", False)):
            if ready and transport.connected:
                self._judge(getattr(transport, do)(), is_read)
        return bool(readable or writable)

    def _judge(self, why: Any, is_read: bool) -> None:
        """What a reactor does with the result of doRead and doWrite."""
        if not why:
            return
        transport = self.transport
        self.reactor.removeReader(transport)
        done = isinstance(why, ConnectionDone)
        if is_read and done and IHalfCloseableDescriptor.providedBy(transport):
            transport.readConnectionLost(Failure(why))
        else:
            self.reactor.removeWriter(transport)
            transport.connectionLost(Failure(why if done else ConnectionLost()))

    def _receive(self) -> bool:
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            changed, self.eof = not self.eof, True
            return changed
        self.received += data
        return True

    def take(self) -> bytes:
        """Return what has arrived since the last time."""
        self.turn()
        received, self.received = self.received, b""
        return received

    def answers(self) -> list[Answer]:
        """Return the responses that have arrived since the last time."""
        return parse_answers(self.take())

    def fin(self) -> Wire:
        """End the client's side."""
        self.socket.shutdown(socket.SHUT_WR)
        self.turn()
        return self

    def close(self) -> Wire:
        """Close the client's end."""
        self.socket.close()
        while self._step():
            pass
        return self

    def advance(self, seconds: float) -> Wire:
        """Let time pass, a second at a time."""
        while seconds > 0:
            self.reactor.advance(min(1.0, seconds))
            seconds -= 1.0
            self.turn(read=not self.socket._closed)  # type: ignore[attr-defined]
        return self


class Answer:
    """One response."""

    def __init__(self, version: str, status: int, fields: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.version, self.status, self.fields, self.body = version, status, fields, body

    def get(self, name: bytes) -> bytes | None:
        """Return the values of a field, joined, or None."""
        values = [value for each, value in self.fields if each.lower() == name.lower()]
        return b", ".join(values) if values else None

    def __repr__(self) -> str:
        return f"<{self.status} {self.body[:60]!r}>"


def parse_answers(data: bytes, *, heads_only: bool = False) -> list[Answer]:
    """Parse a sequence of responses; ``heads_only`` for those to HEAD."""
    found = []
    while data:
        head, separator, data = data.partition(b"\r\n\r\n")
        assert separator, head
        first, *lines = head.split(b"\r\n")
        version, status, _ = first.split(b" ", 2)
        fields = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        answer = Answer(version.decode(), int(status), fields, b"")
        if heads_only or answer.status in (204, 304) or answer.status < 200:
            pass
        elif answer.get(b"transfer-encoding") == b"chunked":
            answer.body, data = _unchunk(data)
        elif (length := answer.get(b"content-length")) is not None:
            assert len(data) >= int(length), (length, data)
            answer.body, data = data[: int(length)], data[int(length) :]
        else:
            answer.body, data = data, b""
        found.append(answer)
    return found


def _unchunk(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        number = int(size, 16)
        body, end, data = body + data[:number], data[number : number + 2], data[number + 2 :]
        assert end == b"\r\n"
        if not number:
            return body, data


class Echo(Resource):
    """Says what was asked: method, path and content."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        return b"%b %b %b" % (request.method, request.uri, request.content.read())


class Later(Resource):
    """Keeps its requests for the test to answer."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []

    def render(self, request: Any) -> int:
        self.requests.append(request)
        return NOT_DONE_YET


class Rendered(Resource):
    """Answers as a function of the request says."""

    isLeaf = True

    def __init__(self, render: Any) -> None:
        super().__init__()
        self._render = render

    def render(self, request: Any) -> Any:
        return self._render(request)


def make_site(root: Any = None, **kwargs: Any) -> tuple[UpgradeSite, MemoryReactorClock]:
    """Return a site, by default of Echo, and its reactor."""
    reactor = MemoryReactorClock()
    return UpgradeSite(Echo() if root is None else root, reactor=reactor, **kwargs), reactor


def connect(root: Any = None, **kwargs: Any) -> Wire:
    """Return a connection to a new site."""
    site, reactor = make_site(root, **kwargs)
    return Wire(site, reactor)


def get(path: bytes = b"/", *fields: bytes, method: bytes = b"GET") -> bytes:
    """Return a request without content."""
    return b"\r\n".join((method + b" " + path + b" HTTP/1.1", b"Host: a.example", *fields, b"", b""))


def post(content: bytes, path: bytes = b"/", *fields: bytes) -> bytes:
    """Return a request with content of known length."""
    return get(path, b"Content-Length: %d" % len(content), *fields, method=b"POST") + content


def chunked(content: bytes, size: int = 3) -> bytes:
    """Return content in chunks."""
    pieces: Iterable[bytes] = (content[at : at + size] for at in range(0, len(content), size))
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def splits(data: bytes) -> Iterable[tuple[bytes, ...]]:
    """Return every way to cut data in two, and byte by byte."""
    yield (data,)
    for at in range(1, len(data)):
        yield data[:at], data[at:]
    yield tuple(data[at : at + 1] for at in range(len(data)))
