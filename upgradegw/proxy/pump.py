"""Many tunnels read in one turn of the reactor: whatever has arrived goes from socket to socket, through one buffer.

A reactor tells each connection for itself that it can be read from, which costs it more than the reading. Here it is
told of all tunnels of a route at once: their sockets are in an epoll of their own, which to the reactor is one reader.
Only what is common is done here. The end of a connection, every error, and what a socket does not take at once are
left to the connection's transport, which knows what to do.
"""

from __future__ import annotations

import contextlib
import select
from collections.abc import Callable
from socket import socket
from typing import Any, Protocol

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

#: Bytes read at once. A large message costs about half of what it costs in pieces of 64 KiB; beyond this the buffer is
#: larger than the caches of processors, and it costs more again.
MOST = 512 * 1024

#: Bytes that may wait in the transports of slow receivers, of all tunnels together, before reads become short ones.
MOST_WAITING = 16 * 1024 * 1024

#: Bytes of a short read: what Twisted's transports read.
SHORT = 64 * 1024

#: Connections read in one turn; others of the reactor come in between.
_TURN = 256

#: There is something to read, and nothing else to be told.
_READABLE = 1  # EPOLLIN; the module has no such name where there is no epoll

#: What is asked of epoll for each socket: something to read, the end of the peer's side, and each arrival only once.
#: Without the last, the system looks at every socket a second time, behind the read, to find it empty (epoll(7)).
_WANTED = _READABLE | 1 << 13 | 1 << 31  # EPOLLIN, EPOLLRDHUP and EPOLLET

_log = Logger(namespace="upgradegw")


class Source(Protocol):
    """Who is read from here, instead of by its transport.

    Attributes:
        received: Bytes that have come.
    """

    received: int

    def left(self, data: bytes) -> None:
        """Some bytes were not taken."""

    def hand_back(self) -> None:
        """There is something to read that is not common: the transport is to read it."""

    def abort(self) -> None:
        """It is broken."""

    def stop(self, reason: Failure) -> None:
        """The reactor stops."""


#: How a source is read from, where that goes, who looks at it on the way, and the source.
Link = tuple[Callable[[memoryview], int], Callable[[memoryview], int], Callable[[memoryview], None] | None, Source]


@implementer(IReadDescriptor)
class Pump:
    """Reads from the sockets of many tunnels, and sends.

    Attributes:
        waiting: Bytes that wait in transports because a socket did not take them.
    """

    def __init__(self, reactor: Any) -> None:
        """Read from nobody yet.

        Args:
            reactor: Tells when there is something to read: an ``IReactorFDSet`` and ``IReactorTime``.
        """
        self.waiting = 0
        self._reactor = reactor
        self._epoll: Any = None  # there while it has users
        self._links: dict[int, Link] = {}
        self._users = 0
        self._long = self._short = memoryview(b"")

    # --- For sources.

    def join(self) -> None:
        """Somebody wants to be read from, now or later."""
        if not self._users:
            if self._epoll is None:
                self._epoll = select.epoll()
                self._long = memoryview(bytearray(MOST))
                self._short = self._long[:SHORT]
            self._reactor.addReader(self)
        self._users += 1

    def leave(self) -> None:
        """Somebody no longer wants that."""
        self._users -= 1
        if not self._users:
            self._reactor.removeReader(self)
            self._reactor.callLater(0, self._close)  # the reactor asks for ``fileno`` behind a ``doRead``

    def _close(self) -> None:
        """Keep neither descriptor nor buffer, unless somebody has come meanwhile."""
        epoll = self._epoll
        if epoll is not None and not self._users:
            self._epoll = None
            self._long = self._short = memoryview(b"")
            epoll.close()

    def put(
        self,
        connected: socket,
        send: Callable[[memoryview], int],
        follow: Callable[[memoryview], None] | None,
        source: Source,
    ) -> int:
        """Read from a socket from now on; its source has joined.

        Args:
            connected: The socket; its transport does not read.
            send: Takes what has come, and returns how much of it was taken.
            follow: Looks at what has come, before it is sent.
            source: Who it is.

        Returns:
            The descriptor, for ``forget``.

        Raises:
            OSError: The system watches no more.
        """
        descriptor = connected.fileno()
        self._epoll.register(descriptor, _WANTED)
        self._links[descriptor] = (connected.recv_into, send, follow, source)
        return descriptor

    def forget(self, descriptor: int) -> None:
        """Read no more from a socket, which may be closed by now.

        Args:
            descriptor: Its descriptor.
        """
        if self._links.pop(descriptor, None) is not None:
            with contextlib.suppress(OSError):  # a closed socket has left by itself
                self._epoll.unregister(descriptor)

    # --- For the reactor.

    def fileno(self) -> int:
        """Return the descriptor that is readable while a socket is."""
        return -1 if self._epoll is None else self._epoll.fileno()

    def doRead(self) -> None:
        """Read once from each socket that has something."""
        links = self._links
        buffer = self._long if self.waiting < MOST_WAITING else self._short
        for descriptor, events in self._epoll.poll(0, _TURN):
            if descriptor not in links:
                continue  # it was forgotten in this turn
            receive, send, follow, source = links[descriptor]
            try:
                # Nothing is read with an error: whoever reads it takes it away, and it is the transport's to know.
                size = receive(buffer) if events == _READABLE else 0
            except BlockingIOError:
                continue
            except OSError:
                source.abort()
                continue
            if not size:
                source.hand_back()
                continue
            if size == len(buffer):
                self._epoll.modify(descriptor, _WANTED)  # there may be more, which has arrived already
            data = buffer[:size]
            source.received += size
            if follow is not None:
                follow(data)
            try:
                sent = send(data)
            except OSError:
                sent = 0  # the transport will meet the same
            if sent != size:
                self._leave(source, data[sent:])

    def _leave(self, source: Source, data: memoryview) -> None:
        try:
            source.left(bytes(data))
        except Exception:  # noqa: BLE001 - one connection's fault must not end all tunnels
            _log.failure("what a tunnel could not send")
            source.abort()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops: nobody reads any more."""
        for link in list(self._links.values()):
            link[3].stop(reason)

    def logPrefix(self) -> str:
        """Return what stands in log lines."""
        return "tunnels"


def pump_for(reactor: Any) -> Pump | None:
    """Return a pump, or None where there is no epoll.

    Args:
        reactor: The reactor.
    """
    if hasattr(select, "epoll") and IReactorFDSet.providedBy(reactor):
        return Pump(reactor)
    return None
