"""The metrics example counts what happens, and no client can make it keep more than it should."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock

from tests.docs.conftest import EXAMPLES
from tests.memory import WEBSOCKET, Memory, MemoryTransport, content_of, fields_of, upgrade_request
from tests.source_tree import ROOT
from tests.testing.applications import echo_tree, ws_tree
from upgradegw.events import access_events
from upgradegw.negotiation.reasons import Reason
from upgradegw.testing import Client, Refused

Values = dict[tuple[str, ...], float]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The example; what it subscribes is gone afterwards."""
    spec = importlib.util.spec_from_file_location("metrics", EXAMPLES / "metrics" / "metrics.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    subscribed: list[Any] = []
    subscribe = access_events.subscribe
    monkeypatch.setattr(access_events, "subscribe", lambda observer: subscribed.append(subscribe(observer)))
    yield module
    for unsubscribe in subscribed:
        unsubscribe()


def values(exposition: bytes) -> Values:
    """Read what Prometheus reads: the name with its labels in alphabetical order, and the value."""
    return {
        (sample.name, *sorted(f"{name}={value}" for name, value in sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition.decode())
        for sample in family.samples
    }


def test_a_site_with_metrics(example: ModuleType) -> None:
    """As the page has it: real handshakes on one port, their metrics on the other, on this machine only."""
    reactor: Any = MemoryReactorClock()
    running = Deferred.fromCoroutine(example.main(reactor))
    running.addErrback(lambda failure: failure.raiseException())
    (port, site, *_), (inside_port, inside, _, interface, *_) = reactor.tcpServers
    assert (port, inside_port, interface) == (8080, 9464, "127.0.0.1")

    def ask(factory: Any, request: bytes) -> MemoryTransport:
        transport = MemoryTransport()
        transport.protocol = factory.buildProtocol(None)
        transport.protocol.makeConnection(transport)
        transport.deliver(request)
        return transport

    assert ask(site, WEBSOCKET).value().startswith(b"HTTP/1.1 101 ")
    answer = ask(inside, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").value()
    assert fields_of(answer)[b"content-type"].startswith(b"text/plain; version=")
    assert values(content_of(answer))["upgradegw_upgraded_connections", "token=websocket"] == 1


def test_what_is_counted(example: ModuleType) -> None:
    """Requests, switches, what is open, ends, refusals, bytes and durations, each under its labels."""
    registry = CollectorRegistry()
    access_events.subscribe(example.Metrics(["websocket"], registry))
    tree = ws_tree()
    tree.putChild(b"echo", echo_tree().children[b"echo"])
    with Client(tree) as client:
        client.get("/plain")
        client.get("/ws")
        with pytest.raises(Refused):
            client.websocket("/ws", origin="https://b.example")
        first, second = client.websocket("/ws"), client.websocket("/ws")
        first.send("tea")
        client.clock.advance(5)
        first.close()
        second.abort()
        client.websocket("/ws")
        client.upgrade("echo", "/echo").lose()
        counted = values(example.generate_latest(registry))
    expected: Values = {
        ("upgradegw_requests_total", "status=200"): 1,
        ("upgradegw_requests_total", "status=403"): 1,
        ("upgradegw_requests_total", "status=426"): 1,
        ("upgradegw_request_seconds_count",): 3,
        ("upgradegw_refusals_total", "reason=no_upgrade"): 1,
        ("upgradegw_refusals_total", "reason=origin_mismatch"): 1,
        ("upgradegw_switches_total", "token=websocket"): 3,
        ("upgradegw_switches_total", "token=other"): 1,
        ("upgradegw_upgraded_connections", "token=websocket"): 1,
        ("upgradegw_upgraded_connections", "token=other"): 0,
        ("upgradegw_ends_total", "reason=closed", "token=websocket"): 1,
        ("upgradegw_ends_total", "reason=lost", "token=websocket"): 1,
        ("upgradegw_ends_total", "reason=closed", "token=other"): 1,
        ("upgradegw_upgraded_seconds_count", "token=websocket"): 2,
        ("upgradegw_upgraded_seconds_sum", "token=websocket"): 10,
        ("upgradegw_upgraded_seconds_bucket", "le=1.0", "token=websocket"): 0,
        ("upgradegw_upgraded_seconds_bucket", "le=10.0", "token=websocket"): 2,
        # A message and a Close, masked; a message and a Close.
        ("upgradegw_upgraded_bytes_total", "direction=in", "token=websocket"): 9 + 8,
        ("upgradegw_upgraded_bytes_total", "direction=out", "token=websocket"): 5 + 4,
    }
    assert {name: counted.get(name) for name in expected} == expected
    assert counted["upgradegw_response_content_bytes_total",] > 0


def test_refusals_on_a_stock_site(example: ModuleType) -> None:
    """There is no ``request`` event there; the refusal counts all the same, and a declined offer is no refusal."""
    registry = CollectorRegistry()
    metrics = example.Metrics([], registry)
    access_events.subscribe(metrics)
    Memory(ws_tree(), stock=True).send(upgrade_request(b"websocket", path=b"/ws"))
    metrics({"event": "request", "status": 200, "seconds": 0.0, "bytes_out": 1, "reason": "no_upgrade"})
    counted = values(example.generate_latest(registry))
    assert {name: value for name, value in counted.items() if name[0] == "upgradegw_refusals_total"} == {
        ("upgradegw_refusals_total", "reason=bad_version"): 1
    }


def test_labels_are_bounded(example: ModuleType) -> None:
    """Whatever comes in as token or reason, there are no more series than tokens and reasons that we know."""
    registry = CollectorRegistry()
    metrics = example.Metrics(["websocket"], registry)
    for number in range(1000):
        about = {"token": f"t{number}", "reason": f"r{number}", "seconds": 0.0, "bytes_in": 0, "bytes_out": 0}
        metrics({"event": "switch", **about})
        metrics({"event": "end", **about})
        metrics({"event": "refuse", **about})
    labels = {label for name in values(example.generate_latest(registry)) for label in name[1:]}
    assert {label for label in labels if not label.startswith("le=")} == {
        *("reason=other", "token=other", "direction=in", "direction=out")
    }
    assert {reason.value for reason in Reason} == example.REASONS


def test_the_pages_queries_name_metrics_that_exist(example: ModuleType) -> None:
    """What the page asks for is what the example counts."""
    page = (ROOT / "docs" / "how-to" / "metrics.md").read_text()
    registry = CollectorRegistry()
    example.Metrics([], registry)
    names = {family.name for family in registry.collect()}
    asked = {re.sub("_total$", "", name) for name in re.findall(r"upgradegw_\w+", page)}
    assert asked
    assert asked <= names
