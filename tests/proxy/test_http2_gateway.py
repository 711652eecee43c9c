"""A gateway whose upstream speaks HTTP/2: what a client in front sees, over either version."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.web.resource import Resource

from tests.http2.client import CANCEL, data
from tests.protocols_for_tests import RecorderFactory, echo
from tests.proxy.gateway_in_memory import Gateway
from tests.proxy.http2_in_memory import ENABLE_CONNECT_PROTOCOL, server_with
from tests.proxy.upstream_reactor import site_of
from tests.testing.applications import EchoFactory
from upgradegw import UpgradeResource, stream, websocket
from upgradegw.testing import Refused, Unanswered, Violation
from upgradegw.web.site import UpgradeSite

VERSIONS = pytest.mark.parametrize("over", ["http/1.1", "http/2"])


class Said(Resource):
    """Says what it was asked."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        request.setHeader(b"X-Version", request.clientproto)
        return request.method + b" " + request.content.read()  # type: ignore[no-any-return]


def gateway_to(make: Any, *tokens: str, over: Any = "http/1.1") -> Gateway:
    """Return a gateway that passes everything on to what ``make`` makes, or to a site of ours."""
    gateway = Gateway(*tokens, over=over, address="h2c://192.0.2.2:8080")
    if make is None:
        root = UpgradeResource([websocket(EchoFactory()), stream("echo", RecorderFactory(data=echo))], Said())
        make = site_of(UpgradeSite(root, reactor=gateway.reactor))
    gateway.reactor.make = make
    return gateway


@VERSIONS
def test_plain_requests(over: Any) -> None:
    """Requests and content go through, whichever version the client speaks."""
    with gateway_to(None, over=over) as gateway:
        for _ in range(2):
            answer = gateway.client.request("POST", "/", content=b"content")
            assert (answer.status, answer.content) == (200, b"POST content")
            assert answer.get("X-Version") == b"HTTP/2"
        assert len(gateway.reactor.upstreams) == 1


@VERSIONS
def test_a_websocket(over: Any) -> None:
    """A WebSocket in front is an extended CONNECT behind, and the client sees what its version has."""
    with gateway_to(None, over=over) as gateway:
        socket = gateway.client.websocket("/")
        socket.send("tea")
        assert socket.messages == ["tea"]
        socket.close()
        assert socket.close_code == 1000


@VERSIONS
def test_another_token(over: Any) -> None:
    """Any token that the route allows goes the same way."""
    with gateway_to(None, "echo", over=over) as gateway:
        tunnel = gateway.client.upgrade("echo")
        tunnel.send(b"tea")
        assert tunnel.received == b"tea"
        tunnel.half_close()
        assert tunnel.ended


def test_an_upstream_without_extended_connect() -> None:
    """What the upstream cannot do is one clear 502."""
    with gateway_to(server_with({}), "echo") as gateway:
        with pytest.raises(Refused):
            gateway.client.upgrade("echo")
        assert gateway.refused == (502, "upstream_no_switch")


def test_a_response_that_breaks_off() -> None:
    """A stream that is reset within a response never looks like its end (A-39)."""
    with gateway_to(server_with({})) as gateway:
        pending = gateway.client.start_request("GET", "/")
        server = gateway.upstream
        server.say(server.head(1), data(1, b"half"))
        server.reset(1, CANCEL)
        gateway.reactor.turn()
        with pytest.raises((Unanswered, Violation)):
            pending.result()


def test_a_client_that_leaves() -> None:
    """Nobody waits for the response of a client that is gone: the stream is reset."""
    with gateway_to(server_with({})) as gateway:
        gateway.client.start_request("GET", "/")
        server = gateway.upstream
        gateway.client.connections[0].abort()
        gateway.reactor.turn()
        assert server.streams[1].code == CANCEL


def test_a_tunnel_that_the_upstream_breaks() -> None:
    """RST_STREAM behind becomes a break in front."""
    with gateway_to(server_with({ENABLE_CONNECT_PROTOCOL: 1}), "echo") as gateway:
        pending = gateway.client.start_upgrade("echo")
        server = gateway.upstream
        server.say(server.head(1))
        gateway.reactor.turn()
        tunnel = pending.result()
        server.reset(1, CANCEL)
        gateway.reactor.turn()
        assert tunnel.aborted
