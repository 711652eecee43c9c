"""What a request leaves behind: nothing that only the garbage collector for circles would find.

That one comes rarely in a server with many connections, and until it comes every handshake would cost kilobytes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from tests.proxy.gateway_in_memory import OK, Gateway, switch_to_websocket
from upgradegw.proxy.exchange import UpstreamRequest
from upgradegw.proxy.forwarding import Forwarding
from upgradegw.proxy.http1.connection import Http1Connection
from upgradegw.proxy.http1.exchange import Http1Exchange
from upgradegw.proxy.http1.reading import ResponseReader

_OF_A_REQUEST = (Forwarding, Http1Exchange, UpstreamRequest)
_OF_A_CONNECTION = (Http1Connection, ResponseReader)


_before: list[Any] = []


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    """What earlier tests left does not count, and nothing of this one is collected."""
    gc.collect()
    gc.disable()
    _before[:] = _kept(*_OF_A_REQUEST, *_OF_A_CONNECTION)
    yield
    _before.clear()
    gc.enable()


def _kept(*kinds: Any) -> list[Any]:
    return [kept for kept in gc.get_objects() if isinstance(kept, kinds)]


def _left(*kinds: Any) -> list[str]:
    earlier = set(map(id, _before))
    return [type(kept).__name__ for kept in _kept(*kinds) if id(kept) not in earlier]


def _asked(gateway: Gateway) -> bytes:
    """What the upstream heard; a request is under way."""
    heard = gateway.heard(gateway.upstream)
    assert len(_left(*_OF_A_REQUEST)) == 3
    return heard


def test_a_switch() -> None:
    """Behind a switch there is the tunnel, and nothing of the request that asked for it."""
    with Gateway() as gateway:
        pending = gateway.client.start_websocket("/")
        gateway.upstream.send(switch_to_websocket(_asked(gateway)))
        websocket = pending.result()
        assert _left(*_OF_A_REQUEST, *_OF_A_CONNECTION) == []
        websocket.tunnel.lose()


def test_a_response() -> None:
    """A response leaves the connection, kept for the next request, and nothing else."""
    with Gateway() as gateway:
        pending = gateway.client.start_request("GET", "/")
        _asked(gateway)
        gateway.upstream.send(OK)
        assert pending.result().status == 200
        assert _left(*_OF_A_REQUEST) == []


def test_an_upstream_that_is_gone() -> None:
    """A 502 leaves nothing."""
    with Gateway() as gateway:
        pending = gateway.client.start_request("GET", "/")
        _asked(gateway)
        gateway.upstream.lose()
        assert pending.result().status == 502
        assert _left(*_OF_A_REQUEST) == []


def test_a_client_that_is_gone() -> None:
    """Nor does a client that did not wait for its answer."""
    with Gateway() as gateway:
        gateway.client.start_request("GET", "/")
        _asked(gateway)
        gateway.client.connections[0].abort()
        gateway.reactor.turn()
        assert _left(*_OF_A_REQUEST) == []
