"""Connections that are read from in turns: everything is as where uvloop reads."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import time
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost

from tests.reactor.protocols import HalfCloseable
from tests.reactor.running import Serving, converse
from tests.reactor.talking import CLIENTS, RESET, Echo, connect, read, say, until
from upgradegw.reactor import UvReactor
from upgradegw.reactor.reading import library

pytestmark = pytest.mark.skipif(library() is None, reason="nothing is compiled")


def test_it_begins_with_those_who_go_on_talking(reactor: UvReactor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind three reads, not before."""
    monkeypatch.undo()
    keys: list[int] = []
    server = Serving(lambda: Echo(lambda echo, data: (keys.append(echo.transport.key), echo.transport.write(data))))
    converse(reactor, server, lambda port: say(connect(port), b"1", b"2", b"3", b"4", b"5"))
    assert [bool(key) for key in keys] == [False, False, False, True, True]


def test_much_to_and_fro(reactor: UvReactor) -> None:
    """All octets arrive in order, whatever the pieces, and also where the receiver is slow."""
    data = random.Random(1).randbytes(3 << 20)

    def scenario(port: int) -> bytes:
        client = connect(port)
        say(client, b"begin")
        client.setblocking(False)
        sent, found, sizes = 0, b"", random.Random(2)
        while len(found) < len(data):
            try:
                sent += client.send(data[sent : sent + sizes.choice((1, 100, 5000, 1 << 20))])
            except BlockingIOError:
                time.sleep(0.001)
            try:
                found += client.recv(sizes.choice((1, 1000, 1 << 18)))
            except BlockingIOError:
                time.sleep(0.001)
        return found

    assert converse(reactor, Serving(Echo), scenario) == data


@pytest.mark.parametrize("write", ["write", "write_at_once"])
@pytest.mark.parametrize("size", [3000, 5000])
def test_a_client_that_does_not_read(reactor: UvReactor, write: str, size: int) -> None:
    """What the system does not take waits, and nothing overtakes it."""
    server = Serving(lambda: Echo(lambda echo, data: getattr(echo.transport, write)(repeated(data))))

    def repeated(data: bytes) -> bytes:
        return b"".join(bytes((each,)) * size for each in data)

    def scenario(port: int) -> bytes:
        client = socket.socket()
        CLIENTS.append(client)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(10)
        client.connect(("127.0.0.1", port))
        expected = repeated(bytes(range(256)) * 8)
        for number in range(2048):
            client.sendall(bytes((number % 256,)))
            if number % 500 == 0:
                time.sleep(0.05)
        assert read(client, len(expected)) == expected
        return b"right"

    assert converse(reactor, server, scenario) == b"right"


def test_an_answer_that_is_not_taken_at_the_end_of_its_turn(reactor: UvReactor) -> None:
    """It waits, behind what had filled the socket, and so does what is answered then."""
    filled: list[int] = []

    def answer(echo: Any, data: bytes) -> None:
        if data == b"fill":
            with socket.socket(fileno=os.dup(echo.transport.descriptor)) as copy:
                copy.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    while True:
                        filled.append(copy.send(bytes(1 << 16)))
        echo.transport.write_at_once(data)

    def scenario(port: int) -> bytes:
        client = connect(port)
        say(client, b"hello")
        for message in (b"fill", b"one", b"two"):
            client.sendall(message)
            time.sleep(0.05)
        assert not read(client, sum(filled)).strip(b"\0")
        return read(client, 10)

    assert converse(reactor, Serving(lambda: Echo(answer)), scenario) == b"fillonetwo"


@pytest.mark.parametrize("kind", [Echo, HalfCloseable])
def test_the_end_of_what_the_client_sends(reactor: UvReactor, kind: Any) -> None:
    """With and without interest in half-closes."""
    server = Serving(kind)

    def scenario(port: int) -> bytes:
        client = connect(port)
        for message in (b"one", b"two"):
            client.sendall(message)
            time.sleep(0.02)
        client.shutdown(socket.SHUT_WR)
        if kind is HalfCloseable:
            until(lambda: "read lost" in server.made[0].events)
            reactor.callFromThread(server.made[0].transport.loseConnection)
        found = read(client, 100)
        until(lambda: server.made[0].reason is not None)
        return found

    assert converse(reactor, server, scenario) == (b"" if kind is HalfCloseable else b"onetwo")
    events = server.made[0].events
    assert events == ([b"one", b"two", "read lost", "lost"] if kind is HalfCloseable else [b"one", b"two", "lost"])
    assert server.made[0].reason.type is ConnectionDone


def test_a_reset(reactor: UvReactor) -> None:
    """Is Twisted's reason, behind what had come."""
    server = Serving(Echo)

    def scenario(port: int) -> None:
        client = connect(port)
        say(client, b"one", b"two")
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()
        until(lambda: server.made[0].reason is not None)

    converse(reactor, server, scenario)
    assert server.made[0].reason.type is ConnectionLost


@pytest.mark.parametrize("how", ["loseConnection", "abortConnection"])
def test_the_server_ends(reactor: UvReactor, how: str) -> None:
    """Behind what it wrote just before, or at once; in both cases nothing more is delivered."""

    def answer(echo: Any, data: bytes) -> None:
        echo.transport.write(data)
        if data == b"last":
            getattr(echo.transport, how)()

    server = Serving(lambda: Echo(answer))

    def scenario(port: int) -> bytes:
        client = connect(port)
        say(client, b"one", b"two")
        client.sendall(b"last")
        try:
            return read(client, 100)
        except ConnectionResetError:
            return b"reset"
        finally:
            until(lambda: server.made[0].reason is not None)

    assert converse(reactor, server, scenario) == (b"last" if how == "loseConnection" else b"reset")
    assert server.made[0].events == [b"one", b"two", b"last", "lost"]


def test_urgent_data(reactor: UvReactor) -> None:
    """A read stops there as if there were no more: then uvloop reads, and what is behind it comes."""
    server = Serving(Echo)

    def scenario(port: int) -> bytes:
        client = connect(port)
        say(client, b"one", b"two")
        client.sendall(b"ab")
        client.send(b"!", socket.MSG_OOB)
        client.sendall(b"cd")
        return read(client, 4)

    assert converse(reactor, server, scenario) == b"abcd"
