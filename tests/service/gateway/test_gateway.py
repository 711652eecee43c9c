"""A gateway that is given another configuration while it serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.python.usage import UsageError

from tests.memory import WEBSOCKET
from tests.service.gateway.support import Running, content, placed, says
from upgradegw.service.config.model import Config, Health, Limits, Listen, Tls

CHAT = placed(path="/chat", websocket="routed_app:ws")
NEWS = placed(path="/news", websocket="routed_app:configured")
CLOSE = b"\x88\x02\x03\xe9"  # Close 1001, RFC 6455 section 7.4.1

Serve = Callable[..., Running]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Make a gateway, and give back what it holds."""
    made: list[Running] = []

    def run(*routes: Any, **keys: Any) -> Running:
        made.append(Running(tmp_path, *routes, **keys))
        return made[-1]

    yield run
    for each in made:
        each.close()


def get(transport: Any, target: bytes, host: bytes = b"a.example") -> bytes:
    """Ask on a connection that stays; return the answer."""
    transport.clear()
    transport.deliver(b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target, host))
    answer: bytes = transport.value()
    return answer


def test_unchanged_routes_keep_their_connections(serve: Serve) -> None:
    """The table is the same, so the resource, its limits and its tunnels are."""
    running = serve(CHAT, says("/a", "1"))
    (chat, _) = running.gateway.routes
    client = running.switch(b"/chat")
    again = placed(path="/chat", websocket="routed_app:ws")
    assert running.change(says("/b", "2"), again, says("/a", "1")) == ["route /b: added"]
    assert running.gateway.routes[1] is chat
    assert client.value() == b""
    assert not client.disconnecting
    assert running.gateway.leaving == []


@pytest.mark.parametrize(
    "routes",
    [
        (says("/a", "1"),),
        (placed(path="/chat", websocket="routed_app:ws", max_fragments=9), says("/a", "1")),
    ],
)
def test_routes_that_go_or_change_end_their_connections(serve: Serve, routes: tuple[Any, ...]) -> None:
    """Close 1001 to their WebSockets, and to nobody else's; what does not answer is aborted in the end."""
    running = serve(CHAT, NEWS, says("/a", "1"), stop_timeout=3.0)
    chat = running.gateway.routes[0]
    client, other = running.switch(b"/chat"), running.switch(b"/news")
    what = "removed" if len(routes) == 1 else "changed"
    assert running.change(NEWS, *routes, stop_timeout=3.0) == [f"route /chat: {what}"]
    assert (client.value(), other.value()) == (CLOSE, b"")
    assert running.gateway.leaving == [chat]
    running.reactor.advance(3.1)
    assert client.disconnected
    assert not other.disconnected
    client.lose()
    assert running.gateway.leaving == []


def test_the_next_request_of_a_connection_finds_the_new_routes(serve: Serve) -> None:
    """A connection that is there is answered from what is in force, over HTTP/1.1 keep-alive."""
    running = serve(says("/a", "1"))
    client = running.connect()
    assert get(client, b"/a").endswith(b"\r\n\r\n1")
    running.change(says("/a", "2"), says("/", "a host's", host="a.example"))
    assert get(client, b"/a").endswith(b"a host's")
    assert get(client, b"/a", b"b.example").endswith(b"\r\n\r\n2")
    assert not client.disconnecting


def test_new_settings_hold_for_new_connections(serve: Serve) -> None:
    """Limits are those of the beginning of a connection; who is trusted is known at once."""
    running = serve(says("/", "1"))
    client = running.connect()
    assert get(client, b"/").startswith(b"HTTP/1.1 200 ")
    changed = running.configuration(
        says("/", "1"), says("/", "hidden", host="b.example"), trusted_proxies=("192.0.2.7",), allowed_hosts=("x.test",)
    )
    running.gateway.adopt(running.gateway.prepare(changed))
    client.clear()
    client.deliver(b"GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Host: b.example\r\n\r\n")
    assert client.value().endswith(b"hidden")
    assert get(running.connect(), b"/").startswith(b"HTTP/1.1 421 ")
    assert get(running.connect(), b"/", b"x.test").startswith(b"HTTP/1.1 200 ")
    assert len(running.reactor.ports) == 1


def test_connections_are_counted_over_all_listeners(serve: Serve) -> None:
    """``max_connections`` is one number for the server, before and after a change."""
    running = serve(says("/", "1"))
    two = running.at(1), running.at(2)
    limits = Limits(max_connections=2)
    running.change(says("/", "1"), listen=two, limits=limits)
    first, second = running.connect(0), running.connect(1)
    assert [get(each, b"/")[9:12] for each in (first, second, running.connect(0))] == [b"200", b"200", b"503"]
    second.lose()
    running.change(says("/", "2"), listen=two, limits=limits)
    assert get(running.connect(1), b"/")[9:12] == b"200"
    assert get(running.connect(1), b"/")[9:12] == b"503"


def test_listeners_come_stay_and_go(serve: Serve) -> None:
    """One that stays is never closed; the connections of one that goes end in order."""
    running = serve(CHAT, stop_timeout=3.0)
    one, two, three = (running.at(number) for number in (1, 2, 3))
    running.change(CHAT, listen=(one, two))
    stays, goes = running.switch(b"/chat", 0), running.switch(b"/chat", 1)
    idle = running.connect(1)
    changes = running.change(CHAT, listen=(three, one), stop_timeout=3.0)
    assert changes == ["g.toml: [[listen]] 3: opened", "g.toml: [[listen]] 2: closed, 2 connections are ending"]
    assert [port.open for port in running.reactor.ports] == [True, False, True]
    assert (stays.value(), goes.value()) == (b"", CLOSE)
    assert idle.disconnecting
    running.reactor.advance(3.1)
    assert goes.disconnected
    assert not stays.disconnected
    assert running.gateway.entrances.urls.count("unix:") == 2


def test_what_a_listener_speaks_can_change(serve: Serve) -> None:
    """The socket stays open, and new connections get the new rules."""
    running = serve(says("/", "1"))
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
    running.change(says("/", "1"), listen=(running.at(1, h2c_prior_knowledge=False),))
    client = running.connect()
    client.deliver(preface)
    assert client.value()[:9] in (b"", b"HTTP/1.1 ")
    running.change(says("/", "1"), listen=(running.at(1),))
    client = running.connect()
    client.deliver(preface)
    assert client.value()[3:4] == b"\4"  # SETTINGS, RFC 9113 section 6.5
    assert [port.open for port in running.reactor.ports] == [True]


@pytest.mark.parametrize("mistake", ["route", "place", "certificate", "trusted", "socket"])
def test_a_mistake_changes_nothing(serve: Serve, tmp_path: Path, mistake: str) -> None:
    """Everything is made before anything is changed; what was bound for it is let go."""
    running = serve(says("/", "1"), CHAT)
    client = running.switch(b"/chat")
    (tmp_path / "file.sock").write_text("")
    wrong: dict[str, dict[str, Any]] = {
        "route": {"route": (placed(path="/", static="/nowhere/at/all"),)},
        "place": {"listen": (running.at(1), running.at(1))},
        "certificate": {"listen": (running.at(2), running.at(1, tls=Tls(cert="/nowhere.pem")))},
        "trusted": {"trusted_proxies": ("nobody",)},
        "socket": {"listen": (running.at(2), Listen(endpoint=f"unix:{tmp_path}/file.sock:lockfile=0"))},
    }
    keys = {"route": (says("/", "2"),), "listen": (running.at(2),), **wrong[mistake]}
    with pytest.raises(UsageError):
        running.gateway.prepare(Config(**keys))
    assert client.value() == b""
    assert content(running, "/") == b"1"
    assert not (tmp_path / "2.sock").exists()
    assert len(running.reactor.ports) == 1


def test_what_counts_at_the_start_alone_is_said(serve: Serve) -> None:
    """Whoever changes such a key learns that it has not changed anything."""
    running = serve(says("/", "1"))
    assert running.change(says("/", "1"), access_log="off") == ["access_log will be what it says at the next start"]


def test_a_route_that_was_drained_begins_anew(serve: Serve) -> None:
    """Whoever has drained a route by hand brings it back with a reload."""
    running = serve(CHAT)
    route = running.gateway.route("/chat")
    assert route is not None
    route.drain()
    client = running.connect()
    client.deliver(WEBSOCKET.replace(b"/ws", b"/chat"))
    assert client.value().startswith(b"HTTP/1.1 503 ")
    assert running.change(CHAT) == ["route /chat: changed"]
    running.switch(b"/chat")


def test_without_routes_there_is_the_demonstration(serve: Serve) -> None:
    """And a line in the log that says so; routes take its place."""
    running = serve()
    assert "demonstration" in running.gateway.notices[0]
    assert get(running.connect(), b"/").startswith(b"HTTP/1.1 200 ")
    running.change(says("/a", "1"))
    assert running.gateway.notices == ()
    assert get(running.connect(), b"/").startswith(b"HTTP/1.1 404 ")


def test_upstreams_of_a_route_that_goes_are_let_go(serve: Serve) -> None:
    """Nobody asks them any more how they are."""
    running = serve(says("/", "1"), placed(path="/p", proxy="http://127.0.0.1:1", health=Health(path="/up")))
    client = running.connect()
    client.deliver(b"GET /p HTTP/1.1\r\nHost: a.example\r\n\r\n")
    running.reactor.pump([1.0] * 30)
    asked = len(running.reactor.tcpClients)
    assert asked > 2
    running.change(says("/", "1"))
    client.lose()
    running.reactor.pump([1.0] * 30)
    assert len(running.reactor.tcpClients) == asked


def test_a_redirect_leads_to_the_listener_with_tls(serve: Serve) -> None:
    """A listener that only redirects answers no request, on the others routes answer."""
    running = serve(says("/", "1"))
    listen = running.at(1), running.at(2, redirect="https", https_port=8443)
    running.change(says("/", "1"), listen=listen)
    assert get(running.connect(0), b"/").endswith(b"\r\n\r\n1")
    assert b"\r\nLocation: https://a.example:8443/x\r\n" in get(running.connect(1), b"/x")
