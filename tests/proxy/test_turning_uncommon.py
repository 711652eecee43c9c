"""What is not common is left to who knows what to do. Each test is one of turns in Python and in C."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

import pytest
from twisted.logger import globalLogPublisher

from tests.proxy.turns import Noting, Sockets, go, reset, wait_for
from upgradegw.proxy.frames import Frames
from upgradegw.proxy.turning import Turn


def test_the_end_right_behind_the_last_bytes(turn: Turn, sockets: Sockets) -> None:
    """Both may be one event, and there will be no other: the transport is to read both."""
    source = Noting()
    turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    sockets.client.sendall(b"last")
    sockets.client.shutdown(socket.SHUT_WR)
    time.sleep(0.05)
    go(turn)
    assert source.events == ["handed back"]
    assert sockets.inner_client.recv(10) == b"last"


def test_what_is_not_taken(turn: Turn, sockets: Sockets) -> None:
    """A piece of which nothing is taken is left to the source, and so is the rest of one that is taken in part."""
    filled, source = sockets.fill(), Noting()
    place = turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    sockets.client.sendall(b"hello")
    go(turn)
    assert source.events == [b"hello"]
    source.then = lambda: turn.forget(place)  # as sources do
    found = 0
    while found < filled:
        found += len(sockets.upstream.recv(1 << 20))
    whole, at = bytes(range(256)) * 32768, 0
    sockets.client.setblocking(False)
    while len(source.events) == 1 and at < len(whole):
        with contextlib.suppress(BlockingIOError):
            at += sockets.client.send(whole[at:])
        go(turn)
    assert len(source.events) == 2
    left = source.events[1]
    sockets.inner_upstream.close()
    received = b"".join(iter(lambda: sockets.upstream.recv(1 << 20), b""))
    assert 0 < len(left) < len(received)
    assert whole.startswith(received + left)


def test_what_a_broken_socket_does_not_take(turn: Turn, sockets: Sockets) -> None:
    """It is the other end's transport that meets the error, and knows what to do."""
    source = Noting()
    turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    reset(sockets.upstream)
    wait_for(sockets.inner_upstream)
    for message in (b"hello", b"again"):
        sockets.client.sendall(message)
        go(turn)
    assert source.events == [b"hello", b"again"]


def test_what_a_broken_socket_does_not_take_of_frames(turn: Turn, sockets: Sockets) -> None:
    """Also a Close, and a head that is cut in two."""
    source, frames = Noting(), Frames()
    turn.put(sockets.inner_client, sockets.inner_upstream, frames, source)
    reset(sockets.upstream)
    wait_for(sockets.inner_upstream)
    for message in (b"\x82", b"\x00\x88\x00"):
        sockets.client.sendall(message)
        go(turn)
    assert (source.events, frames.close_code) == ([b"\x82", b"\x00\x88\x00"], 1005)


def test_the_end_is_the_transports_to_read(turn: Turn, sockets: Sockets) -> None:
    """At the end of a side the source is told; whoever reads then still finds it."""
    source = Noting()
    turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    sockets.client.shutdown(socket.SHUT_WR)
    go(turn)
    assert source.events == ["handed back"]
    assert sockets.inner_client.recv(1) == b""


def test_a_reset_is_the_transports_to_read(turn: Turn, sockets: Sockets) -> None:
    """A-32: an error is not taken away from the transport, which would then see an orderly end."""
    source = Noting()
    turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    reset(sockets.client)
    go(turn)
    assert source.events == ["handed back"]
    with pytest.raises(ConnectionResetError):
        sockets.inner_client.recv(1)


@pytest.mark.parametrize(("what", "events"), [("drain", []), ("reset", ["aborted"]), ("end", ["handed back"])])
def test_what_comes_between_the_event_and_the_reading(
    turn: Turn, sockets: Sockets, what: str, events: list[str]
) -> None:
    """A reset that the reading itself meets is passed on as one; nothing to read after all is no error."""
    other = Sockets()
    sockets.fill()

    def change() -> None:
        other.inner_client.recv(100)
        if what == "reset":
            reset(other.client)
        elif what == "end":
            other.client.shutdown(socket.SHUT_WR)

    first, second = Noting(then=change), Noting(then=lambda: turn.forget(place))
    turn.put(sockets.inner_client, sockets.inner_upstream, None, first)
    place = turn.put(other.inner_client, other.inner_upstream, None, second)
    sockets.client.sendall(b"a")
    wait_for(sockets.inner_client)
    other.client.sendall(b"b")
    wait_for(other.inner_client)
    go(turn)
    assert (first.events, second.events) == ([b"a"], events)
    other.close()


@pytest.mark.parametrize("what", ["left", "handed back"])
def test_one_fault_is_one_connections(what: str, turn: Turn, sockets: Sockets) -> None:
    """A source that fails at what it is told is broken off, and the others are read from."""
    logged: list[Any] = []
    observer: Any = logged.append

    def fail() -> None:
        raise RuntimeError(what)

    sockets.fill()
    other = Sockets()
    globalLogPublisher.addObserver(observer)
    try:
        wrong, right = Noting(then=fail), Noting()
        turn.put(sockets.inner_client, sockets.inner_upstream, None, wrong)
        turn.put(other.inner_client, other.inner_upstream, None, right)
        if what == "left":
            sockets.client.sendall(b"a")
        else:
            sockets.client.shutdown(socket.SHUT_WR)
        other.client.sendall(b"b")
        wait_for(sockets.inner_client, other.inner_client)
        go(turn)
    finally:
        globalLogPublisher.removeObserver(observer)
    assert wrong.events == [b"a" if what == "left" else what, "aborted"]
    assert (right.events, other.upstream.recv(10)) == ([], b"b")
    assert [event["log_failure"].value.args for event in logged if "log_failure" in event] == [(what,)]
    other.close()


def test_who_is_forgotten_is_not_read_from(turn: Turn, sockets: Sockets) -> None:
    """Also within the same turn, and whoever is read from instead gets nothing of it."""
    other, third = Sockets(), Sockets()
    sockets.fill()
    second, later = Noting(), Noting()
    places: list[int] = []

    def replace() -> None:
        turn.forget(places[0])
        places[0] = turn.put(third.inner_client, third.inner_upstream, None, later)

    turn.put(sockets.inner_client, sockets.inner_upstream, None, Noting(then=replace))
    places.append(turn.put(other.inner_client, other.inner_upstream, None, second))
    sockets.client.sendall(b"a")
    wait_for(sockets.inner_client)
    other.client.shutdown(socket.SHUT_WR)
    wait_for(other.inner_client)
    go(turn)
    assert (second.events, later.events, turn.passed(places[0])) == ([], [], 0)
    third.client.sendall(b"third")
    go(turn)
    assert third.upstream.recv(10) == b"third"
    other.close()
    third.close()


def test_a_closed_socket_can_be_forgotten(turn: Turn, sockets: Sockets) -> None:
    """It has left by itself."""
    place = turn.put(sockets.inner_client, sockets.inner_upstream, None, Noting())
    sockets.inner_client.close()
    assert turn.forget(place) == 0


def test_many(turn: Turn) -> None:
    """More than were expected, in places that others had before."""
    made = [Sockets() for _ in range(40)]
    for _ in range(2):
        places = [turn.put(each.inner_client, each.inner_upstream, None, Noting()) for each in made]
        for number, each in enumerate(made):
            each.client.sendall(b"%d" % number)
        wait_for(*(each.inner_client for each in made))
        go(turn)
        assert [each.upstream.recv(10) for each in made] == [b"%d" % number for number in range(40)]
        for place in places:
            turn.forget(place)
    for each in made:
        each.close()


def test_what_cannot_be_watched(turn: Turn, sockets: Sockets) -> None:
    """The same socket twice, or one that is closed: that is an OSError."""
    place = turn.put(sockets.inner_client, sockets.inner_upstream, None, Noting())
    sockets.upstream.close()
    for wrong in (sockets.inner_client, sockets.upstream):
        with pytest.raises(OSError):  # noqa: PT011 - which one is the system's
            turn.put(wrong, sockets.inner_upstream, None, Noting())
    assert turn.forget(place) == 0
