"""Bytes from socket to socket: all of them, in order; and everything uncommon is left to who knows what to do."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import globalLogPublisher
from twisted.python.failure import Failure

from upgradegw.proxy.pump import MOST_WAITING, SHORT, Pump, pump_for


@dataclass
class Noting:
    """A source that notes what it is told."""

    received: int = 0
    events: list[Any] = field(default_factory=list)
    wrong: bool = False

    def left(self, data: bytes) -> None:
        self.events.append(data)
        if self.wrong:
            raise RuntimeError("left")

    def hand_back(self) -> None:
        self.events.append("handed back")

    def abort(self) -> None:
        self.events.append("aborted")

    def stop(self, reason: Failure) -> None:
        self.events.append(reason)


class Sockets:
    """What is joined by a pump: an outer socket each side, and the inner ones between."""

    def __init__(self) -> None:
        self.client, self.inner_client = self._pair()
        self.upstream, self.inner_upstream = self._pair()

    @staticmethod
    def _pair() -> tuple[socket.socket, socket.socket]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            outer = socket.create_connection(listener.getsockname(), 10)
            inner, _ = listener.accept()
        inner.setblocking(False)
        return outer, inner

    def close(self) -> None:
        for each in (self.client, self.inner_client, self.upstream, self.inner_upstream):
            each.close()


@pytest.fixture
def sockets() -> Iterator[Sockets]:
    made = Sockets()
    yield made
    made.close()


def _pump() -> Pump:
    pump = pump_for(MemoryReactorClock())
    assert pump is not None
    pump.join()
    return pump


def _turn(pump: Pump) -> None:
    """What the reactor does when the pump's descriptor is readable."""
    assert select.select([pump.fileno()], [], [], 10)[0]
    pump.doRead()


def test_what_arrives_is_sent(sockets: Sockets) -> None:
    """Every byte goes on, is counted, and is shown to who follows, before it is sent."""
    pump, source, seen = _pump(), Noting(), []
    pump.put(sockets.inner_client, sockets.inner_upstream.send, lambda data: seen.append(bytes(data)), source)
    for message in (b"one", b"two"):
        sockets.client.sendall(message)
        _turn(pump)
        assert sockets.upstream.recv(100) == message
    assert (source.received, seen, source.events) == (6, [b"one", b"two"], [])


def test_more_than_one_read(sockets: Sockets) -> None:
    """What has arrived with a full read, and behind it nothing more, is told once more."""
    pump, source, seen = _pump(), Noting(), []
    pump.put(sockets.inner_client, len, lambda data: seen.append(len(data)), source)
    pump.waiting = MOST_WAITING  # reads are short ones
    size = SHORT + 5
    sockets.client.sendall(bytes(size))
    while select.select([sockets.inner_client], [], [], 0.2)[0] and sum(seen) < size:
        _turn(pump)
    assert (sum(seen), source.events) == (size, [])


def test_the_end_right_behind_the_last_bytes(sockets: Sockets) -> None:
    """Both may be one event, and there will be no other: the transport is to read both."""
    pump, source = _pump(), Noting()
    pump.put(sockets.inner_client, sockets.inner_upstream.send, None, source)
    sockets.client.sendall(b"last")
    sockets.client.shutdown(socket.SHUT_WR)
    time.sleep(0.05)
    _turn(pump)
    assert source.events == ["handed back"]
    assert sockets.inner_client.recv(10) == b"last"


def test_what_is_not_taken(sockets: Sockets) -> None:
    """The rest of a piece is left to the source, and so is a piece of which nothing is taken."""
    pump, source = _pump(), Noting()
    taken: list[int | OSError] = [2, BlockingIOError(), ConnectionResetError()]

    def send(_data: memoryview) -> int:
        outcome = taken.pop(0)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    pump.put(sockets.inner_client, send, None, source)
    for _ in range(3):
        sockets.client.sendall(b"hello")
        _turn(pump)
    assert source.events == [b"llo", b"hello", b"hello"]


def test_the_end_is_the_transports_to_read(sockets: Sockets) -> None:
    """At the end of a side the source is told; whoever reads then still finds it."""
    pump, source = _pump(), Noting()
    pump.put(sockets.inner_client, sockets.inner_upstream.send, None, source)
    sockets.client.shutdown(socket.SHUT_WR)
    _turn(pump)
    assert source.events == ["handed back"]
    assert sockets.inner_client.recv(1) == b""


def test_a_reset_is_the_transports_to_read(sockets: Sockets) -> None:
    """A-32: an error is not taken away from the transport, which would then see an orderly end."""
    pump, source = _pump(), Noting()
    pump.put(sockets.inner_client, sockets.inner_upstream.send, None, source)
    sockets.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sockets.client.close()
    _turn(pump)
    assert source.events == ["handed back"]
    with pytest.raises(ConnectionResetError):
        sockets.inner_client.recv(1)


class _Erring:
    """A socket whose error comes between the event and the reading."""

    def __init__(self, real: socket.socket, error: OSError) -> None:
        self.fileno = real.fileno
        self._error = error

    def recv_into(self, _buffer: memoryview) -> int:
        raise self._error


@pytest.mark.parametrize(("error", "events"), [(BlockingIOError(), []), (ConnectionResetError(), ["aborted"])])
def test_an_error_in_between(sockets: Sockets, error: OSError, events: list[str]) -> None:
    """A reset that the reading itself meets is passed on as one; nothing to read after all is no error."""
    pump, source = _pump(), Noting()
    pump.put(_Erring(sockets.inner_client, error), sockets.inner_upstream.send, None, source)  # type: ignore[arg-type]
    sockets.client.sendall(b"x")
    _turn(pump)
    assert source.events == events


def test_one_fault_is_one_connections(sockets: Sockets) -> None:
    """If what is left over cannot be left, that connection is broken off, and the others are read from."""
    logged: list[Any] = []
    observer: Any = logged.append
    globalLogPublisher.addObserver(observer)
    try:
        pump, wrong, right = _pump(), Noting(wrong=True), Noting()
        pump.put(sockets.inner_client, lambda _data: 0, None, wrong)
        pump.put(sockets.inner_upstream, len, None, right)
        sockets.client.sendall(b"a")
        sockets.upstream.sendall(b"b")
        while not (right.received and wrong.received):
            _turn(pump)
    finally:
        globalLogPublisher.removeObserver(observer)
    assert wrong.events == [b"a", "aborted"]
    assert right.events == []
    assert [event["log_failure"].value.args for event in logged if "log_failure" in event] == [("left",)]


def test_who_is_forgotten_is_not_read_from(sockets: Sockets) -> None:
    """Also within the same turn; and a socket that is closed already can be forgotten."""
    pump, source = _pump(), Noting()
    descriptors: list[int] = []

    def send(data: memoryview) -> int:
        for descriptor in descriptors:
            pump.forget(descriptor)
        return len(data)

    descriptors.append(pump.put(sockets.inner_client, send, None, source))
    descriptors.append(pump.put(sockets.inner_upstream, send, None, source))
    sockets.client.sendall(b"a")
    sockets.upstream.sendall(b"b")
    assert select.select([sockets.inner_client], [], [], 10)[0]
    assert select.select([sockets.inner_upstream], [], [], 10)[0]
    pump.doRead()
    pump.doRead()
    assert source.received == 1
    again = pump.put(sockets.inner_client, send, None, source)
    sockets.inner_client.close()
    pump.forget(again)
    pump.forget(again)


def test_slow_receivers_make_reads_short(sockets: Sockets) -> None:
    """While much waits for receivers, no read brings more than a transport's would."""
    pump, source = _pump(), Noting()
    pump.put(sockets.inner_client, len, None, source)
    sockets.client.setblocking(False)
    sent = 0
    with contextlib.suppress(BlockingIOError):
        while sent < 4 * SHORT:
            sent += sockets.client.send(bytes(4 * SHORT - sent))
    assert sent > SHORT
    pump.waiting = MOST_WAITING
    _turn(pump)
    assert source.received == SHORT
    pump.waiting = 0
    _turn(pump)
    assert source.received > 2 * SHORT


def test_the_reactor_knows_of_it_while_it_is_used() -> None:
    """A pump that nobody uses is not the reactor's, and a turn later has no descriptor, which the reactor asks for."""
    reactor = MemoryReactorClock()
    pump = Pump(reactor)
    for _ in range(2):
        assert pump.fileno() == -1
        pump.join()
        pump.join()
        assert reactor.getReaders() == [pump]
        pump.leave()
        assert reactor.getReaders() == [pump]
        pump.leave()
        assert reactor.getReaders() == []
        assert pump.fileno() >= 0
        reactor.advance(0)


def test_a_descriptor_for_the_next(sockets: Sockets) -> None:
    """Who comes in the turn in which the last one has left finds everything in its place."""
    reactor = MemoryReactorClock()
    pump, source = Pump(reactor), Noting()
    pump.join()
    pump.leave()
    pump.join()
    reactor.advance(0)
    pump.put(sockets.inner_client, len, None, source)
    sockets.client.sendall(b"one")
    _turn(pump)
    assert source.received == 3


def test_its_name() -> None:
    """What stands in the log's lines."""
    pump = _pump()
    assert pump.logPrefix() == "tunnels"


def test_the_reactor_stops(sockets: Sockets) -> None:
    """All are told, as a transport that reads would be."""
    pump, source, reason = _pump(), Noting(), Failure(ConnectionDone())
    pump.put(sockets.inner_client, len, None, source)
    pump.connectionLost(reason)
    assert source.events == [reason]


def test_where_there_is_no_pump(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reactor that waits for no descriptors has none, nor has a system without epoll."""
    assert pump_for(Clock()) is None
    monkeypatch.delattr(select, "epoll")
    assert pump_for(MemoryReactorClock()) is None
