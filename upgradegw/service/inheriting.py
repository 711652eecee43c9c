"""Sockets that systemd has opened and passed on (sd_listen_fds(3)): ``--listen systemd:domain=INET:index=0``.

Twisted's own endpoint would do for TCP. This one says what is wrong in words, looks at the socket itself for its
family, and leaves the file of a UNIX socket alone: it is systemd's, which keeps it from one start to the next.
"""

from __future__ import annotations

import os
import socket
from typing import Any, cast

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, succeed
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import UsageError
from zope.interface import implementer

from upgradegw.service.binding import Bound
from upgradegw.service.descriptions import Inherited

#: Connections that are accepted in one go, before others have their turn.
_AT_ONCE = 100

#: Seconds until the next attempt when no more files can be opened.
_PAUSE = 1.0

_FAMILIES = {"INET": socket.AF_INET, "INET6": socket.AF_INET6, "UNIX": socket.AF_UNIX}


def inherit(place: Inherited) -> Bound:
    """Take a socket that systemd has passed to this process.

    Raises:
        UsageError: There is none, or it does not listen for connections, or it is of another family than was said.
    """
    descriptor = _descriptor(place)
    try:
        found = socket.socket(fileno=descriptor)
        listens = found.type == socket.SOCK_STREAM and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise UsageError(f"descriptor {descriptor}: {(error.strerror or str(error)).lower()}") from None
    if not listens or found.family not in _FAMILIES.values():
        found.detach()  # it is not ours to close
        raise UsageError("this socket accepts no connections: the socket unit needs ListenStream= and Accept=no")
    if place.domain and found.family != _FAMILIES[place.domain]:
        name = next(name for name, family in _FAMILIES.items() if family == found.family)
        found.detach()
        raise UsageError(f"this socket is one of domain={name}")
    found.setblocking(False)
    return Bound(found, place)


def _descriptor(place: Inherited) -> int:
    """Ask Twisted, which has taken the list out of the environment when it was imported."""
    nobody: Any = None  # the endpoint is not asked to listen, so it needs no reactor, and its domain does not matter
    try:
        endpoint = serverFromString(nobody, place.text.replace(":", ":domain=INET:", 1))
    except (IndexError, KeyError):
        pass
    else:
        return cast("int", cast("AdoptedStreamServerEndpoint", endpoint).fileno)
    try:
        serverFromString(nobody, "systemd:domain=INET:index=0")
    except IndexError:
        raise UsageError(
            "systemd has passed no socket to this process (it was not started by a socket unit, or LISTEN_FDNAMES is"
            " not set)"
        ) from None
    names = ", ".join(f"name={name}" for name in os.environ.get("LISTEN_FDNAMES", "").split(":") if name)
    raise UsageError(f"systemd has passed no such socket; there are, from index=0 on: {names}")


@implementer(IListeningPort)
class InheritedUnixPort(FileDescriptor):
    """Accepts on a UNIX socket without touching its file, its mode or its backlog; Twisted's port changes all three."""

    log = Logger()

    def __init__(self, reactor: Any, listening: socket.socket, factory: IProtocolFactory) -> None:
        """Accept nothing yet.

        Args:
            reactor: Gets the connections.
            listening: The socket; it is closed by ``stopListening``.
            factory: Makes the protocols.
        """
        super().__init__(reactor)
        self._reactor = reactor
        self._socket = listening
        self._factory = factory

    def fileno(self) -> int:
        """The descriptor, for the reactor."""
        return self._socket.fileno()

    def getHost(self) -> UNIXAddress:
        """Where it listens."""
        return UNIXAddress(self._socket.getsockname())

    def startListening(self) -> None:
        """Begin to accept."""
        self._factory.doStart()
        self.connected = True
        self.startReading()

    def doRead(self) -> None:
        """Accept what waits."""
        for _ in range(_AT_ONCE):
            try:
                accepted, _address = self._socket.accept()
            except (BlockingIOError, ConnectionAbortedError, InterruptedError):
                return
            except OSError as error:
                self.log.error("cannot accept a connection: {error}", error=error.strerror)  # noqa: TRY400 - no traceback
                self.stopReading()
                self._reactor.callLater(_PAUSE, self._go_on)
                return
            with accepted:
                accepted.setblocking(False)
                self._reactor.adoptStreamConnection(accepted.fileno(), socket.AF_UNIX, self._factory)

    def _go_on(self) -> None:
        if self.connected:
            self.startReading()

    def stopListening(self) -> Deferred[None]:
        """Accept no more. Clients that come from now on wait for the next process that systemd starts."""
        self.stopReading()
        if self.connected:
            self.connected = False
            self._socket.close()
            self._factory.doStop()
        return succeed(None)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has ended."""
        self.stopListening()
        super().connectionLost(reason)
