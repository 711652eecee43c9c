"""The address that a client connects from: a socket that is bound before it is connected.

Where Twisted has ``makeBinding``, it returns what has no public attribute; this is the one file that reads its private
ones.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet.abstract import isIPv6Address
from twisted.internet.error import ConnectBindError

_LITERAL = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


def socket_address(host: Any, port: Any) -> tuple[Any, ...]:
    """Return what ``connect(2)`` and ``bind(2)`` are told: with the scope, if it is one of IPv6."""
    return socket.getaddrinfo(host, port, flags=_LITERAL)[0][4] if isIPv6Address(host) else (host, port)


def open_bound(address: Any, family: socket.AddressFamily) -> socket.socket:
    """Open a socket that connects from an address of the caller's choice.

    Args:
        address: Host and port, or what ``makeBinding`` returns, or None for any.
        family: Of the address that it will connect to.

    Raises:
        ConnectBindError: The system does not allow it.
    """
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setblocking(False)
    if address is None:
        return opened
    try:
        if not isinstance(address, tuple):
            if address._reuseAddress:  # noqa: SLF001
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if address._reusePort:  # noqa: SLF001
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            address = (address._address, address._port)  # noqa: SLF001
        opened.bind(socket_address(*address))
    except OSError as error:
        opened.close()
        raise ConnectBindError(*error.args[:2]) from None
    return opened
