"""Bytes from socket to socket: all of them, in order.

Each test is one of turns in Python and in C.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from threading import Thread

from tests.proxy.turns import Noting, Sockets, go, reset, wait_for
from upgradegw.proxy.frames import Frames
from upgradegw.proxy.turning import EVENTS, Turn

SHORT = 64 * 1024


def test_what_arrives_is_sent(turn: Turn, sockets: Sockets) -> None:
    """Every byte goes on, and is counted."""
    source = Noting()
    place = turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    for message in (b"one", b"two"):
        sockets.client.sendall(message)
        go(turn)
        assert sockets.upstream.recv(100) == message
    assert (turn.passed(place), source.events) == (6, [])
    assert turn.forget(place) == 6


def test_frames_are_followed(turn: Turn, sockets: Sockets) -> None:
    """Who followed frames before knows behind it where the present one ends, and whether a Close has passed."""
    frames = Frames()
    frames.feed(b"\x82\x05he")
    place = turn.put(sockets.inner_client, sockets.inner_upstream, frames, Noting())
    for message in (b"llo\x82\x03abc", b"\x82\x7e\x01", b"\x00" + bytes(256), b"\x82\x05a"):
        sockets.client.sendall(message)
        go(turn)
        assert sockets.upstream.recv(1000) == message
    turn.forget(place)
    assert (frames.missing, frames.close_code) == (4, None)
    turn.put(sockets.inner_client, sockets.inner_upstream, frames, Noting())
    sockets.client.sendall(b"bcde\x88\x02\x03\xe9")
    go(turn)
    assert (frames.at_boundary, frames.close_code) == (True, 1001)


def test_more_than_one_read(turn: Turn, sockets: Sockets) -> None:
    """What has arrived with a full read, and behind it nothing more, is read all the same."""
    source = Noting()
    place = turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    size = SHORT + 5
    sockets.client.sendall(bytes(size))
    while select.select([sockets.inner_client], [], [], 0.2)[0] and turn.passed(place) < size:
        go(turn, SHORT)
    assert (turn.passed(place), source.events) == (size, [])


def test_reads_are_as_short_as_is_wanted(turn: Turn, sockets: Sockets) -> None:
    """No read brings more."""
    source = Noting()
    reset(sockets.upstream)
    wait_for(sockets.inner_upstream)
    turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    sockets.client.sendall(bytes(SHORT + 10))
    time.sleep(0.05)
    while sum(map(len, source.events)) < SHORT + 10:
        go(turn, SHORT)
    assert [len(event) for event in source.events] == [SHORT, 10]


def test_a_turn_ends(turn: Turn, sockets: Sockets) -> None:
    """Others of the reactor come in between, however much arrives meanwhile."""
    sockets.fill()
    source = Noting(then=lambda: sockets.client.sendall(b"x"))
    turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    source.then()
    go(turn)
    assert 1 <= len(source.events) <= EVENTS
    go(turn)


def test_a_turn_with_much_ends(turn: Turn, sockets: Sockets) -> None:
    """However fast a sender and a receiver are: others wait for less than a MiB."""
    sockets.client.setblocking(False)
    sockets.upstream.setblocking(False)
    place = turn.put(sockets.inner_client, sockets.inner_upstream, None, Noting())
    done: list[bool] = []

    def keep_pace() -> None:
        while not done:
            with contextlib.suppress(BlockingIOError):
                sockets.client.send(bytes(1 << 20))
            with contextlib.suppress(BlockingIOError):
                sockets.upstream.recv(1 << 20)

    pace = Thread(target=keep_pace)
    pace.start()
    for _ in range(20):
        before = turn.passed(place)
        go(turn)
        if turn.passed(place) - before > 1 << 20:
            break
    done.append(True)
    pace.join()
    assert turn.passed(place) - before <= 1 << 20


def test_urgent_data_is_the_transports_to_read(turn: Turn, sockets: Sockets) -> None:
    """A read stops there, as if there were no more."""
    source = Noting()
    turn.put(sockets.inner_client, sockets.inner_upstream, None, source)
    sockets.client.sendall(b"ab")
    sockets.client.send(b"!", socket.MSG_OOB)
    sockets.client.sendall(b"cd")
    time.sleep(0.05)
    go(turn)
    assert source.events == ["handed back"]
    assert sockets.inner_client.recv(10) == b"ab"
    assert sockets.inner_client.recv(10) == b"cd"


def test_descriptors_on_unix_sockets(turn: Turn) -> None:
    """What stands behind them is read all the same; they are closed."""
    outer, inner = socket.socketpair()
    outlet, taken = socket.socketpair()
    for each in (inner, outlet):
        each.setblocking(False)
    turn.put(inner, outlet, None, Noting())
    socket.send_fds(outer, [b"first"], [0])
    outer.sendall(b"second")
    received = b""
    taken.settimeout(10)
    while received != b"firstsecond":
        go(turn)
        received += taken.recv(20)
    for each in (outer, inner, outlet, taken):
        each.close()
