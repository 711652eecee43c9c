"""A request on a real socket: sent without the way through the reactor, and whole whatever the socket takes."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock

from tests.http1.wire import socket_pair
from upgradegw.http.wheel import Wheel
from upgradegw.proxy.http1.connection import Http1Connection
from upgradegw.proxy.settings import UpstreamSettings


class Keeper:
    """Keeps nothing."""

    def __init__(self) -> None:
        self.reactor = MemoryReactorClock()
        self.settings = UpstreamSettings()
        self.wheel = Wheel(self.reactor, 60)

    def now(self) -> float:
        return self.reactor.seconds()

    def put(self, connection: Any) -> bool:
        return False

    def lost(self, connection: Any) -> None:
        pass


def connected(buffer: int | None = None) -> tuple[Http1Connection, Connection, socket.socket]:
    """A connection on Twisted's own transport, and the upstream's socket."""
    keeper = Keeper()
    ours, theirs = socket_pair()
    if buffer is not None:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    theirs.setblocking(False)
    protocol = Http1Connection(keeper)
    transport = Connection(ours, protocol, keeper.reactor)
    transport.connected = 1
    protocol.makeConnection(transport)
    return protocol, transport, theirs


def drained(transport: Connection, theirs: socket.socket) -> bytes:
    """Read what arrives while the reactor writes what is left."""
    received = b""
    for _ in range(1000):
        try:
            received += theirs.recv(1 << 16)
        except BlockingIOError:
            if transport not in transport.reactor.getWriters():
                return received
            transport.doWrite()
    raise AssertionError("no end")


def test_it_is_there_before_the_reactor_turns() -> None:
    """One system call, and no other."""
    protocol, transport, theirs = connected()
    protocol.send_at_once(b"GET / HTTP/1.1\r\n\r\n")
    assert theirs.recv(100) == b"GET / HTTP/1.1\r\n\r\n"
    assert transport.reactor.getWriters() == []


def test_what_the_socket_does_not_take_follows() -> None:
    """In order, and once."""
    protocol, transport, theirs = connected(buffer=4096)
    head = b"".join(b"%08d" % number for number in range(20_000))
    protocol.send_at_once(head)
    assert transport.reactor.getWriters() == [transport]
    assert drained(transport, theirs) == head


def test_nothing_overtakes_what_waits() -> None:
    """Bytes of an earlier request that the transport still holds go first."""
    protocol, transport, theirs = connected()
    transport.write(b"earlier")
    protocol.send_at_once(b"later")
    assert drained(transport, theirs) == b"earlierlater"


def test_an_error_is_left_to_the_transport() -> None:
    """It finds the same and tells of it in its own time."""
    protocol, transport, theirs = connected()
    theirs.close()
    protocol.send_at_once(b"GET")
    assert transport.reactor.getWriters() == [transport]
    assert transport.doWrite() is not None
