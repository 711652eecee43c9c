"""The operator's listener on a reactor in memory: opened, told of another configuration, closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.error import CannotListenError
from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.usage import UsageError

from tests.memory import MemoryTransport
from tests.service.gateway.support import Reactor, placed, says
from upgradegw.events import access_events
from upgradegw.service.admin.place import admin_listener
from upgradegw.service.admin.running import AdminService
from upgradegw.service.config.model import Admin, Config, Listen, Tls
from upgradegw.service.gateway.gateway import Gateway
from upgradegw.service.gateway.places import make_listeners
from upgradegw.service.listening import bind_all, release_all
from upgradegw.web.live import Live

TUNNELS = placed(path="/t", proxy="http://127.0.0.1:1", upgrades=("tcp", "IF-T/TLS", "SPDY/3.1"))


class Pages:
    """A gateway and its pages, each on a UNIX socket, served by a reactor in memory."""

    def __init__(self, folder: Path, *routes: Any, allow: tuple[str, ...] = ("unix",), **listen: Any) -> None:
        self.reactor = Reactor()
        self.place = Listen(endpoint=f"unix:{folder}/1.sock:lockfile=0", **listen)
        self.table = Admin(endpoint=f"unix:{folder}/admin.sock:lockfile=0", allow=allow)
        self.table.placed("g.toml: [admin]", {})
        config = self.config(*routes)
        listener = admin_listener(config)
        assert listener is not None
        self.listeners = make_listeners(config.listen)
        bind_all([*self.listeners, listener])
        try:
            self.gateway = Gateway(self.reactor, config, self.listeners, live=Live(self.reactor))
            self.service = AdminService(self.reactor, self.table, listener, self.gateway)
        except UsageError:  # as the command does
            release_all([*self.listeners, listener])
            raise
        self.listeners.append(listener)

    def config(self, *routes: Any) -> Config:
        """A configuration with these routes."""
        return Config(listen=(self.place,), route=routes, admin=self.table)

    def ask(self, path: str) -> bytes:
        """Ask for a page, on a connection of its own."""
        transport = MemoryTransport(peerAddress=IPv4Address("TCP", "192.0.2.7", 40001))
        transport.protocol = self.reactor.ports[0].factory.buildProtocol(transport.getPeer())
        transport.protocol.makeConnection(transport)
        transport.deliver(b"GET %b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode())
        answer: bytes = transport.value()
        return answer

    def metrics(self) -> str:
        """Scrape."""
        return self.ask("/metrics").decode()


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Callable[..., Pages]]:
    """Make pages, and close them."""
    made: list[Pages] = []

    def make(*routes: Any, **keys: Any) -> Pages:
        made.append(Pages(tmp_path, *routes, **{"allow": ("192.0.2.0/24", "unix"), **keys}))
        return made[-1]

    yield make
    for each in made:
        each.service.close()
        each.gateway.entrances.stop_watching()
        release_all(each.listeners)


def switched(route: str, token: str) -> None:
    """A connection has been switched somewhere."""
    access_events.emit("", event="switch", seconds=0.1, token=token, route=route, http_version="HTTP/1.1")


@pytest.fixture
def log() -> Iterator[list[LogEvent]]:
    """What is logged meanwhile."""
    events: list[LogEvent] = []
    globalLogPublisher.addObserver(events.append)
    yield events
    globalLogPublisher.removeObserver(events.append)


def test_it_opens_and_says_where(pages: Callable[..., Pages], log: list[LogEvent], tmp_path: Path) -> None:
    """Nothing is there before; then its place is in the log, and it answers for the gateway, which is not ready yet."""
    made = pages(says("/a", "1"))
    assert made.reactor.ports == []
    made.service.open()
    assert [event["url"] for event in log if "url" in event] == [f"unix:{tmp_path}/admin.sock"]
    assert made.ask("/healthz").startswith(b"HTTP/1.1 200 ")
    assert made.ask("/readyz").startswith(b"HTTP/1.1 503 ")
    made.gateway.entrances.open()
    assert made.ask("/readyz").startswith(b"HTTP/1.1 200 ")


def test_it_counts_from_its_opening_to_its_end(pages: Callable[..., Pages]) -> None:
    """Tokens and routes are those of the configuration; what is asked here is not counted."""
    made = pages(TUNNELS)
    switched("/t", "tcp")
    made.service.open()
    for token in ("tcp", "IF-T/TLS 1.0", "SPDY/3.1", "SPDY/9", "websocket", "TLS/1.3", "mystery"):
        switched("/t", token)
    made.ask("/healthz")
    text = made.metrics()
    for token, number in {"tcp": 1, "if-t/tls": 1, "spdy/3.1": 1, "websocket": 1, "other": 3}.items():
        assert f'upgradegw_upgrades_total{{http_version="HTTP/1.1",route="/t",token="{token}"}} {number}.0' in text
    assert "upgradegw_requests_total{" not in text
    assert "process_resident_memory_bytes " in text
    made.service.close()
    switched("/t", "tcp")
    sample = "upgradegw_upgrades_total", {"http_version": "HTTP/1.1", "route": "/t", "token": "tcp"}
    assert made.service._metrics.registry.get_sample_value(*sample) == 1


def test_switches_to_tls_have_tokens_where_a_listener_makes_them(pages: Callable[..., Pages]) -> None:
    """RFC 2817: each version that is offered."""
    made = pages(TUNNELS, tls=Tls(cert="self-signed"), tls_upgrade=True)
    made.service.open()
    for token in ("TLS/1.3", "TLS/1.2", "TLS/1.0"):
        switched("", token)
    for token in ("tls/1.3", "tls/1.2", "other"):
        assert (
            f'upgradegw_upgrades_total{{http_version="HTTP/1.1",route="other",token="{token}"}} 1.0' in made.metrics()
        )


def test_another_configuration(pages: Callable[..., Pages]) -> None:
    """New routes and tokens are known from the reload on, and earlier ones stay."""
    made = pages(TUNNELS)
    made.service.open()
    made.gateway.adopt(
        made.gateway.prepare(made.config(placed(path="/n", proxy="http://127.0.0.1:1", upgrades=("n",))))
    )
    made.service.refresh()
    for route, token in (("/t", "tcp"), ("/n", "n")):
        switched(route, token)
        assert (
            f'upgradegw_upgrades_total{{http_version="HTTP/1.1",route="{route}",token="{token}"}} 1.0' in made.metrics()
        )
    assert b"<td class=any>/n</td>" in made.ask("/")


def test_a_network_that_is_none(pages: Callable[..., Pages]) -> None:
    """The message names the key."""
    with pytest.raises(UsageError, match=r"^g\.toml: \[admin\].*allow"):
        pages(says("/a", "1"), allow=("10.0.0.0/33",))


class Endpoint:
    """One whose answer is given."""

    def __init__(self, answer: Deferred[Any]) -> None:
        self.answer = answer

    def listen(self, _factory: Any) -> Deferred[Any]:
        return self.answer


def test_an_endpoint_that_fails(pages: Callable[..., Pages], log: list[LogEvent]) -> None:
    """At once, the process ends for it; later, the log says so, and the gateway serves on."""
    made = pages(says("/a", "1"))
    made.service._endpoint = Endpoint(fail(CannotListenError(None, 9090, OSError("in use"))))
    with pytest.raises(CannotListenError):
        made.service.open()
    made.service.close()
    answer: Deferred[Any] = Deferred()
    made.service._endpoint = Endpoint(answer)
    made.service.open()
    answer.errback(RuntimeError("no such plugin here"))
    (event,) = [event for event in log if "log_failure" in event]
    assert event["option"] == "g.toml: [admin]"
