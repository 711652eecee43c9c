"""Many tunnels read in one turn of the reactor.

A reactor tells each connection for itself that it can be read from, which costs it more than the reading. Here it is
told of all tunnels of a route at once: their sockets are in an epoll of their own, which to the reactor is one reader.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.proxy import compiled
from upgradegw.proxy.compiled import CompiledTurn
from upgradegw.proxy.turning import PlainTurn, Source, Turn, tell

#: Bytes read at once. A large message costs about half of what it costs in pieces of 64 KiB; beyond this the buffer is
#: larger than the caches of processors, and it costs more again.
MOST = 512 * 1024

#: Bytes that may wait in the transports of slow receivers, of all tunnels together, before reads become short ones.
MOST_WAITING = 16 * 1024 * 1024

#: Bytes of a short read: what Twisted's transports read.
SHORT = 64 * 1024


@implementer(IReadDescriptor)
class Pump:
    """Reads from the sockets of many tunnels, and sends.

    Attributes:
        waiting: Bytes that wait in transports because a socket did not take them.
    """

    def __init__(self, reactor: Any, turn: Callable[[int], Turn]) -> None:
        """Read from nobody yet.

        Args:
            reactor: Tells when there is something to read: an ``IReactorFDSet`` and ``IReactorTime``.
            turn: Makes a turn with a buffer of so many bytes.
        """
        self.waiting = 0
        self._reactor = reactor
        self._make = turn
        self._turn: Turn | None = None  # there while it has users
        self._users: set[Source] = set()

    # --- For sources.

    def join(self, source: Source) -> None:
        """Somebody wants to be read from, now or later.

        Args:
            source: Who that is.

        Raises:
            OSError: The system has no more descriptors.
        """
        if not self._users:
            if self._turn is None:
                self._turn = self._make(MOST)
            self._reactor.addReader(self)
        self._users.add(source)

    def leave(self, source: Source) -> None:
        """Somebody no longer wants that."""
        self._users.remove(source)
        if not self._users:
            self._reactor.removeReader(self)
            self._reactor.callLater(0, self._close)  # the reactor asks for ``fileno`` behind a ``doRead``

    def _close(self) -> None:
        """Keep neither descriptor nor buffer, unless somebody has come meanwhile."""
        turn = self._turn
        if turn is not None and not self._users:
            self._turn = None
            turn.close()

    @property
    def turn(self) -> Turn:
        """Where those who have joined are put, and forgotten.

        Raises:
            RuntimeError: Nobody has joined.
        """
        if self._turn is None:
            raise RuntimeError("nobody has joined")
        return self._turn

    # --- For the reactor.

    def fileno(self) -> int:
        """Return the descriptor that is readable while a socket is."""
        return -1 if self._turn is None else self._turn.fileno()

    def doRead(self) -> None:
        """Read once from each socket that has something."""
        self.turn.go(MOST if self.waiting < MOST_WAITING else SHORT)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops: nobody reads any more."""
        for source in list(self._users):
            tell(source, source.stop, reason)

    def logPrefix(self) -> str:
        """Return what stands in log lines."""
        return "tunnels"


def pump_for(reactor: Any) -> Pump | None:
    """Return a pump, or None where there is no epoll.

    Args:
        reactor: The reactor.
    """
    if hasattr(select, "epoll") and IReactorFDSet.providedBy(reactor):
        return Pump(reactor, PlainTurn if compiled.library() is None else CompiledTurn)
    return None
