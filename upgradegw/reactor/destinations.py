"""Connecting to TCP ports and to UNIX sockets."""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from twisted.internet.abstract import isIPAddress, isIPv6Address
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import BadFileError, ServiceNameUnknownError
from twisted.python import lockfile

from upgradegw.reactor.binding import open_bound, socket_address
from upgradegw.reactor.connecting import Connector
from upgradegw.reactor.connection import Connection
from upgradegw.reactor.tcp import TcpConnection
from upgradegw.reactor.unix import UnixConnection

_NUMERIC = socket.NI_NUMERICHOST | socket.NI_NUMERICSERV

#: Seconds until the next attempt when a UNIX socket's backlog is full. The system does not tell when it has room.
_AGAIN = 0.02


class TcpConnector(Connector):
    """Connects over TCP."""

    kind = TcpConnection

    def __init__(
        self, host: str, port: int | str, factory: Any, timeout: float | None, bind_address: Any, reactor: Any
    ) -> None:
        """Connect when told to.

        Raises:
            ServiceNameUnknownError: The port is a name that nobody knows.
        """
        super().__init__(factory, timeout, reactor)
        if isinstance(port, str):
            try:
                port = socket.getservbyname(port, "tcp")
            except OSError as error:
                raise ServiceNameUnknownError(string=f"{error} ({port!r})") from error
        self.host, self.port, self.bindAddress = host, port, bind_address
        self._bound: socket.socket | None = None

    @property
    def addr(self) -> tuple[Any, ...]:
        """Host and port, and for IPv6 what else belongs to it."""
        return socket_address(self.host, self.port)

    def getDestination(self) -> IPv4Address | IPv6Address:
        """Where to; the host may be a name."""
        kind = IPv6Address if isIPv6Address(self.host) else IPv4Address
        return kind("TCP", self.host, self.port)

    def _begin(self, connection: Connection) -> None:
        is_ipv6 = isIPv6Address(self.host)
        if self.bindAddress is not None or "%" in self.host:
            # uvloop would look an address with a scope up in a thread.
            self._bound = open_bound(self.bindAddress, socket.AF_INET6 if is_ipv6 else socket.AF_INET)
            connection.unconnected = self._bound
        if is_ipv6 or isIPAddress(self.host):
            self._connect(self.host, connection)
            return
        resolving = self.reactor.resolve(self.host)
        resolving.addCallback(self._connect, connection)
        resolving.addErrback(lambda failure: self._fail(connection, failure.value))

    def _connect(self, host: str, connection: Connection) -> None:
        if connection is not self.transport:
            return  # given up while the name was looked up
        if not 0 <= self.port < 65536:  # noqa: PLR2004 - uvloop would take what remains of it in 16 bits
            if isIPv6Address(host) and self.port < 0:
                socket.getnameinfo((host, self.port), _NUMERIC)
            raise OverflowError("connect_ex(): port must be 0-65535.")
        loop = self.reactor.loop
        if self._bound is None:
            self._run(connection, loop.create_connection(lambda: connection, host, self.port))
        else:
            self._run(connection, _connect_bound(loop, self._bound, socket_address(host, self.port), connection))

    def _give_back(self) -> None:
        if self._bound is not None:
            self._bound.close()
            self._bound = None


async def _connect_bound(loop: Any, bound: socket.socket, address: tuple[Any, ...], connection: Connection) -> None:
    """Connect a socket of ours, and hand it to uvloop (whose own ``sock_connect`` loses the scope of an address)."""
    error = bound.connect_ex(address)
    if error == errno.EINPROGRESS:
        descriptor = bound.fileno()
        writable = loop.create_future()
        loop.add_writer(descriptor, writable.set_result, None)
        try:
            await writable
        finally:
            loop.remove_writer(descriptor)
        error = bound.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error:
        raise OSError(error, os.strerror(error))
    await _hand_over(bound, loop.create_connection(lambda: connection, sock=bound))


async def _hand_over(opened: socket.socket, coroutine: Any) -> None:
    """Let uvloop have a socket of ours, which it closes from then on.

    It takes note of the object only behind ``connection_made``. Who closes the connection in there has closed the
    descriptor by then, whose number may be another's when the object goes.
    """
    transport, _ = await coroutine
    if transport.is_closing():
        opened.detach()


class UnixConnector(Connector):
    """Connects to a UNIX socket."""

    kind = UnixConnection

    def __init__(self, address: Any, factory: Any, timeout: float | None, check_pid: int, reactor: Any) -> None:
        super().__init__(factory, timeout, reactor)
        self.address = address
        self.addr = UNIXAddress(address).name
        self._check_pid = check_pid
        self._opened: socket.socket | None = None

    def getDestination(self) -> UNIXAddress:
        """Where to."""
        return UNIXAddress(self.address)

    def _begin(self, connection: Connection) -> None:
        if self._check_pid and not lockfile.isLocked(self.addr + b".lock"):
            raise BadFileError(self.addr)
        self._opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._opened.setblocking(False)
        # Not at once: a port that was just told to stop may still have to take its file away.
        self.reactor.callLater(0, self._connect_now, connection)

    def _connect(self, connection: Connection) -> None:
        opened = self._opened
        if connection is not self.transport or opened is None:
            return  # given up while the other side was busy
        try:
            opened.connect(self.addr)
        except BlockingIOError:
            self.reactor.loop.call_later(_AGAIN, self._connect_now, connection)
        else:
            connecting = self.reactor.loop.create_unix_connection(lambda: connection, sock=opened)
            self._run(connection, _hand_over(opened, connecting))

    def _connect_now(self, connection: Connection) -> None:
        try:
            self._connect(connection)
        except OSError as error:
            self._fail(connection, error)

    def _give_back(self) -> None:
        if self._opened is not None:
            self._opened.close()
            self._opened = None
