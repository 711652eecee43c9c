"""The ends of a connection, and what can be asked of it."""

from __future__ import annotations

import gc
import struct
import weakref
from socket import SO_LINGER, SOL_SOCKET

import pytest
from twisted.internet.error import ConnectionAborted, ConnectionFdescWentAway
from twisted.python.failure import Failure

from tests.reactor.memory import Link
from tests.reactor.protocols import Remembering


class Speaking(Remembering):
    """Has a prefix for the log."""

    def logPrefix(self) -> str:
        return "Speaking on"


def test_aborting_sends_rst_and_nothing_else() -> None:
    """SO_LINGER of no seconds makes the system send RST; the protocol is told in a later turn."""
    protocol = Remembering()
    link = Link(protocol)
    link.connection.write(b"unsent")
    link.connection.abortConnection()
    link.connection.abortConnection()
    link.connection.write(b"too late")
    assert protocol.events == []
    link.loop.turns()
    assert link.transport.socket.options[SOL_SOCKET, SO_LINGER] == struct.pack("ii", 1, 0)
    assert (link.written, protocol.events) == ([], ["lost"])
    assert protocol.reason.type is ConnectionAborted


def test_closing_the_socket_gives_the_connection_up() -> None:
    """Without RST: somebody else may have it now."""
    protocol = Remembering()
    link = Link(protocol)
    link.connection.getHandle().close()
    link.loop.turns()
    assert link.transport.socket.options == {}
    assert protocol.reason.type is ConnectionFdescWentAway


def test_the_reactors_end_is_told() -> None:
    """With the reason that the reactor gives, once."""
    protocol = Remembering()
    link = Link(protocol)
    reason = Failure(Exception("the end"))
    link.connection.connectionLost(reason)
    link.connection.connectionLost(reason)
    link.loop.turns()
    assert (protocol.events, protocol.reason) == (["lost"], reason)


def test_an_exception_in_connection_lost_reaches_the_log_alone() -> None:
    """Who owns the connection still hears of its end."""
    protocol = Remembering()
    protocol.connectionLost = None  # type: ignore[method-assign,assignment]
    link = Link(protocol)
    link.connection.connection_lost(None)
    assert link.owner.reason is not None


def test_a_closed_connection_has_no_socket() -> None:
    """And its descriptor is none."""
    link = Link(Remembering())
    assert link.connection.fileno() == 99
    link.connection.connection_lost(None)
    assert link.connection.fileno() == -1
    assert link.connection.getPeer().host == "192.0.2.1"
    with pytest.raises(AttributeError):
        link.connection.socket  # noqa: B018 - reading it is the test
    with pytest.raises(AttributeError):
        link.connection.getHost()
    link.connection.pauseProducing()
    link.connection.resumeProducing()
    link.connection.abortConnection()


def test_the_log_says_who_speaks() -> None:
    """A server's lines with its number and its peer, a client's as such."""
    assert Link(Speaking()).connection.logPrefix() == "Speaking on,0,192.0.2.1"
    assert Link(Remembering(), is_client=True).connection.logstr == "Remembering,client"
    assert repr(Link(Remembering()).connection) == "<Remembering #0 on 80>"
    assert "to ('192.0.2.1', 4711)" in repr(Link(Remembering(), is_client=True).connection)
    link = Link(Remembering())
    link.connection.connection_lost(None)
    assert link.connection.logstr == "Uninitialized"
    assert "#0" in repr(link.connection)


def test_a_lost_connection_is_no_cycle() -> None:
    """It goes when the last of its users goes, without the collector."""
    link = Link(Remembering())
    gone = weakref.ref(link.connection)
    gc.disable()
    try:
        link.connection.connection_lost(None)
        link.transport.connection = None
        del link.owner.protocol.transport, link.connection
        assert gone() is None
    finally:
        gc.enable()
