"""Where reading in turns ends: no descriptors, another's turn, what cannot be handed back, the reactor's end."""

from __future__ import annotations

import errno
import os
import resource
import socket
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from twisted.internet.threads import blockingCallFromThread
from twisted.logger import globalLogPublisher

from tests.reactor.running import Serving, converse
from tests.reactor.talking import Echo, connect, say, until
from upgradegw.reactor import UvReactor
from upgradegw.reactor.reading import library

pytestmark = pytest.mark.skipif(library() is None, reason="nothing is compiled")


def test_no_more_descriptors(reactor: UvReactor) -> None:
    """A-40: uvloop reads on."""
    server = Serving(Echo)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)

    def scenario(port: int) -> str:
        client = connect(port)
        until(lambda: bool(server.made))
        assert reactor.streams.turn is not None
        blockingCallFromThread(reactor, reactor.streams.end_turns)
        unused = os.dup(0)
        os.close(unused)
        resource.setrlimit(resource.RLIMIT_NOFILE, (unused, limits[1]))
        try:
            say(client, b"one", b"two", b"three")
            return "right" if reactor.streams.turn is None else "it had one"
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)

    assert converse(reactor, server, scenario) == "right"


def test_the_system_watches_no_more(reactor: UvReactor) -> None:
    """A connection that cannot be put stays with uvloop."""
    server = Serving(Echo)

    def scenario(port: int) -> None:
        first, second = connect(port), connect(port)
        say(first, b"one", b"two")
        reading: Any = reactor.streams.turn

        def refuse(*_: Any, **__: Any) -> int:
            raise OSError(errno.ENOSPC, "no more")

        reading.put = refuse
        say(second, b"one", b"two", b"three")
        assert [made.transport.descriptor >= 0 for made in server.made] == [True, False]

    converse(reactor, server, scenario)


def test_behind_the_end_of_the_reactor(reactor: UvReactor) -> None:
    """Nothing stays open."""
    descriptors: list[int] = []

    def scenario(port: int) -> None:
        say(connect(port), b"one", b"two")
        reading: Any = reactor.streams.turn
        descriptors.append(reading._reading.epoll)
        assert "eventpoll" in str(Path(f"/proc/self/fd/{descriptors[0]}").readlink())

    converse(reactor, Serving(Echo), scenario)
    assert reactor.streams.turn is None
    with pytest.raises(OSError):  # noqa: PT011 - that it is closed
        os.fstat(descriptors[0])


def test_a_turn_ends(reactor: UvReactor) -> None:
    """However fast a client sends, others wait for less than a MiB."""
    taken: list[int] = []

    def note(echo: Any, data: bytes) -> None:
        taken.append(len(data))

    def scenario(port: int) -> int:
        client = connect(port)
        client.sendall(b"begin")
        until(lambda: bool(taken))
        client.sendall(b"again")
        until(lambda: len(taken) > 1)
        most = [0]

        def look(before: int) -> None:
            most[0] = max(most[0], sum(taken) - before)
            if not done:
                reactor.callLater(0, look, sum(taken))

        done: list[bool] = []
        reactor.callFromThread(look, 0)
        for _ in range(100):
            client.sendall(bytes(1 << 20))
        done.append(True)
        until(lambda: sum(taken) == 10 + (100 << 20))
        return most[0]

    assert converse(reactor, Serving(lambda: Echo(note)), scenario) <= 1 << 20


def test_a_connection_that_cannot_be_handed_back(reactor: UvReactor) -> None:
    """It ends, and the others go on."""
    server = Serving(Echo)

    def scenario(port: int) -> None:
        first, second = connect(port), connect(port)
        for client in (first, second):
            say(client, b"one", b"two")
        transport = server.made[0].transport

        def refuse() -> None:
            raise RuntimeError("closed")

        transport._transport = Mock(wraps=transport._transport)
        transport._transport.resume_reading = refuse
        first.shutdown(socket.SHUT_WR)
        until(lambda: server.made[0].reason is not None)
        say(second, b"three")

    logged: list[Any] = []
    observer: Any = logged.append
    globalLogPublisher.addObserver(observer)
    try:
        converse(reactor, server, scenario)
    finally:
        globalLogPublisher.removeObserver(observer)
    assert [event["log_failure"].value.args for event in logged if "log_failure" in event] == [("closed",)]
