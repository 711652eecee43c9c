"""Connections that are read from in one turn, and what one does to another meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from tests.reactor.running import Serving, converse
from tests.reactor.talking import Echo, connect, say, until
from upgradegw.reactor import UvReactor
from upgradegw.reactor.reading import library

pytestmark = pytest.mark.skipif(library() is None, reason="nothing is compiled")


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
    logged: list[Any] = []
    observer: Any = logged.append

    def fail(_first: Any, _other: Any) -> None:
        raise ValueError("mine")

    globalLogPublisher.addObserver(observer)
    try:
        assert Together(reactor, _meeting(fail), (b"do", b"right")).found == (b"", b"right")
    finally:
        globalLogPublisher.removeObserver(observer)
    failures = [event["log_failure"].value for event in logged if "log_failure" in event]
    assert [str(failure) for failure in failures] == ["mine"]


def test_a_turn_within_a_turn(reactor: UvReactor) -> None:
    """An application that turns the reactor while it is given something finds what was read undisturbed."""

    def turn(_first: Any, _other: Any) -> None:
        reading: Any = reactor.streams.turn
        reading._go()

    assert Together(reactor, _meeting(turn), (b"do", b"undisturbed")).found == (b"do", b"undisturbed")
