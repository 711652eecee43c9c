"""Test an upgrade without a socket, a port or a sleep: a client in memory, for HTTP/1.1, TLS and HTTP/2.

``Client`` speaks to a resource or a site; everything happens before a call returns, and time passes only when
``client.clock.advance`` says so. For tests only: nothing else in the package uses it.
"""

from upgradegw.testing.client import Client
from upgradegw.testing.connection import Connection
from upgradegw.testing.pending import Pending
from upgradegw.testing.reactor import Reactor
from upgradegw.testing.responses import Refused, Response, Unanswered, Violation
from upgradegw.testing.tunnel import Tunnel
from upgradegw.testing.websocket import WebSocket

__all__ = [
    "Client",
    "Connection",
    "Pending",
    "Reactor",
    "Refused",
    "Response",
    "Tunnel",
    "Unanswered",
    "Violation",
    "WebSocket",
]
