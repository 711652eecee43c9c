"""Who may come to HTTP/2 by an Upgrade field, and what holds there."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.twisted.websocket import WebSocketServerFactory
from twisted.internet.address import IPv4Address
from twisted.internet.testing import MemoryReactorClock

from tests.http1.wire import PEER
from tests.http2.client import fields
from tests.http2.upgrading import Mirror, Upgrading, offering
from upgradegw import UpgradeResource, UpgradeSite, h2c, websocket


@pytest.fixture(params=["UpgradeSite", "stock"])
def upgrading(request: pytest.FixtureRequest) -> Any:
    """Make a client of either kind of site."""
    return lambda *args, **kwargs: Upgrading(*args, stock=request.param == "stock", **kwargs)


@pytest.mark.parametrize("line", [b"Via: 1.1 proxy", b"X-Forwarded-For: 192.0.2.9", b"Forwarded: for=192.0.2.9"])
def test_behind_a_proxy(upgrading: Any, line: bytes) -> None:
    """A-01: to who comes through a proxy that says so the offer is passed over, unless all shall have it."""
    assert not upgrading().send(offering(line)).switched
    assert upgrading(h2c_upgrade="always").send(offering(line)).switched


def test_from_a_trusted_proxy(upgrading: Any) -> None:
    """A-01: nor is a trusted proxy direct, whatever it adds."""
    assert not upgrading(trusted_proxies=[PEER.host]).send(offering()).switched
    assert upgrading(trusted_proxies=["203.0.113.0/24"]).send(offering()).switched


def test_never() -> None:
    """A-01: by default nobody's offer is accepted."""
    client = Upgrading(h2c_upgrade="never").send(offering())
    assert b"GET /a?b HTTP/1.1 " in client.first
    site = UpgradeSite(Mirror(), reactor=MemoryReactorClock())
    assert site.buildProtocol(IPv4Address("TCP", "192.0.2.7", 1)).h2c is None


def test_rules_hold_on_the_streams() -> None:
    """HC-10, A-01: what is not answered over HTTP/1.1 is not answered on a stream."""
    client = Upgrading(allowed_hosts=["a.example"]).send(offering())
    client.go_on()
    other = [(name, b"b.example" if name == b":authority" else value) for name, value in fields()]
    client.send(client.head(3, other))
    assert (client[1].status, client[3].status) == (200, 421)


def test_an_upgrade_resource() -> None:
    """H2-06: a resource that serves upgrades only answers the request on stream 1 as any other on HTTP/2."""

    client = Upgrading(UpgradeResource([websocket(WebSocketServerFactory())])).send(offering(target=b"/"))
    assert client[1].status == 400
    assert b"extended CONNECT" in client[1].body


def test_a_wrong_policy() -> None:
    """What is written wrongly is refused where it is written."""
    for make in (UpgradeSite, h2c):
        with pytest.raises(ValueError, match="'never', 'direct', 'always'"):
            make(Mirror(), h2c_upgrade="sometimes")  # type: ignore[operator]
