"""Sockets that somebody else has opened: systemd, a parent process, a server that binds before it sheds privileges."""

from __future__ import annotations

import os
import socket
from typing import Any

from twisted.internet.address import UNIXAddress
from twisted.internet.error import UnsupportedAddressFamily
from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.reactor.connection import Connection
from upgradegw.reactor.driving import Driven
from upgradegw.reactor.ports import TcpPort, UnixPort
from upgradegw.reactor.tcp import TcpConnection, ip_address
from upgradegw.reactor.unix import UnixConnection

_log = Logger()

_INTERNET = (socket.AF_INET, socket.AF_INET6)


class _Listening(socket.socket):
    """A copy of a socket that somebody else has bound, and that others may accept on, too."""

    def bind(self, _address: Any) -> None:
        """It is bound."""

    def listen(self, _backlog: Any = None) -> None:
        """It listens, with the backlog that its owner wants."""

    def shutdown(self, _how: Any) -> None:
        """Others may still accept."""


def adopt_port(reactor: Any, descriptor: int, family: int, factory: Any) -> TcpPort | UnixPort:
    """Make a port of a copy of a socket that listens.

    Raises:
        UnsupportedAddressFamily: It is neither of the internet nor of UNIX.
    """
    if family != socket.AF_UNIX and family not in _INTERNET:
        raise UnsupportedAddressFamily(family)
    listening = _Listening(family, socket.SOCK_STREAM, fileno=os.dup(descriptor))
    name = listening.getsockname()
    any_backlog: Any = None
    port: TcpPort | UnixPort
    if family == socket.AF_UNIX:
        port = UnixPort(name, factory, any_backlog, reactor=reactor)
    else:
        port = TcpPort(name[1], factory, any_backlog, name[0], reactor)
    port.adopted = listening
    return port


def adopt_connection(reactor: Any, descriptor: int, family: int, factory: Any) -> Connection | None:
    """Make a connection of a copy of a socket that is connected.

    Returns:
        The connection, or None if the factory does not want it.

    Raises:
        UnsupportedAddressFamily: It is neither of the internet nor of UNIX.
    """
    if family != socket.AF_UNIX and family not in _INTERNET:
        raise UnsupportedAddressFamily(family)
    copy = socket.fromfd(descriptor, family, socket.SOCK_STREAM)
    peer = UNIXAddress(copy.getsockname()) if family == socket.AF_UNIX else ip_address(copy.getpeername())
    protocol = factory.buildProtocol(peer)
    if protocol is None:
        copy.close()
        return None
    kind = UnixConnection if family == socket.AF_UNIX else TcpConnection
    connection = kind(reactor, reactor.streams, _Adopted(protocol))
    connection.sessionno = 0 if isinstance(peer, UNIXAddress) else peer.port
    connect = reactor.loop.create_unix_connection if family == socket.AF_UNIX else reactor.loop.create_connection

    def done(error: BaseException | None) -> None:
        if error is not None:
            _log.error("a connection cannot be adopted: {error}", error=error)
            copy.close()

    Driven(connect(lambda: connection, sock=copy), done)
    return connection


class _Adopted:
    """Owns one connection that no port has accepted."""

    keeps_alive = False

    def __init__(self, protocol: Any) -> None:
        self._protocol = protocol
        self.addr = None

    def opened(self, connection: Any) -> None:
        try:
            connection.speak(self._protocol)
        except BaseException:  # noqa: BLE001 - whatever it is, it must not end the reactor
            _log.failure("a connection could not be set up")

    def closed(self, connection: Any, reason: Failure) -> None:
        """Nothing to do."""
