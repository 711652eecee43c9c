"""The example of a site of which other servers answer for a part, and what its page says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from tests.proxy.gateway_in_memory import OK, switch_to_websocket
from tests.proxy.upstream_reactor import UpstreamReactor
from upgradegw import UpgradeSite
from upgradegw.testing import Client


@pytest.fixture
def reactor() -> UpstreamReactor:
    """Connections lead to the test."""
    return UpstreamReactor()


@pytest.fixture
def client(example: Callable[[str], ModuleType], reactor: UpstreamReactor) -> Iterator[Client]:
    """A client of the example."""
    with Client(UpgradeSite(example("proxy_site").root(), reactor=reactor)) as client:
        yield client


def test_the_application(client: Client, reactor: UpstreamReactor) -> None:
    """Its path goes on as it came, told of the client; its WebSockets are tunnels; the chat is served here."""
    pending = client.start_request("GET", "/app/a?b")
    reactor.turn()
    (upstream,) = reactor.upstreams
    head = upstream.received
    assert reactor.tcpClients[0][:2] == ("127.0.0.1", 8000)
    assert head.startswith(b"GET /app/a?b HTTP/1.1\r\nHost: server.example\r\n")
    assert b"\r\nX-Forwarded-For: 192.0.2.7\r\n" in head
    upstream.send(OK)
    assert pending.result().content == b"ok"
    opening = client.start_websocket("/app/live")
    reactor.turn()
    upstream.send(switch_to_websocket(upstream.received[len(head) :]))
    opening.result()
    client.websocket("/chat")


def test_the_feed(client: Client, reactor: UpstreamReactor) -> None:
    """It loses its path and gets a host of its own; one of two servers is asked."""
    client.start_request("GET", "/feed/today")
    reactor.turn()
    assert reactor.upstreams[0].received.startswith(b"GET /today HTTP/1.1\r\nHost: feed.example\r\n")
    assert reactor.tcpClients[0][1] in (8001, 8002)


def test_uploads(client: Client, reactor: UpstreamReactor) -> None:
    """Uploads may be large, and go to the socket; other requests may not."""
    client.start_request("PUT", "/app/uploads/film", content=b"x" * 2_000_000)
    assert reactor.unixClients[0][0] == "/run/uploads.sock"
    assert client.request("PUT", "/app/film", content=b"x" * 2_000_000).status == 413
