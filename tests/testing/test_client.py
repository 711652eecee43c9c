"""What the client promises of its site, its clock and its connections."""

from __future__ import annotations

from typing import Any

import pytest
import txaio
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.web.server import NOT_DONE_YET, Site

from tests.testing.applications import EchoFactory, Mirror, ws_tree
from upgradegw import UpgradeSite
from upgradegw.testing import Client, Reactor, Unanswered
from upgradegw.testing.http2 import Http2Connection

# --- The site.


def test_arguments_for_the_site() -> None:
    """What ``UpgradeSite`` takes, the client takes."""
    with Client(Mirror(), allowed_hosts=["tea.example"]) as client:
        assert client.get("/").status == 421


@pytest.mark.parametrize("over", ["http/1.1", "tls"])
def test_a_stock_site(over: Any) -> None:
    """A site of twisted.web is spoken to as well; there the upgrades are those of HTTP/1.1."""
    with Client(Site(ws_tree(), reactor=Reactor()), over) as client:
        assert client.get("/plain").content == b"plain"
        socket = client.websocket("/ws", origin=client.origin)
        socket.send("tea")
        assert socket.messages == ["tea"]
        client.clock.advance(30)
        assert not socket.closed


def test_a_site_of_ones_own() -> None:
    """A subclass, or a site with a requestFactory, is passed as it is."""
    site = UpgradeSite(Mirror(), reactor=Reactor())
    with Client(site) as client:
        assert (client.site, client.clock) == (site, site.reactor)
    with pytest.raises(TypeError, match="max_head came too late"):
        Client(site, max_head=10)


def test_a_site_on_another_reactor() -> None:
    """A site whose time the client cannot tell is refused, with words that help."""
    with pytest.raises(ValueError, match=r"reactor=upgradegw\.testing\.Reactor"):
        Client(UpgradeSite(Mirror(), reactor=MemoryReactorClock()))


def test_a_transport_that_does_not_exist() -> None:
    """A mistyped transport is named beside those that exist."""
    with pytest.raises(ValueError, match=r"'h2'.*'http/2\+tls'"):
        Client(Mirror(), "h2")  # type: ignore[arg-type]


@pytest.mark.parametrize(("over", "why"), [("http/2", "does not speak HTTP/2"), ("http/2+tls", "TLS agreed on")])
def test_a_site_without_http2(over: Any, why: str) -> None:
    """Who does not speak HTTP/2 is told so, instead of waiting."""
    with Client(Mirror(), over, http2=False) as client, pytest.raises(Unanswered, match=why):
        client.get("/")


def test_the_site_is_started_and_stopped() -> None:
    """As a listening port does it."""

    class Counting(UpgradeSite):
        running = 0

        def startFactory(self) -> None:
            self.running += 1

        def stopFactory(self) -> None:
            self.running -= 1

    site = Counting(Mirror(), reactor=Reactor())
    client = Client(site)
    assert site.running == 1
    client.close()
    client.close()
    assert site.running == 0


def test_a_site_that_takes_no_connection() -> None:
    """``buildProtocol`` may return None: the connection ends at once."""

    class Full(UpgradeSite):
        def buildProtocol(self, addr: Any) -> Any:
            return None

    with Client(Full(Mirror(), reactor=Reactor())) as client:
        assert client.connect().ended
        with pytest.raises(Unanswered):
            client.get("/")


# --- Its clock.


def test_autobahns_timers_run_on_the_clock() -> None:
    """While there is a client its clock is Autobahn's, afterwards what it was; also behind an exception."""
    before = txaio.config.loop
    client = Client(Mirror())
    assert txaio.config.loop is client.clock
    client.close()
    assert txaio.config.loop is before
    with pytest.raises(ZeroDivisionError), Client(Mirror()):
        raise ZeroDivisionError
    assert txaio.config.loop is before


def test_a_clock_that_somebody_else_has_set_stays() -> None:
    """What was configured meanwhile is not the client's to undo."""
    mine = Clock()
    with Client(Mirror()):
        txaio.config.loop = mine
    assert txaio.config.loop is mine


def test_closing_leaves_nothing_behind(over: Any) -> None:
    """All connections end, the application hears of it, and no timer is left."""
    factory = EchoFactory()
    with Client(ws_tree(factory), over) as client:
        client.websocket("/ws")
        client.get("/plain")
        client.start_request("GET", "/plain")
    assert factory.only.seen == [(False, 1006)]
    assert all(connection.closed for connection in client.connections)
    client.clock.advance(1)
    assert client.site.connections == set()
    assert client.clock.getDelayedCalls() == []


# --- Its connections.


def test_raw_bytes(over: Any) -> None:
    """A connection for bytes of the test's own; what went over it is on record, inside of TLS if there is TLS."""
    with Client(Mirror(), over) as client:
        connection = client.connect()
        assert (connection.sent, connection.agreed) == (
            b"",
            {"tls": b"http/1.1", "http/2+tls": b"h2"}.get(over),
        )
        if over != "http/2+tls":
            connection.send(b"GET /tea HTTP/1.1\r\nHost: a.example\r\n\r\n")
            assert connection.sent.startswith(b"GET /tea ")
            assert connection.received.startswith(b"HTTP/1.1 200 OK\r\n")
        assert client.connections == [connection]
        connection.lose()
        assert (connection.closed, connection.aborted) == (True, False)


def test_half_a_request(over: Any) -> None:
    """A connection can end its side alone; the site answers what it was asked before."""
    with Client(Mirror(), "http/1.1") as client:
        connection = client.connect()
        connection.send(b"GET /tea HTTP/1.1\r\nHost: a.example\r\n")
        connection.send(b"\r\n")
        connection.half_close()
        assert connection.received.endswith(b"GET /tea ")
        assert (connection.ended, connection.closed) == (True, True)


def test_a_goaway_lets_what_runs_go_on() -> None:
    """H2-08: behind a GOAWAY a client begins nothing new on a connection, and what runs there is answered."""
    requests: list[Any] = []

    class Later(Mirror):
        def render(self, request: Any) -> Any:
            requests.append(request)
            return NOT_DONE_YET

    with Client(Later(), "http/2") as client:
        pending = client.start_request("GET", "/")
        client.site.stop()
        client.clock.turn()
        connection = client.connections[0]
        assert isinstance(connection, Http2Connection)
        assert (connection.going_away, connection.idle, pending.closed) == (0, False, False)
        requests[0].write(b"all of it")
        requests[0].finish()
        assert pending.result().content == b"all of it"
        client.clock.advance(5)
        assert connection.closed
