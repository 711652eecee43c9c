"""Both ends of a connection in memory behave as a TCP connection of Twisted's does."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost

from tests.protocols_for_tests import HalfCloseableRecorder, Recorder, RecorderFactory, fail
from upgradegw.testing import Reactor
from upgradegw.testing.ends import CAPACITY, pair, start

HERE, THERE = IPv4Address("TCP", "192.0.2.7", 40001), IPv4Address("TCP", "192.0.2.1", 80)


class Pair:
    """Two recorders that are connected."""

    def __init__(self, *, half_close: bool = False, segment: int = CAPACITY, **behaviour: Any) -> None:
        self.reactor = Reactor()
        self.client_end, self.server_end = pair(self.reactor, HERE, THERE, segment)
        factory = RecorderFactory(half_close=half_close, **behaviour)
        self.client = HalfCloseableRecorder(RecorderFactory())
        self.server: Recorder = factory.buildProtocol(HERE)
        start(self.client_end, self.client)
        start(self.server_end, self.server)

    def turn(self) -> Pair:
        self.reactor.turn()
        return self


def test_bytes_go_both_ways() -> None:
    """In order, and each end knows both addresses."""
    both = Pair()
    both.client_end.write(b"one, ")
    both.client_end.writeSequence([b"two", b"!"])
    both.server_end.write(b"heard")
    both.turn()
    assert (both.server.data, both.client.data) == (b"one, two!", b"heard")
    assert (both.client_end.getHost(), both.client_end.getPeer()) == (HERE, THERE)
    assert (both.server_end.getHost(), both.server_end.getPeer()) == (THERE, HERE)


@pytest.mark.parametrize("segment", [1, 3, 65536])
def test_segments(segment: int) -> None:
    """The server is given no more at a time than the test wants."""
    both = Pair(segment=segment)
    both.client_end.write(b"tea for two")
    both.turn()
    assert both.server.data == b"tea for two"
    assert both.server.events.count("data") == -(-11 // segment)


def test_a_reader_that_stops() -> None:
    """Beyond what is on its way a writer must keep its bytes; all arrive when the reader goes on."""
    both = Pair()
    both.client_end.pauseProducing()
    both.server_end.write(b"x" * 300_000)
    both.turn()
    assert (both.client.data, len(both.server_end.dataBuffer) - both.server_end.offset) == (b"", 300_000 - CAPACITY)
    both.client_end.resumeProducing()
    both.turn()
    assert len(both.client.data) == 300_000


def test_closing() -> None:
    """The other end is told behind what was written; whoever knows no half-closed connections closes, too."""
    both = Pair()
    both.client_end.write(b"bye")
    both.client_end.loseConnection()
    both.turn()
    assert (both.server.data, both.server.events[-1], both.client.events[-1]) == (b"bye", "lost", "lost")
    assert both.server.lost is not None
    assert both.server.lost.check(ConnectionDone)


def test_half_closing() -> None:
    """One side ends behind what was written; the other goes on until it ends, too."""
    both = Pair(half_close=True)
    both.client_end.write(b"x" * 100_000)
    both.client_end.loseWriteConnection()
    both.turn()
    assert (len(both.server.data), both.server.events[-1]) == (100_000, "read lost")
    assert both.client.events[-1] == "write lost"
    both.client_end.write(b"too late")
    both.server_end.write(b"still here")
    both.server_end.loseConnection()
    both.turn()
    assert (len(both.server.data), both.client.data) == (100_000, b"still here")
    assert both.client.events[-1] == "read lost"
    both.client_end.loseConnection()
    both.turn()
    assert both.client.events[-1] == "lost"


def test_half_closing_waits_for_a_producer() -> None:
    """A side that still has a producer has not ended."""

    class Pull:
        left = 3

        def resumeProducing(self) -> None:
            self.left -= 1
            both.client_end.write(b"x")
            if not self.left:
                both.client_end.unregisterProducer()

        def stopProducing(self) -> None:
            raise AssertionError

    both = Pair(half_close=True)
    both.client_end.registerProducer(Pull(), False)
    both.client_end.loseWriteConnection()
    both.turn()
    assert (both.server.data, both.server.events[-1]) == (b"xxx", "read lost")


def test_breaking_off() -> None:
    """Nothing that is on its way arrives any more."""
    both = Pair()
    both.client_end.write(b"never heard")
    both.client_end.abortConnection()
    both.turn()
    assert both.server.data == b""
    assert both.server.lost is not None
    assert both.client.lost is not None
    assert both.server.lost.check(ConnectionLost)
    assert both.client.lost.check(ConnectionAborted)
    both.client_end.abortConnection()
    both.turn()
    assert both.client.events.count("lost") == 1


def test_writing_to_nobody() -> None:
    """Who writes to an end that is gone is told so."""
    both = Pair(half_close=True)
    both.client_end.loseConnection()
    both.turn()
    both.server_end.write(b"hello?")
    both.turn()
    assert both.server.lost is not None
    assert both.server.lost.check(ConnectionLost)


@pytest.mark.parametrize("step", ["data", "read_lost"])
def test_a_server_that_fails(step: str, faults: list[Any]) -> None:
    """What a protocol raises is logged and costs its connection, as in a reactor."""
    both = Pair(half_close=True, **{step: fail})
    both.client_end.write(b"tea")
    both.client_end.loseWriteConnection()
    both.turn()
    assert both.server.events[-1] == "lost"
    assert str(faults.pop().value) == "the application failed"


@pytest.mark.parametrize("step", ["data", "read_lost"])
def test_a_client_that_fails(step: str) -> None:
    """What the client's own protocol raises goes to the test."""
    both = Pair()
    both.client.factory.behaviour[step] = fail
    both.server_end.write(b"tea")
    both.server_end.loseConnection()
    with pytest.raises(RuntimeError, match="the application failed"):
        both.turn()


def test_options_of_a_socket() -> None:
    """They are there to be set."""
    end = Pair().client_end
    end.setTcpNoDelay(True)
    end.setTcpKeepAlive(True)
    assert (end.getTcpNoDelay(), end.getTcpKeepAlive()) == (True, False)
