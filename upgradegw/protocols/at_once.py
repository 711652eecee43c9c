"""Writing without the way through the reactor, where nothing waits in the transport: half the cost of a write."""

from __future__ import annotations

from socket import socket
from typing import Any

from upgradegw.protocols.unsent import unsent_bytes
from upgradegw.transports import plain_socket


def write_at_once(transport: Any, data: bytes) -> None:
    """Write; on the socket itself if the transport has one that may be sent on, and nothing to send before.

    Args:
        transport: A transport of any kind.
        data: What is to be sent.
    """
    connected = plain_socket(transport)
    if connected is not None and not unsent_bytes(transport):
        sent = send_at_once(connected, data)
        if sent == len(data):
            return
        data = data[sent:]
    transport.write(data)


def send_at_once(connected: socket, data: bytes) -> int:
    """Send on a socket; return how much was taken.

    Of all that a small message costs, the reactor's registering and unregistering of a writer is the larger part.
    What the socket does not take, and every error, is left to the transport.
    """
    try:
        return connected.send(data)
    except OSError:
        return 0
