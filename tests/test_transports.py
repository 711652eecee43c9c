"""What is asked of transports of every kind."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.tcp import Connection
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory

from upgradegw.transports import BorrowedSocket, bare_socket, is_bare, plain_socket


@pytest.fixture
def here() -> Iterator[socket.socket]:
    """One end of a pair of sockets."""
    one, other = socket.socketpair()
    yield one
    one.close()
    other.close()


def over(connected: socket.socket) -> Any:
    """Return a transport of Twisted's over a socket."""
    transport: Any = Connection(connected, Protocol(), MemoryReactorClock())
    transport.connected = 1
    return transport


class Gathers:
    """A transport of another reactor's, whose socket is its own affair."""

    TLS = False
    connected = 1

    def __init__(self, connected: socket.socket) -> None:
        self.getHandle = lambda: View(connected)


class View:
    """What such a transport lets others see of its socket."""

    def __init__(self, connected: socket.socket) -> None:
        self.family, self.type, self.proto = connected.family, connected.type, connected.proto
        self.fileno = connected.fileno


def test_a_transport_of_twisteds(here: socket.socket) -> None:
    """Its socket may be read and sent on by others, while there is no TLS and it is connected."""
    transport = over(here)
    assert is_bare(transport)
    assert bare_socket(transport) is plain_socket(transport) is here
    transport.TLS = True
    assert not is_bare(transport)
    assert plain_socket(transport) is None
    transport.TLS, transport.connected = False, 0
    assert not is_bare(transport)
    assert plain_socket(transport) is None


def test_a_transport_that_gathers_what_is_written(here: socket.socket) -> None:
    """It is bare, but to send past it would gain nothing."""
    transport = Gathers(here)
    assert is_bare(transport)
    assert plain_socket(transport) is None


def test_wrappers(here: socket.socket) -> None:
    """What stands between a transport and its user is not bare, whatever it passes on of the transport."""
    wrapper: Any = ProtocolWrapper(WrappingFactory(Factory()), Protocol())
    wrapper.makeConnection(over(here))
    assert wrapper.connected
    assert not is_bare(wrapper)
    assert not is_bare(StringTransport())


def test_a_borrowed_socket_stays_open(here: socket.socket) -> None:
    """Neither an end nor the last reference closes what is somebody else's."""
    for _ in range(2):
        borrowed = bare_socket(Gathers(here))
        assert isinstance(borrowed, BorrowedSocket)
        assert borrowed.fileno() == here.fileno()
        borrowed.close()
        assert borrowed.fileno() == -1
        borrowed = bare_socket(Gathers(here))
        del borrowed
    assert here.send(b"x") == 1
