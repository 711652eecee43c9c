"""One turn of reading from many tunnels: what has arrived goes from socket to socket, through one buffer.

Only what is common is done in a turn. The end of a connection, every error, and what a socket does not take at once are
left to who is read from. ``compiled`` does the same faster, where it could be compiled.
"""

from __future__ import annotations

import contextlib
import errno
import select
from collections.abc import Callable
from dataclasses import dataclass
from socket import AF_UNIX, socket
from typing import Any, Protocol

from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.proxy.frames import Frames

#: Connections read in one turn; others of the reactor come in between.
EVENTS = 256

#: There is something to read, and nothing else to be told.
_READABLE = 1  # EPOLLIN; the module has no such name where there is no epoll

#: What is asked of epoll for each socket: something to read, urgent data, at which reads stop (tcp(7)), and the end of
#: the peer's side.
_ALWAYS = _READABLE | 1 << 1 | 1 << 13  # EPOLLIN, EPOLLPRI and EPOLLRDHUP

#: Each arrival only once. Without this the system looks at every socket a second time, behind the read, to find it
#: empty (epoll(7)). On UNIX sockets a short read does not say that there is no more: it stops behind descriptors that
#: are passed (unix(7)).
_ONCE = 1 << 31  # EPOLLET

_log = Logger(namespace="upgradegw")


def wanted(connected: socket) -> int:
    """Return what is asked of epoll for a socket.

    Args:
        connected: The socket.

    Raises:
        OSError: It is closed.
    """
    if connected.fileno() < 0:
        raise OSError(errno.EBADF, "it is closed")
    return _ALWAYS | (0 if connected.family == AF_UNIX else _ONCE)


class Source(Protocol):
    """Who is read from in turns, instead of by its transport."""

    def left(self, data: bytes) -> None:
        """Some bytes were not taken."""

    def hand_back(self) -> None:
        """There is something to read that is not common: the transport is to read it."""

    def abort(self) -> None:
        """It is broken."""

    def stop(self, reason: Failure) -> None:
        """The reactor stops."""


class Turn(Protocol):
    """Sockets that are read from, each at a place."""

    def fileno(self) -> int:
        """Return the descriptor that is readable while a socket is."""

    def put(self, connected: socket, outlet: socket, frames: Frames | None, source: Source) -> int:
        """Read from a socket from now on.

        Args:
            connected: The socket; nobody else reads from it.
            outlet: Where everything goes. It must be forgotten before that is closed.
            frames: Follows what passes, if that is WebSocket.
            source: Who it is.

        Returns:
            The place.

        Raises:
            OSError: The system watches no more.
        """

    def passed(self, place: int) -> int:
        """Return how many bytes have come at a place."""

    def forget(self, place: int) -> int:
        """Read no more from a socket, which may be closed by now; return how many bytes have come."""

    def go(self, most: int) -> None:
        """Read once from each socket that has something, and send that.

        Args:
            most: Bytes that are read at once.
        """

    def close(self) -> None:
        """Keep neither descriptor nor buffer."""


def tell(source: Source, what: Callable[..., None], *arguments: Any) -> None:
    """Tell a source something; a fault of one must not end all tunnels.

    Args:
        source: It is broken off if it fails.
        what: One of its methods.
        arguments: For that.
    """
    try:
        what(*arguments)
    except Exception:  # noqa: BLE001 - as above
        _log.failure("a tunnel failed")
        with contextlib.suppress(Exception):
            source.abort()


@dataclass(slots=True)
class _Link:
    """What is done at a place, which is the socket's descriptor."""

    receive: Callable[[memoryview], int]
    events: int
    send: Callable[[memoryview], int]
    follow: Callable[[memoryview], None] | None
    source: Source
    passed: int = 0


class PlainTurn:
    """A turn in Python."""

    def __init__(self, size: int) -> None:
        """Read from nobody yet.

        Args:
            size: Bytes of the buffer.

        Raises:
            OSError: The system has no more descriptors.
        """
        self._epoll: Any = select.epoll()
        self._buffer = memoryview(bytearray(size))
        self._links: dict[int, _Link] = {}

    def fileno(self) -> int:
        """See ``Turn``."""
        descriptor: int = self._epoll.fileno()
        return descriptor

    def put(self, connected: socket, outlet: socket, frames: Frames | None, source: Source) -> int:
        """See ``Turn``."""
        descriptor, events = connected.fileno(), wanted(connected)
        self._epoll.register(descriptor, events)
        follow = None if frames is None else frames.feed
        self._links[descriptor] = _Link(connected.recv_into, events, outlet.send, follow, source)
        return descriptor

    def passed(self, place: int) -> int:
        """See ``Turn``."""
        return self._links[place].passed

    def forget(self, place: int) -> int:
        """See ``Turn``."""
        with contextlib.suppress(OSError):  # a closed socket has left by itself
            self._epoll.unregister(place)
        return self._links.pop(place).passed

    def go(self, most: int) -> None:
        """See ``Turn``."""
        links, buffer = self._links, self._buffer[:most]
        for descriptor, events in self._epoll.poll(0, EVENTS):
            link = links.get(descriptor)
            if link is None:
                continue  # it was forgotten in this turn
            try:
                # Nothing is read with an error: whoever reads it takes it away, and it is the transport's to know.
                size = link.receive(buffer) if events == _READABLE else 0
            except BlockingIOError:
                continue
            except OSError:
                tell(link.source, link.source.abort)
                continue
            if not size:
                tell(link.source, link.source.hand_back)
                continue
            if size == most:
                self._epoll.modify(descriptor, link.events)  # there may be more, which has arrived already
            data = buffer[:size]
            link.passed += size
            if link.follow is not None:
                link.follow(data)
            try:
                sent = link.send(data)
            except OSError:
                sent = 0  # the transport will meet the same
            if sent != size:
                tell(link.source, link.source.left, bytes(data[sent:]))

    def close(self) -> None:
        """See ``Turn``."""
        self._epoll.close()
        self._buffer = memoryview(b"")
