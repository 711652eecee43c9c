"""--check=connect: an upstream in memory is asked a request and handshakes, and what it answers is told."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from tests.proxy.upstream_in_memory import OK, SWITCH, Line, World
from upgradegw.negotiation.websocket import accept_value
from upgradegw.service.check_answers import SETTLING
from upgradegw.service.check_upstreams import Finding, ask_all, ask_upstream
from upgradegw.service.config.model import Health, Route
from upgradegw.service.gateway.building import build_routes

WEBSOCKET = (
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %b\r\n\r\n"
)


class Asking:
    """One upstream that is asked everything."""

    def __init__(self, tokens: Iterable[str] = (), **keys: object) -> None:
        self.world = World(max_idle=0)
        self.findings: list[Finding] = []
        self.ended: list[Line] = []
        route = Route(path="/x", proxy="http://192.0.2.1:8080", **keys)  # type: ignore[arg-type]

        async def ask() -> None:
            self.findings += [
                each async for each in ask_upstream(self.world.upstream, route, tokens, self.world.reactor)
            ]

        self.done = Deferred.fromCoroutine(ask())

    def answer(self, response: bytes) -> tuple[Line, bytes]:
        """Answer the next request."""
        line = self.world.connect()
        line.loseWriteConnection = lambda: self.ended.append(line)  # type: ignore[attr-defined]
        heard = line.heard()
        if b"%b" in response:
            match = re.search(rb"Sec-WebSocket-Key: (\S+)\r\n", heard)
            assert match is not None
            response %= accept_value(match[1])
        line.say(response)
        return line, heard

    def told(self) -> list[dict[str, str | None]]:
        """Wait until upstreams have settled; return what has been found, without the time that it took."""
        self.world.advance(SETTLING)
        if isinstance(self.done.result if self.done.called else None, Failure):
            self.done.result.raiseException()
        return [{name: value for name, value in each.pairs.items() if name != "seconds"} for each in self.findings]

    @property
    def wrong(self) -> list[bool]:
        return [each.wrong for each in self.findings]


FIRST = {"http": "HTTP/1.1", "status": "200"}


@pytest.mark.parametrize(
    ("keys", "target", "host"),
    [
        ({}, b"/x", b"192.0.2.1:8080"),
        ({"strip_path": True}, b"/", b"192.0.2.1:8080"),
        ({"health": Health(path="/healthz")}, b"/healthz", b"192.0.2.1:8080"),
        ({"host": "a.example"}, b"/x", b"a.example"),
        ({"host": "*.example"}, b"/x", b"192.0.2.1:8080"),
        ({"host": "a.example", "proxy_host": "upstream"}, b"/x", b"192.0.2.1:8080"),
        ({"proxy_host": "b.example"}, b"/x", b"b.example"),
    ],
)
def test_a_real_request(keys: dict[str, object], target: bytes, host: bytes) -> None:
    """For the route's path as the upstream sees it, or where it says how it is; with the Host that clients cause."""
    asking = Asking(**keys)
    _, heard = asking.answer(OK)
    assert heard.startswith(b"GET %b HTTP/1.1\r\nHost: %b\r\n" % (target, host))
    assert (asking.told(), asking.wrong) == ([FIRST], [False])


def test_an_upstream_that_is_not_there() -> None:
    """That is wrong, and is said once, not for each token."""
    asking = Asking(("tcp", "websocket"))
    asking.world.refuse()
    (told,) = asking.told()
    assert (told["error"], asking.wrong) == ("upstream_unreachable", [True])


def test_an_upstream_that_breaks_off() -> None:
    """What comes behind the beginning is not waited for; what comes before it is."""
    asking = Asking()
    line, _ = asking.answer(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert asking.told() == []
    line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    assert asking.told() == [FIRST]
    assert line.aborted


def ended(line: Line) -> None:
    """The upstream ends its direction, too."""
    line.end_of_stream()


def reset(line: Line) -> None:
    """The upstream resets the connection."""
    line.reset()


def silent(line: Line) -> None:
    """The upstream's direction stays open."""


@pytest.mark.parametrize(("behave", "shown"), [(silent, "open"), (ended, "ended"), (reset, "reset")])
def test_a_real_handshake(behave: object, shown: str) -> None:
    """With each token: whether it switched, and what becomes of the other direction when ours has ended."""
    asking = Asking(("echo", "*"))
    asking.answer(OK)
    line, heard = asking.answer(SWITCH)
    assert b"\r\nConnection: Upgrade\r\nUpgrade: echo\r\n" in heard
    behave(line)  # type: ignore[operator]
    told = {"token": "echo", "status": "101", "switched": "yes", "half-close": shown}
    assert asking.told() == [FIRST, told]
    assert asking.ended == [line]
    assert (asking.wrong, asking.done.called) == ([False, False], True)


@pytest.mark.parametrize(("said", "shown"), [(b"\x88\x02\x03\xe8", "answered"), (b"", "open")])
def test_a_real_websocket(said: bytes, shown: str) -> None:
    """Accept is checked, and the closing handshake is made."""
    asking = Asking(("websocket",))
    asking.answer(OK)
    line, _ = asking.answer(WEBSOCKET)
    assert line.heard()[:2] == b"\x88\x82"
    line.say(said)
    told = {"token": "websocket", "status": "101", "switched": "yes", "accept": "right", "subprotocol": "none"}
    assert asking.told() == [FIRST, {**told, "close": shown}]


@pytest.mark.parametrize(
    ("token", "response", "detail"),
    [
        ("websocket", WEBSOCKET.replace(b"%b", b"wrong"), "Sec-WebSocket-Accept is wrong, and "),
        ("feed", SWITCH, "a switch to echo, and feed was asked for"),
    ],
)
def test_a_switch_that_nobody_asked_for(token: str, response: bytes, detail: str) -> None:
    """The gateway would answer 502, so it is wrong; the connection is broken off."""
    asking = Asking((token,))
    asking.answer(OK)
    line, _ = asking.answer(response)
    told = asking.told()[1]
    assert (told["error"], asking.wrong, line.aborted) == ("upstream_bad_switch", [False, True], True)
    assert (told["detail"] or "").startswith(detail)


def test_a_lenient_route_passes_what_it_says() -> None:
    """A 101 without Connection: upgrade is right where the route lets it pass."""
    asking = Asking(("echo",), lenient=("no-connection-option",))
    asking.answer(OK)
    asking.answer(SWITCH.replace(b"Connection: Upgrade\r\n", b""))
    assert asking.told()[1]["switched"] == "yes"


def test_no_switch() -> None:
    """A path need not switch, so this is for the reader to judge."""
    asking = Asking(("echo",))
    asking.answer(OK)
    asking.answer(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
    assert asking.told() == [FIRST, {"http": "HTTP/1.1", "token": "echo", "switched": "no", "status": "404"}]
    assert asking.wrong == [False, False]


def test_all_upstreams_of_all_routes() -> None:
    """At once, with a person's patience; what plain requests get is asked for no token."""
    reactor = MemoryReactorClock()
    routes = build_routes(
        [
            Route(path="/a", proxy=("http://192.0.2.1", "http://192.0.2.2"), response_timeout="none"),
            Route(path="/b", host="b.example", proxy="unix:/nowhere.sock"),
            Route(path="/c", redirect="/"),
        ],
        reactor,
    )
    asked = Deferred.fromCoroutine(ask_all(routes, reactor))
    factories = [client[2] for client in reactor.tcpClients] + [client[1] for client in reactor.unixClients]
    for factory in factories:
        factory.clientConnectionFailed(None, Failure(Refused()))
    found: list[Finding] = []
    asked.addCallback(found.extend)
    assert [(each.pairs["path"], each.pairs["host"], each.pairs["upstream"]) for each in found] == [
        ("/a", None, "http://192.0.2.1"),
        ("/a", None, "http://192.0.2.2"),
        ("/b", "b.example", "unix:/nowhere.sock"),
    ]
    assert all(each.wrong for each in found)
