"""Sockets for turns of reading, and a source that notes what it is told."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from twisted.python.failure import Failure

from upgradegw.proxy import compiled
from upgradegw.proxy.compiled import CompiledTurn
from upgradegw.proxy.turning import PlainTurn, Turn

#: Closes with a reset (SO_LINGER with no time).
RESET = struct.pack("ii", 1, 0)

#: Bytes of the buffer.
SIZE = 512 * 1024

#: Both kinds, each of which must do the same.
KINDS = [
    PlainTurn,
    pytest.param(CompiledTurn, marks=pytest.mark.skipif(compiled.library() is None, reason="nothing is compiled")),
]


@dataclass(eq=False)
class Noting:
    """A source."""

    events: list[Any] = field(default_factory=list)
    then: Callable[[], object] = lambda: None

    def left(self, data: bytes) -> None:
        self.events.append(data)
        self.then()

    def hand_back(self) -> None:
        self.events.append("handed back")
        self.then()

    def abort(self) -> None:
        self.events.append("aborted")
        self.then()

    def stop(self, reason: Failure) -> None:
        self.events.append(reason)


class Sockets:
    """What is joined: an outer socket each side, and the inner ones between."""

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

    def fill(self) -> int:
        """Send to the upstream as much as is taken, and return how much that was."""
        self.upstream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)  # and no more when that is full
        self.inner_upstream.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        sent = 0
        while more := self._fill():
            sent += more
            time.sleep(0.02)
        return sent

    def _fill(self) -> int:
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while True:
                sent += self.inner_upstream.send(bytes(1 << 16))
        return sent

    def close(self) -> None:
        for each in (self.client, self.inner_client, self.upstream, self.inner_upstream):
            each.close()


def reset(outer: socket.socket) -> None:
    """Close with a reset."""
    outer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    outer.close()


def wait_for(*inner: socket.socket) -> None:
    """Wait until each has something to read."""
    for each in inner:
        assert select.select([each], [], [], 10)[0]


def go(turn: Turn, most: int = SIZE) -> None:
    """What happens when the turn's descriptor is readable."""
    assert select.select([turn.fileno()], [], [], 10)[0]
    turn.go(most)
