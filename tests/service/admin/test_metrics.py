"""Metrics: what was sent is what is scraped, and no client makes a series."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.service.admin.support import State, pages, tree
from upgradegw.events import access_events
from upgradegw.service.admin.metrics import Metrics
from upgradegw.testing import Client, Refused


@pytest.fixture
def metrics() -> Iterator[Metrics]:
    """Metrics that hear every event, and know two routes and a token."""
    metrics = Metrics(["WebSocket"], ["/ws", "/echo"])
    stop = access_events.subscribe(metrics)
    yield metrics
    stop()


#: The order in which the tests name labels.
LABELS = ("route", "token", "status", "http_version", "direction", "reason")


def scraped(admin: Client) -> dict[str, dict[tuple[str, ...], float]]:
    """What a scrape has: by name, the value for each set of labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(admin.get("/metrics").content.decode()):
        for sample in family.samples:
            labels = tuple(sample.labels[label] for label in LABELS if label in sample.labels)
            if not sample.name.endswith(("_created", "_bucket")):
                found.setdefault(sample.name, {})[labels] = sample.value
    return found


def test_what_was_sent_is_what_is_scraped(metrics: Metrics) -> None:
    """Open and total by route, token and HTTP version; bytes and ends; a token that is not configured is other."""
    with Client(tree()) as gateway, Client(tree(), over="http/2") as second, pages(State(gateway), metrics) as admin:
        sockets = [gateway.websocket("/ws"), gateway.websocket("/ws"), second.websocket("/ws")]
        gateway.upgrade("echo", "/echo").send(b"tea")
        sockets[0].send("tea")
        sockets[0].close()
        values = scraped(admin)
    first, other = ("/ws", "websocket", "HTTP/1.1"), ("/echo", "other", "HTTP/1.1")
    third = ("/ws", "websocket", "HTTP/2")
    assert values["upgradegw_upgrades_total"] == {first: 2, third: 1, other: 1}
    assert values["upgradegw_upgrades_active"] == {first: 1, third: 1, other: 1}
    assert values["upgradegw_upgrades_ended_total"] == {(*first, "closed"): 1}
    assert values["upgradegw_upgraded_bytes_total"] == {
        ("/ws", "websocket", "in"): 9 + 8,
        ("/ws", "websocket", "out"): 5 + 4,
    }
    assert values["upgradegw_upgrade_handshake_seconds_count"] == {("/ws", "websocket"): 3, ("/echo", "other"): 1}


def test_requests_and_refusals(metrics: Metrics) -> None:
    """Responses by status; refusals by reason; a path without a route is other."""
    with Client(tree()) as gateway, pages(State(gateway), metrics) as admin:
        gateway.get("/ws")
        with pytest.raises(Refused):
            gateway.websocket("/ws", origin="https://evil.example")
        gateway.get("/nothing")
        values = scraped(admin)
    assert values["upgradegw_requests_total"][("/ws", "426", "HTTP/1.1")] == 1
    assert values["upgradegw_requests_total"][("/ws", "403", "HTTP/1.1")] == 1
    assert values["upgradegw_requests_total"][("other", "404", "HTTP/1.1")] == 1
    assert values["upgradegw_refusals_total"] == {("/ws", "no_upgrade"): 1, ("/ws", "origin_mismatch"): 1}


def test_no_client_makes_a_series(metrics: Metrics) -> None:
    """Whatever is asked for, there are no more series than before."""
    with Client(tree()) as gateway, pages(State(gateway), metrics) as admin:
        gateway.get("/")
        before = {name: len(samples) for name, samples in scraped(admin).items()}
        for number in range(20):
            gateway.get(f"/{number}")
        assert {name: len(samples) for name, samples in scraped(admin).items()} == before
