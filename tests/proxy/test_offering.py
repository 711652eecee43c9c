"""Offers whose upstream, or whose client, means harm: a tunnel comes of nothing but what was asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.gateway_in_memory import OK, Gateway, switch_to_websocket
from upgradegw.testing import Refused
from upgradegw.testing.client import TRANSPORTS

every_transport = pytest.mark.parametrize("over", TRANSPORTS)

HIDDEN = b"GET /secret HTTP/1.1\r\nHost: a.example\r\n\r\n"
#: A request whose content is still under way.
PART = b"POST / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 9\r\n\r\n1234"
HEAD = b"HTTP/1.1 101 Switching Protocols\r\n"


def _refused(pending: Any) -> int:
    with pytest.raises(Refused) as caught:
        pending.result()
    return caught.value.response.status


#: What comes of an offer of h2c, in all its spellings, on a route that lets everything through.
H2C = [
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
    b"Connection: Upgrade\r\nUpgrade: H2C\r\n",
    b"Connection: Upgrade\r\nUpgrade: foo@, h2c\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2\r\nUpgrade: h2c\r\n",
    b"Connection: Upgrade\r\nUpgrade: h2c/1\r\nHTTP2-Settings: AAMAAABk\r\n",
    b"Connection: close, Upgrade\r\nUpgrade: ,\th2c\t,\r\n",
]


@pytest.mark.parametrize("lines", H2C)
@pytest.mark.parametrize("method", [b"GET", b"POST", b"OPTIONS"])
def test_h2c_is_never_passed_on(lines: bytes, method: bytes) -> None:
    """A-01: the request goes on as a plain one; nothing of HTTP/2 reaches the upstream in any spelling."""
    with Gateway("*") as gateway:
        connection = gateway.client.connect()
        connection.send(method + b" / HTTP/1.1\r\nHost: a.example\r\n" + lines + b"\r\n")
        upstream = gateway.upstream
        request = gateway.heard(upstream).lower()
        assert request.startswith(method.lower() + b" / http/1.1\r\n")
        for word in (b"h2", b"http2-settings", b"upgrade:", b"connection: upgrade"):
            assert word not in request
        upstream.send(OK)
        assert connection.received.startswith(b"HTTP/1.1 200 ")


def test_h2c_beside_another_token() -> None:
    """A-01: the others are offered, and a 101 to h2c is no switch that was asked for."""
    with Gateway("*") as gateway:
        pending = gateway.client.start_upgrade("h2c, echo")
        upstream = gateway.upstream
        request = gateway.heard(upstream)
        assert b"\r\nUpgrade: echo\r\n" in request
        upstream.send(HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
        assert _refused(pending) == 502
        assert upstream.aborted


def test_a_wrong_version_that_the_upstream_would_refuse() -> None:
    """A-02: the gateway refuses it itself, and what was sent behind it is parsed by nobody."""
    with Gateway() as gateway:
        connection = gateway.client.connect()
        connection.send(
            b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 777\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + HIDDEN
        )
        assert connection.received.startswith(b"HTTP/1.1 426 ")
        assert connection.ended
        assert gateway.reactor.upstreams == []


@pytest.mark.parametrize("status", [426, 200, 401, 500])
def test_a_refusal_of_the_upstream_is_no_tunnel(status: int) -> None:
    """A-02, A-05: behind any answer but the 101 nothing of the client's goes on; it is told that the end has come."""
    with Gateway() as gateway:
        connection = gateway.client.connect()
        connection.send(
            b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + HIDDEN
        )
        upstream = gateway.upstream
        assert b"secret" not in gateway.heard(upstream)
        upstream.send(b"HTTP/1.1 %d X\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nno" % status)
        assert connection.received.startswith(b"HTTP/1.1 %d " % status)
        assert b"Connection: close\r\n" in connection.received
        assert connection.ended
        assert gateway.heard(upstream) == b""
        assert connection.received.count(b"HTTP/1.1") == 1


#: What a hostile or broken upstream answers to an offer of websocket, and of tcp.
UNASKED = {
    "another token": HEAD + b"Connection: Upgrade\r\nUpgrade: foo\r\n\r\n",
    "no token": HEAD + b"Connection: Upgrade\r\n\r\n",
    "no connection option": HEAD + b"Upgrade: %t\r\n\r\n",
    "two tokens": HEAD + b"Connection: Upgrade\r\nUpgrade: %t, h2c\r\n\r\n",
    "content": HEAD + b"Connection: Upgrade\r\nUpgrade: %t\r\nContent-Length: 5\r\n\r\n",
}


@every_transport
@pytest.mark.parametrize("name", UNASKED)
def test_a_switch_that_was_not_asked_for(name: str, over: Any) -> None:
    """A-03: 502, one line in the log that compares the two, and no byte of either side reaches the other."""
    with Gateway("websocket", "tcp", over=over) as gateway:
        pending = gateway.client.start_upgrade("tcp", leading=HIDDEN)
        upstream = gateway.upstream
        gateway.heard(upstream)
        upstream.send(UNASKED[name].replace(b"%t", b"tcp") + b"theirs")
        assert _refused(pending) == 502
        assert gateway.refused == (502, "upstream_bad_switch")
        assert gateway.events[-1]["detail"]
        assert upstream.aborted
        assert upstream.received == b""
        assert not any(b"theirs" in connection.received for connection in gateway.client.connections)


@every_transport
def test_a_websocket_that_was_not_meant(over: Any) -> None:
    """A-03: a 101 with the Accept of another key, as a server gives that answers by rote."""
    with Gateway(over=over) as gateway:
        pending = gateway.client.start_websocket()
        upstream = gateway.upstream
        upstream.send(switch_to_websocket(b"\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"))
        assert _refused(pending) == 502
        assert "Sec-WebSocket-Accept" in gateway.events[-1]["detail"]
        assert upstream.aborted


@pytest.mark.parametrize("over", ["http/1.1", "http/2"])
def test_a_switch_to_a_plain_request(over: Any) -> None:
    """A-03: a 101 to a request without an offer (an SSRF that makes the upstream say so) is a 502 as well."""
    with Gateway(over=over) as gateway:
        pending = gateway.client.start_request("POST", "/", content=b"x")
        upstream = gateway.upstream
        upstream.send(HEAD + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert pending.result().status == 502
        assert gateway.refused == (502, "upstream_bad_switch")
        assert upstream.aborted


def test_a_switch_in_the_middle_of_the_content() -> None:
    """A-03: what is left of the request would be the first bytes of the new protocol: 502, and the end for both."""
    with Gateway("tcp") as gateway:
        connection = gateway.client.connect()
        connection.send(PART)
        upstream = gateway.upstream
        upstream.send(HEAD + b"Connection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
        assert connection.received.startswith(b"HTTP/1.1 502 ")
        assert b"Connection: close\r\n" in connection.received
        connection.send(b"56789" + HIDDEN)
        assert upstream.aborted
        assert len(gateway.reactor.upstreams) == 1


def test_an_upstream_that_is_not_there() -> None:
    """502 or 504, as of a plain request; the connection goes on."""
    with Gateway() as gateway:
        gateway.reactor.make = None
        pending = gateway.client.start_websocket()
        assert _refused(pending) == 502
        assert gateway.refused == (502, "upstream_unreachable")


@every_transport
def test_the_client_leaves_while_the_upstream_thinks(over: Any) -> None:
    """The upstream's connection is not left behind, and a 101 that comes too late is nobody's."""
    with Gateway(over=over) as gateway:
        pending = gateway.client.start_websocket()
        upstream = gateway.upstream
        request = gateway.heard(upstream)
        upstream.put(switch_to_websocket(request))
        pending.abort()
        upstream.turn()
        assert upstream.closed
        gateway.client.close()
        assert gateway.reactor.getDelayedCalls() == []


def test_the_client_leaves_in_the_middle_of_the_content() -> None:
    """And nothing is left behind then, either."""
    with Gateway("tcp") as gateway:
        connection = gateway.client.connect()
        connection.send(PART)
        upstream = gateway.upstream
        connection.abort()
        upstream.turn()
        assert upstream.closed


def test_a_stop_while_the_upstream_thinks() -> None:
    """A tunnel that begins behind the beginning of a stop is ended as soon as it is there."""
    with Gateway() as gateway:
        pending = gateway.client.start_websocket()
        upstream = gateway.upstream
        waiting = gateway.site.drain(30)
        upstream.send(switch_to_websocket(gateway.heard(upstream)))
        assert pending.result().close_code == 1001
        upstream.lose()
        gateway.reactor.turn()
        assert waiting.called
