"""Connections that are read from in one turn, and what one does to another meanwhile."""

from __future__ import annotations

import contextlib
import gc
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from twisted.logger import globalLogPublisher

from tests.reactor.running import Serving, converse
from tests.reactor.talking import Echo, connect, say, until
from upgradegw.reactor import UvReactor
from upgradegw.reactor.reading import library

pytestmark = pytest.mark.skipif(library() is None, reason="nothing is compiled")


@contextlib.contextmanager
def logged() -> Iterator[list[Any]]:
    """Collect what is logged as failures."""
    failures: list[Any] = []

    def observe(event: Any) -> None:
        if "log_failure" in event:
            failures.append(event["log_failure"].value)

    globalLogPublisher.addObserver(observe)
    yield failures
    globalLogPublisher.removeObserver(observe)


class Together:
    """Two clients whose messages are read in one turn."""

    def __init__(
        self,
        reactor: UvReactor,
        server: Serving,
        messages: tuple[bytes, bytes],
        behind: Callable[[], Any] = lambda: None,
    ) -> None:
        def scenario(port: int) -> tuple[bytes, bytes]:
            clients = connect(port), connect(port)
            for client in clients:
                say(client, b"hello")
            reactor.callFromThread(time.sleep, 0.1)  # both come while the reactor is busy
            time.sleep(0.02)
            for client, message in zip(clients, messages, strict=True):
                client.sendall(message)
                time.sleep(0.01)
            time.sleep(0.3)
            found = []
            for client in clients:
                client.setblocking(False)
                try:
                    found.append(client.recv(100))
                except BlockingIOError:
                    found.append(b"nothing")
                except ConnectionResetError:
                    found.append(b"reset")
            behind()
            return found[0], found[1]

        self.found = converse(reactor, server, scenario)


def _meeting(do: Callable[[Any, Any], Any]) -> Serving:
    """A server whose first protocol does something with the second when it is told to."""

    def answer(echo: Any, data: bytes) -> None:
        if data == b"do":
            do(server.made[0].transport, server.made[1].transport)
        echo.transport.write(data)

    server = Serving(lambda: Echo(answer))
    return server


def test_who_is_paused_meanwhile(reactor: UvReactor) -> None:
    """What was read already is kept, and delivered when it goes on, before what comes then."""
    server = _meeting(lambda _, other: other.pauseProducing())

    def go_on() -> None:
        other = server.made[1]
        assert other.events == [b"hello"]
        reactor.callFromThread(other.transport.resumeProducing)
        until(lambda: len(other.events) > 1)

    assert Together(reactor, server, (b"do", b"kept"), go_on).found == (b"do", b"nothing")
    assert server.made[1].events[:2] == [b"hello", b"kept"]


def test_who_is_paused_and_goes_on_meanwhile(reactor: UvReactor) -> None:
    """Nothing is lost, and nothing comes twice."""

    def both(_first: Any, other: Any) -> None:
        other.pauseProducing()
        other.resumeProducing()

    server = _meeting(both)
    assert Together(reactor, server, (b"do", b"and")).found == (b"do", b"and")
    assert server.made[1].events[:2] == [b"hello", b"and"]


@pytest.mark.parametrize("how", ["loseConnection", "abortConnection"])
def test_who_is_closed_meanwhile(reactor: UvReactor, how: str) -> None:
    """Gets nothing more."""
    server = _meeting(lambda _, other: getattr(other, how)())
    assert Together(reactor, server, (b"do", b"gone")).found == (b"do", b"" if how == "loseConnection" else b"reset")
    assert server.made[1].events[:1] == [b"hello"]
    assert b"gone" not in server.made[1].events


def test_who_is_written_to_meanwhile(reactor: UvReactor) -> None:
    """In order: what was written by another before its own answer comes first."""

    def greet(_first: Any, other: Any) -> None:
        other.write_at_once(b"first ")
        other.write_at_once(b"second ")
        other.write(b"third ")
        assert other.unsent == len(b"first second third ")

    server = _meeting(greet)
    assert Together(reactor, server, (b"do", b"answer")).found == (b"do", b"first second third answer")


def test_one_fault_is_one_connections(reactor: UvReactor) -> None:
    """What an application raises ends its own connection, and is logged once."""

    def fail(_first: Any, _other: Any) -> None:
        raise ValueError("mine")

    with logged() as failures:
        assert Together(reactor, _meeting(fail), (b"do", b"right")).found == (b"", b"right")
    assert [str(failure) for failure in failures] == ["mine"]


def test_a_turn_within_a_turn(reactor: UvReactor) -> None:
    """An application that turns the reactor while it is given something finds what was read undisturbed."""

    def turn(_first: Any, _other: Any) -> None:
        reading: Any = reactor.streams.turn
        reading._go()

    assert Together(reactor, _meeting(turn), (b"do", b"undisturbed")).found == (b"do", b"undisturbed")


def test_what_is_read_and_not_delivered_is_known(reactor: UvReactor) -> None:
    """A-38: who would use an idle connection can tell that something has come on it already."""
    seen: list[bool] = []

    def look(first: Any, other: Any) -> None:
        seen.extend(each.has_undelivered for each in (first, other))

    server = _meeting(look)
    assert Together(reactor, server, (b"do", b"do")).found == (b"do", b"do")
    assert seen == [False, True, False, False]


@pytest.mark.parametrize("write", ["write", "write_at_once"])
def test_what_is_no_bytes_is_one_connections_fault(reactor: UvReactor, write: str) -> None:
    """A-45: it ends who wrote it; what others have answered in the turn is sent, and so is what is written later."""
    server = _meeting(lambda first, _: getattr(first, write)("text"))

    def later() -> None:
        reactor.callFromThread(server.made[1].transport.write, b"later")

    with logged() as failures:
        together = Together(reactor, server, (b"do", b"right"), later)
    assert together.found == (b"", b"right")
    assert [type(failure) for failure in failures] == [TypeError]


def test_a_factory_that_fails_at_the_end_of_another(reactor: UvReactor) -> None:
    """What stands behind it in the turn is delivered."""

    def fail(first: Any, _other: Any) -> None:
        def closed(*_: Any) -> None:
            raise ValueError("the factory")

        first._owner = Mock(closed=closed)
        raise ValueError("the protocol")

    with logged() as failures:
        assert Together(reactor, _meeting(fail), (b"do", b"right")).found == (b"", b"right")
    assert [str(failure) for failure in failures] == ["the protocol", "the factory"]


def test_who_has_gone_is_not_kept(reactor: UvReactor) -> None:
    """A protocol in whose place another stands is nobody's, before anything else comes."""
    gone: list[Any] = []

    def replace(_first: Any, other: Any) -> None:
        gone.append(weakref.ref(other.protocol))
        new = Echo()
        new.transport = other
        other.protocol = new
        server.made[1] = new

    server = _meeting(replace)

    def look() -> None:
        gc.collect()
        gone.append(gone[0]())

    Together(reactor, server, (b"do", b"x"), look)
    assert gone[1] is None
