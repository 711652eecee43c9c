"""Writing at once, past the reactor, where nothing waits."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

from tests.reactor.memory import Link
from upgradegw.transports import at_once, send_at_once, write_at_once


class Pair:
    """A transport of Twisted's over one end of a pair of sockets; nobody runs its reactor."""

    def __init__(self) -> None:
        here, self.there = socket.socketpair()
        here.setblocking(False)
        self.there.setblocking(False)
        self.here = here
        self.transport: Any = Connection(here, Protocol(), MemoryReactorClock())
        self.transport.connected = 1

    def close(self) -> None:
        self.here.close()
        self.there.close()


@pytest.fixture
def pair() -> Any:
    made = Pair()
    yield made
    made.close()


def test_at_once(pair: Pair) -> None:
    """What a socket takes is on its way when the call returns, and the reactor is not asked."""
    write_at_once(pair.transport, b"abc")
    assert pair.there.recv(10) == b"abc"
    assert pair.transport.reactor.writers == set()


def test_behind_what_waits(pair: Pair) -> None:
    """Where something waits in the transport, all else waits behind it."""
    pair.transport.write(b"first")
    write_at_once(pair.transport, b"second")
    with pytest.raises(BlockingIOError):
        pair.there.recv(10)
    pair.transport.doWrite()
    assert pair.there.recv(20) == b"firstsecond"


def test_a_full_socket(pair: Pair) -> None:
    """What the socket does not take is left to the transport, without a hole."""
    data = bytes(range(256)) * 20_000
    write_at_once(pair.transport, data)
    assert pair.transport.reactor.writers == {pair.transport}
    received = b""
    while len(received) < len(data):
        received += pair.there.recv(1 << 20)
        pair.transport.doWrite()
    assert received == data


def test_a_dead_socket(pair: Pair) -> None:
    """Errors are the transport's to find."""
    pair.there.close()
    assert send_at_once(pair.here, b"x") == 0
    write_at_once(pair.transport, b"x")
    assert pair.transport.reactor.writers == {pair.transport}


def test_other_transports() -> None:
    """A transport that is no socket is written to."""
    transport = StringTransport()
    write_at_once(transport, b"abc")
    assert transport.value() == b"abc"


def test_a_transport_with_a_way_of_its_own() -> None:
    """It is taken."""
    link = Link(Protocol())
    at_once(link.connection)(b"abc")
    assert link.written == [b"abc"]
    assert link.loop.soon == []


def test_what_wraps_a_transport_is_not_passed_by() -> None:
    """A wrapper, as TLS is one, has all that its transport has by passing it on; what is written must go through it."""
    link = Link(Protocol())

    class Shouting(ProtocolWrapper):
        def write(self, data: bytes) -> None:
            super().write(data.upper())

    wrapper: Any = Shouting(WrappingFactory(object()), Protocol())
    wrapper.makeConnection(link.connection)
    assert wrapper.write_at_once is not None
    write_at_once(wrapper, b"abc")
    link.loop.turn()
    assert link.written == [b"ABC"]
