"""Which connection a request gets, and which idle ones are kept."""

from __future__ import annotations

from socket import socket, socketpair
from typing import Any

import pytest
from twisted.internet.tcp import Connection

from tests.proxy.upstream_in_memory import OK, Line, World, gone


def idle(world: World, count: int) -> list[Line]:
    """So many connections, idle in this order."""
    opened = [world.open() for _ in range(count)]
    for _, line in opened:
        line.say(OK)
        line.heard()
    return [line for _, line in opened]


def test_the_last_is_the_first() -> None:
    """What is used seldom grows old and goes, instead of being kept warm for nothing."""
    world = World()
    lines = idle(world, 3)
    answers = [world.ask() for _ in range(3)]
    assert [line.heard()[:3] for line in lines] == [b"GET"] * 3
    lines[2].say(OK)
    assert [answer.events for answer in answers] == [["head", "data", "end"], [], []]


def test_of_too_many_the_oldest_goes() -> None:
    """``max_idle`` are kept, and not one more."""
    world = World(max_idle=2)
    lines = idle(world, 2)
    assert [line.disconnecting for line in lines] == [False, False]
    world = World(max_idle=2)
    lines = idle(world, 3)
    assert [line.disconnecting for line in lines] == [True, False, False]


def test_none_are_kept() -> None:
    """Without idle connections the upstream is told that each is used once."""
    world = World(max_idle=0)
    answer, line = world.open()
    assert line.heard() == b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
    line.say(OK)
    assert answer.events == ["head", "data", "end"]
    assert line.disconnecting


def test_one_that_is_too_old_is_not_taken() -> None:
    """The wheel looks once a second; a request does not take what is due."""
    world = World(idle_timeout=1.5)
    old = idle(world, 2)
    world.reactor.advance(1.0)
    world.ask()
    world.reactor.advance(0.6)
    world.ask()
    assert [line.disconnecting for line in old] == [True, False]
    assert world.waiting == 1


def test_one_that_has_gone_is_not_taken() -> None:
    """Whichever it is."""
    world = World()
    lines = idle(world, 3)
    gone(lines[1])
    for _ in range(3):
        world.ask()
    assert world.waiting == 1


class _Lent:
    """A socket as a reactor gives it that keeps it for itself."""

    def __init__(self, lent: socket) -> None:
        self.family, self.type, self.proto, self.fileno = lent.family, lent.type, lent.proto, lent.fileno


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("late", [b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b""])
def test_what_has_arrived_unheard(late: bytes, own: bool) -> None:
    """A-39: a request does not take a connection that has been closed, or has brought bytes, since the last turn."""
    here, there = socketpair()
    here.setblocking(False)
    world = World()

    class Told(Connection):
        """A connection of which the reactor has told nothing yet."""

        connected = True
        TLS = False

        def getHandle(self) -> Any:
            return here if own else _Lent(here)

    (line,) = idle(world, 1)
    connection: Any = line.protocol
    with here, there:
        connection.transport = Told(here, connection, world.reactor)
        assert connection.is_quiet()
        if late:
            there.send(late)
        else:
            there.close()
        assert not connection.is_quiet()
        connection.transport = line
        connection.is_quiet = lambda: False
        world.ask()
    assert (line.disconnecting, world.waiting) == (True, 1)


def test_upstreams_keep_apart() -> None:
    """A connection is used for the upstream that it leads to."""
    world, other = World(), World()
    idle(world, 1)
    other.ask()
    assert other.waiting == 1
