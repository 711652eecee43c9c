"""A listening socket in uvloop's hands, which accepts on until it is told to stop."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

#: Where ``struct tcp_info`` of Linux says how many clients may wait on a socket that listens (``tcpi_sacked``).
_BACKLOG_AT = 28
_TCP_INFO = 104

_log = Logger()


class Accepting:
    """Accepts for a port.

    uvloop closes its server if ``accept(2)`` fails in a way that libuv does not know, as when the whole system has too
    many files open. The server would then be deaf for ever; here it listens again a little later.

    Attributes:
        pause: Seconds until then.
    """

    pause = 1.0

    def __init__(self, loop: Any, listening: socket.socket, backlog: int | None, serve: Callable[..., Any]) -> None:
        """Begin.

        Args:
            loop: uvloop's loop.
            listening: The socket. It stays open when this stops, for uvloop gets a copy.
            backlog: How many clients may wait; None leaves that as it is.
            serve: Makes uvloop's server, of a socket and the backlog.
        """
        self._loop = loop
        self._listening = listening
        self._backlog = waiting_clients(listening) if backlog is None else backlog
        self._serve = serve
        self._server: Any = None
        self._stopped = False
        self._start()

    def stop(self) -> None:
        """Accept no more; clients wait in the backlog, while the socket is open."""
        self._stopped = True
        if self._server is not None:
            self._server.close()

    def _start(self) -> None:
        if not self._stopped:
            self._server = self._serve(_Copy(self._listening, self._was_closed), self._backlog)

    def _was_closed(self) -> None:
        if not self._stopped and not self._loop.is_closed():
            _log.error("connections could not be accepted; trying again in {pause} s", pause=self.pause)
            self._server.close()
            self._loop.call_later(self.pause, self._start)


class _Copy(socket.socket):
    """A copy of a socket, which tells when uvloop has closed it."""

    def __init__(self, original: socket.socket, closed: Callable[[], None]) -> None:
        super().__init__(original.family, original.type, original.proto, os.dup(original.fileno()))
        self._told: Callable[[], None] | None = closed

    def detach(self) -> int:
        """Forget the descriptor; uvloop calls this when it has closed it, and uses it no more."""
        told, self._told = self._told, None
        descriptor = super().detach()
        if told is not None:
            told()
        return descriptor


def waiting_clients(listening: socket.socket) -> int:
    """Return how many clients may wait, where the system tells; else as many as it allows."""
    with contextlib.suppress(OSError, AttributeError, struct.error):
        facts = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO)
        return int(struct.unpack_from("I", facts, _BACKLOG_AT)[0]) or socket.SOMAXCONN
    return socket.SOMAXCONN
