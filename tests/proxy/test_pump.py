"""A pump is the reactor's reader while somebody uses it, and has nothing open otherwise."""

from __future__ import annotations

import select

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from tests.proxy.turns import Noting, Sockets
from upgradegw.proxy import compiled
from upgradegw.proxy.compiled import CompiledTurn
from upgradegw.proxy.pump import MOST, MOST_WAITING, SHORT, Pump, pump_for
from upgradegw.proxy.turning import PlainTurn


def test_the_reactor_knows_of_it_while_it_is_used() -> None:
    """A pump that nobody uses is not the reactor's, and a turn later has no descriptor, which the reactor asks for."""
    reactor = MemoryReactorClock()
    pump, sources = Pump(reactor, PlainTurn), (Noting(), Noting())
    for _ in range(2):
        assert pump.fileno() == -1
        for source in sources:
            pump.join(source)
            assert reactor.getReaders() == [pump]
        pump.leave(sources[0])
        assert reactor.getReaders() == [pump]
        pump.leave(sources[1])
        assert reactor.getReaders() == []
        assert pump.fileno() >= 0
        reactor.advance(0)
    with pytest.raises(RuntimeError, match="nobody has joined"):
        _ = pump.turn


def test_a_descriptor_for_the_next(sockets: Sockets) -> None:
    """Who comes in the turn in which the last one has left finds everything in its place."""
    reactor = MemoryReactorClock()
    pump, source = Pump(reactor, PlainTurn), Noting()
    pump.join(source)
    pump.leave(source)
    pump.join(source)
    reactor.advance(0)
    place = pump.turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    sockets.client.sendall(b"one")
    assert select.select([pump.fileno()], [], [], 10)[0]
    pump.doRead()
    assert pump.turn.passed(place) == 3


def test_slow_receivers_make_reads_short() -> None:
    """While much waits for receivers, no read brings more than a transport's would."""
    seen: list[int] = []

    class Seeing(PlainTurn):
        def go(self, most: int) -> None:
            seen.append(most)

    pump = Pump(MemoryReactorClock(), Seeing)
    pump.join(Noting())
    pump.doRead()
    pump.waiting = MOST_WAITING
    pump.doRead()
    assert seen == [MOST, SHORT]


def test_its_name() -> None:
    """What stands in the log's lines."""
    assert Pump(MemoryReactorClock(), PlainTurn).logPrefix() == "tunnels"


def test_the_reactor_stops(sockets: Sockets) -> None:
    """All are told, as a transport that reads would be, whether they are read from just now or not."""
    pump, reason = Pump(MemoryReactorClock(), PlainTurn), Failure(ConnectionDone())
    pump.connectionLost(reason)
    sources = Noting(), Noting()
    for source in sources:
        pump.join(source)
    pump.turn.put(sockets.inner_client, sockets.inner_upstream, None, sources[0])
    pump.connectionLost(reason)
    assert [source.events for source in sources] == [[reason], [reason]]


@pytest.mark.parametrize("there", [True, False])
def test_which_turn_it_is(there: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one in C where it was compiled, else the one in Python."""
    monkeypatch.setattr(compiled, "library", lambda: object() if there else None)
    pump = pump_for(MemoryReactorClock())
    assert pump is not None
    assert pump._make is (CompiledTurn if there else PlainTurn)


def test_where_there_is_no_pump(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reactor that waits for no descriptors has none, nor has a system without epoll."""
    assert pump_for(Clock()) is None
    monkeypatch.delattr(select, "epoll")
    assert pump_for(MemoryReactorClock()) is None
