"""Upgrades through the gateway: what is offered to the upstream, and what its answer becomes."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.gateway_in_memory import OK, Gateway, switch_to_websocket
from upgradegw import Allow
from upgradegw.proxy.resource import ProxyResource
from upgradegw.proxy.upgrades import parse_tokens
from upgradegw.testing import Refused
from upgradegw.testing.client import TRANSPORTS

every_transport = pytest.mark.parametrize("over", TRANSPORTS)


def _lines(head: bytes) -> list[bytes]:
    return head.split(b"\r\n\r\n")[0].split(b"\r\n")


@every_transport
def test_a_websocket(over: Any) -> None:
    """Subprotocol and extensions pass in both directions, on every version in front; on HTTP/2 a key is made."""
    with Gateway(over=over) as gateway:
        pending = gateway.client.start_websocket("/x?y", subprotocols=["chat"], fields={"X-A": "1"})
        upstream = gateway.upstream
        request = gateway.heard(upstream)
        assert request.startswith(b"GET /x?y HTTP/1.1\r\nHost: server.example\r\n")
        lines = [line.lower() for line in _lines(request)]
        for line in (b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13", b"x-a: 1"):
            assert lines.count(line) == 1
        assert b"sec-websocket-protocol: chat" in lines
        assert sum(line.startswith(b"sec-websocket-key:") for line in lines) == 1
        upstream.send(switch_to_websocket(request, b"Sec-WebSocket-Protocol: chat", b"X-B: 2"))
        websocket = pending.result()
        assert websocket.subprotocol == "chat"
        assert websocket.response.get("X-B") == b"2"
        assert websocket.response.get("Server") is None
        assert (websocket.response.get("Sec-WebSocket-Accept") is None) == gateway.client.http2
        websocket.send("hello")
        assert b"\x81\x85" in gateway.heard(upstream)
        websocket.tunnel.lose()


def test_a_subprotocol_that_is_no_token() -> None:
    """The names that kubectl and the API server of Kubernetes agree on pass, though ``/`` is in no token."""
    name = "SPDY/3.1+portforward.k8s.io"
    with Gateway() as gateway:
        pending = gateway.client.start_websocket("/portforward", fields={"Sec-WebSocket-Protocol": name})
        request = gateway.heard(gateway.upstream)
        assert b": " + name.encode() + b"\r\n" in request
        gateway.upstream.send(switch_to_websocket(request, b"Sec-WebSocket-Protocol: " + name.encode()))
        websocket = pending.result()
        assert websocket.response.get("Sec-WebSocket-Protocol") == name.encode()
        websocket.tunnel.lose()


def test_the_101_as_it_came() -> None:
    """Reason phrase, repeated fields and the upstream's own are kept (docker, kubectl)."""
    with Gateway("*") as gateway:
        pending = gateway.client.start_upgrade("spdy/3.1", method="POST", fields=[("X-V", "v5"), ("X-V", "v4")])
        upstream = gateway.upstream
        request = gateway.heard(upstream)
        assert request.startswith(b"POST / HTTP/1.1\r\n")
        assert b"X-V: v5\r\nX-V: v4\r\n" in request
        assert b"Upgrade: spdy/3.1\r\n" in request
        upstream.send(
            b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\n"
            b"Upgrade: SPDY/3.1\r\nX-C: a\r\nSet-Cookie: a\r\nSet-Cookie: b\r\nServer: theirs\r\n\r\n"
        )
        tunnel = pending.result()
        head = gateway.client.connections[0].received
        assert head.startswith(b"HTTP/1.1 101 UPGRADED\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\n")
        assert head.count(b"Server: theirs\r\n") == head.lower().count(b"server:") == 1
        assert b"Content-Type: application/vnd.docker.raw-stream\r\n" in head
        assert b"Set-Cookie: a\r\nSet-Cookie: b\r\n" in head
        tunnel.lose()
        upstream.lose()
        assert gateway.end["token"] == "SPDY/3.1"


def test_content_goes_first() -> None:
    """docker exec: the content of the request goes to the upstream before anything is a tunnel."""
    with Gateway("tcp") as gateway:
        connection = gateway.client.connect()
        connection.send(
            b"POST /exec HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
            b"Content-Length: 29\r\n\r\n"
        )
        upstream = gateway.upstream
        assert b"Content-Length: 29\r\n" in gateway.heard(upstream)
        connection.send(b'{"Detach":false')
        assert gateway.heard(upstream) == b'{"Detach":false'
        connection.send(b',"Tty":false}\nbehind')
        assert gateway.heard(upstream) == b',"Tty":false}\n'
        upstream.send(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nhello")
        assert gateway.heard(upstream) == b"behind"
        assert connection.received.endswith(b"\r\n\r\nhello")
        upstream.lose()


def test_all_that_is_allowed_is_offered() -> None:
    """The tokens that the route allows go on in the client's order, the others stay here; the upstream chooses."""
    with Gateway("TLS/1.2", "TLS/1.3") as gateway:
        pending = gateway.client.start_upgrade("TLS/1.3, foo, TLS/1.2", method="OPTIONS", path="*")
        upstream = gateway.upstream
        request = gateway.heard(upstream)
        assert request.startswith(b"OPTIONS * HTTP/1.1\r\n")
        assert b"\r\nUpgrade: TLS/1.3, TLS/1.2\r\n" in request
        upstream.send(b"HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: TLS/1.2\r\nContent-Length: 0\r\n\r\n")
        assert b"Upgrade: TLS/1.2\r\n" in gateway.client.connections[0].received
        assert pending.answered
        upstream.lose()


@pytest.mark.parametrize("status", [401, 426, 200])
@pytest.mark.parametrize("over", ["http/1.1", "tls"])
def test_another_answer(over: Any, status: int) -> None:
    """Whatever the upstream answers instead is the client's, and both connections go on."""
    with Gateway("websocket", "tcp", over=over) as gateway:
        pending = gateway.client.start_websocket()
        upstream = gateway.upstream
        upstream.send(
            b"HTTP/1.1 %d Other\r\nUpgrade: h2c, tcp, foo\r\nConnection: upgrade\r\nContent-Length: 4\r\n\r\nsome"
            % status
        )
        with pytest.raises(Refused) as caught:
            pending.result()
        response = caught.value.response
        assert (response.status, response.content) == (status, b"some")
        assert response.get("Upgrade") == b"tcp"
        again = gateway.client.start_request("GET", "/")
        upstream.send(OK)
        assert again.result().content == b"ok"
        assert len(gateway.client.connections) == len(gateway.reactor.upstreams) == 1


@pytest.mark.parametrize("over", ["http/2", "http/2+tls"])
def test_another_answer_on_http2(over: Any) -> None:
    """A refusal passes as its status, without Upgrade, which HTTP/2 does not have (RFC 9113 section 8.6)."""
    with Gateway(over=over) as gateway:
        pending = gateway.client.start_websocket()
        gateway.upstream.send(
            b"HTTP/1.1 426 No\r\nUpgrade: websocket\r\nConnection: upgrade\r\nContent-Length: 0\r\n\r\n"
        )
        with pytest.raises(Refused) as caught:
            pending.result()
        assert caught.value.response.status == 426
        assert caught.value.response.get("Upgrade") is None


@pytest.mark.parametrize("over", ["http/2", "http/2+tls"])
def test_success_on_http2_is_a_tunnel_or_none(over: Any) -> None:
    """A 200 of the upstream's would tell the client that it has its tunnel (RFC 8441 section 5): 502."""
    with Gateway(over=over) as gateway:
        pending = gateway.client.start_websocket()
        upstream = gateway.upstream
        upstream.send(OK)
        with pytest.raises(Refused) as caught:
            pending.result()
        assert caught.value.response.status == 502
        assert gateway.refused == (502, "upstream_bad_switch")
        assert upstream.aborted


def test_a_long_answer() -> None:
    """An answer in place of a switch is streamed, and one that is cut looks cut."""
    with Gateway() as gateway:
        pending = gateway.client.start_websocket()
        upstream = gateway.upstream
        upstream.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        assert pending.response is not None
        assert pending.response.content == b"12345"
        upstream.abort()
        assert pending.closed
        assert gateway.refused[1] == "upstream_closed"


def test_the_upstream_does_not_answer() -> None:
    """504 after its own time, which no other deadline cuts short."""
    with Gateway() as gateway:
        pending = gateway.client.start_websocket()
        gateway.upstream.turn()
        gateway.reactor.advance(50)
        assert not pending.answered
        gateway.reactor.advance(20)
        with pytest.raises(Refused) as caught:
            pending.result()
        assert caught.value.response.status == 504


def test_what_authorize_adds() -> None:
    """Its fields are on the 101, and on any other answer."""
    allow = Allow(fields=((b"X-User", b"me"), (b"Set-Cookie", b"s=1")))
    with Gateway(authorize=lambda _request: allow) as gateway:
        websocket, upstream = gateway.websocket()
        assert websocket.response.get("X-User") == b"me"
        websocket.tunnel.lose()
        upstream.lose()
        pending = gateway.client.start_websocket()
        gateway.upstream.send(b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
        with pytest.raises(Refused) as caught:
            pending.result()
        assert caught.value.response.get("X-User") == b"me"
        assert caught.value.response.get("Set-Cookie") == b"s=1"


def test_origins() -> None:
    """Pages of all origins may ask unless the route says otherwise; then the gateway refuses, and asks nobody."""
    with Gateway() as gateway:
        gateway.client.start_websocket(origin="https://other.example")
        assert b"Origin: https://other.example" in gateway.heard(gateway.upstream)
    with Gateway(origins=["https://app.example"]) as gateway:
        with pytest.raises(Refused) as caught:
            gateway.client.websocket(origin="https://other.example")
        assert caught.value.response.status == 403
        assert gateway.reactor.upstreams == []


def test_max_forwards() -> None:
    """OPTIONS that must not go further is answered here (RFC 9110 section 7.6.2)."""
    with Gateway("tcp") as gateway:
        with pytest.raises(Refused) as caught:
            gateway.client.upgrade("tcp", method="OPTIONS", fields={"Max-Forwards": "0"})
        assert caught.value.response.status == 200
        assert gateway.reactor.upstreams == []


# --- Lenient routes.


def _ask(gateway: Gateway, *lines: bytes) -> Any:
    connection = gateway.client.connect()
    connection.send(b"\r\n".join([b"GET / HTTP/1.1", b"Host: a.example", *lines, b"", b""]))
    return connection


def test_if_t_tls() -> None:
    """No Connection: upgrade, a space in the value, in request and 101: only where the route says so."""
    with Gateway("IF-T/TLS 1.0", lenient=["no-connection-option"]) as gateway:
        connection = _ask(gateway, b"Content-Type: EAP", b"Upgrade: IF-T/TLS 1.0", b"Content-Length: 0")
        upstream = gateway.upstream
        assert b"\r\nUpgrade: IF-T/TLS 1.0\r\n" in gateway.heard(upstream)
        upstream.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: IF-T/TLS 1.0\r\n\r\n\0\0")
        assert connection.received.endswith(b"\r\n\r\n\0\0")
        connection.send(b"eap")
        assert gateway.heard(upstream) == b"eap"
        upstream.lose()
    with Gateway("*") as gateway:
        _ask(gateway, b"Upgrade: IF-T/TLS 1.0")
        assert b"Upgrade" not in gateway.heard(gateway.upstream)


def test_websocket_without_key() -> None:
    """HTTPUpgrade of V2Ray: 101 and raw bytes, which at a stop have no frames; only where the route says so."""
    with Gateway(lenient=["websocket-without-key"]) as gateway:
        connection = _ask(gateway, b"Connection: Upgrade", b"Upgrade: websocket")
        upstream = gateway.upstream
        assert b"Sec-WebSocket-Key" not in gateway.heard(upstream)
        upstream.send(b"HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n\1\2\3")
        assert connection.received.endswith(b"\r\n\r\n\1\2\3")
        gateway.site.drain(5)
        gateway.reactor.turn()
        assert connection.ended
        assert gateway.heard(upstream) == b""
        assert upstream.ended
    with Gateway() as gateway:
        connection = _ask(gateway, b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13")
        assert connection.received.startswith(b"HTTP/1.1 400 ")
        assert gateway.reactor.upstreams == []


def test_a_key_is_looked_at_also_there() -> None:
    """With a key it is an ordinary WebSocket, and must be a right one; pages of other origins stay out without one."""
    with Gateway(lenient=["websocket-without-key"], origins=["https://a.example"]) as gateway:
        connection = _ask(gateway, b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Key: x")
        assert connection.received.startswith(b"HTTP/1.1 426 ")
        connection = _ask(gateway, b"Connection: Upgrade", b"Upgrade: websocket", b"Origin: https://b.example")
        assert connection.received.startswith(b"HTTP/1.1 403 ")


# --- Arguments.


@pytest.mark.parametrize("token", ["h2c", "H2", "h2c/1", "", "a b", "IF-T/TLS 1.0", "é", "a/"])
def test_no_token(token: str) -> None:
    """What can be no token, or is never passed on, is refused when the route is made."""
    with pytest.raises(ValueError, match=r"upgrade token|never passed on"):
        parse_tokens([token])


@pytest.mark.parametrize("arguments", [{"lenient": ["all"]}, {"idle_timeout": 0}, {"idle_timeout": True}])
def test_no_argument(arguments: Any) -> None:
    """And so are words and times that are none."""
    with pytest.raises(ValueError, match="must be"):
        ProxyResource("http://192.0.2.2", **arguments)
