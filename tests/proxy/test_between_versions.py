"""Our own site behind our own gateway: a WebSocket application as the upstream, every transport in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.proxy.gateway_in_memory import Gateway
from tests.proxy.upstream_reactor import site_of
from tests.testing.applications import EchoFactory
from upgradegw import Allow, Deny, UpgradeResource, UpgradeSite, websocket
from upgradegw.testing import Refused
from upgradegw.testing.client import TRANSPORTS

#: An upstream of HTTP/2 may answer 421 to a scheme that its connection does not have, and ours does.
SIDES = [(over, f"{scheme}://192.0.2.2") for scheme in ("http", "h2c") for over in TRANSPORTS]


@pytest.fixture(params=SIDES, ids="-".join)
def gateway(request: Any) -> Iterator[Gateway]:
    """A gateway to a site that denies whoever asks for ``/denied``."""
    over, address = request.param
    with Gateway(over=over, address=address) as made:
        factory = EchoFactory(protocols=["chat"], answer=lambda asked: "chat" if "chat" in asked.protocols else None)

        def authorize(asked: Any) -> Any:
            return Deny(403, body=b"no") if asked.path == b"/denied" else Allow()

        root = UpgradeResource([websocket(factory)], authorize=authorize)
        made.reactor.make = site_of(UpgradeSite(root, reactor=made.reactor))
        yield made


def test_messages(gateway: Gateway) -> None:
    """What the application says arrives, however large, and its subprotocol and Close code with it."""
    client = gateway.client.websocket(subprotocols=["foo", "chat"])
    assert client.subprotocol == "chat"
    for message in ("", "hello", "x" * 70_000, "y" * 900_000):
        client.send(message)
        assert client.receive() == message
    client.close(1000)
    assert client.close_code == 1000
    assert gateway.end["reason"] == "closed"
    assert gateway.end["close_code"] == 1000
    assert gateway.end["subprotocol"] == "chat"


def test_a_refusal(gateway: Gateway) -> None:
    """What the application refuses is refused with its own answer."""
    with pytest.raises(Refused) as caught:
        gateway.client.websocket("/denied")
    assert (caught.value.response.status, caught.value.response.content) == (403, b"no")


def test_a_stop(gateway: Gateway) -> None:
    """At the gateway's stop the application and its client read the same: 1001."""
    client = gateway.client.websocket()
    waiting = gateway.site.drain(30)
    gateway.reactor.turn()
    assert client.close_code == 1001
    assert waiting.called
    assert gateway.end["close_code"] == 1001
