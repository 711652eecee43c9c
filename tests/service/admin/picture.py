"""The status page of a server that has run for some days, for pictures of it."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from twisted.internet.task import Clock

from upgradegw.interfaces import EndSummary
from upgradegw.proxy.upstreams import Upstreams
from upgradegw.service.admin.page import status_page
from upgradegw.web.drain import Drain
from upgradegw.web.live import Live

#: Seconds since its start.
NOW = 259_000


@dataclass(frozen=True)
class Person:
    """Who is connected."""

    age: int
    idle: int
    client: str
    route: str
    path: str
    token: str
    subprotocol: str
    http_version: str
    counts: tuple[int, int]

    def switch(self, clock: Clock, live: Live) -> None:
        """Be connected: since then, and idle since then."""
        clock.rightNow = NOW - self.age
        connection = live.begin(vars(self))
        connection.ready(lambda: EndSummary(*self.counts), lambda _code: None, None)
        clock.rightNow = NOW - self.idle
        connection.idle()


V1, V2, CHAT, POD = "HTTP/1.1", "HTTP/2", "chat.v2", "/api/v1/namespaces/web/pods/app-0/exec"
TAILSCALE = "tailscale-control-protocol"
PEOPLE = (
    Person(172_000, 4, "203.0.113.24", "/chat", "/chat/kitchen", "websocket", CHAT, V2, (48_211, 1_730_044)),
    Person(91_300, 610, "2001:db8:7::1c", "/chat", "/chat/kitchen", "websocket", CHAT, V1, (9_822, 640_310)),
    Person(15_500, 0, "198.51.100.7", "/v1.47/", "/v1.47/exec/3f9c/start", "tcp", "", V1, (1_204, 83_886_080)),
    Person(4_980, 12, "192.0.2.90", "k8s.example/", POD, "websocket", "v5.channel.k8s.io", V1, (2_310, 51_022)),
    Person(1_260, 1, "198.51.100.31", "/ts2021", "/ts2021", TAILSCALE, "", V1, (20_480, 71_200)),
    Person(312, 55, "203.0.113.77", "/old-chat", "/old-chat", "websocket", "", V1, (822, 19_400)),
    Person(41, 2, "203.0.113.25", "/chat", "/chat/garden", "websocket", CHAT, V2, (310, 4_402)),
    Person(6, 6, "unix", "/chat", "/chat", "websocket", CHAT, V1, (0, 96)),
)


def _route(clock: Clock, name: str, *urls: str, active: tuple[int, ...] = (), down: int | None = None) -> Any:
    upstreams = [Upstreams(urls, reactor=clock)] if urls else []
    members = upstreams[0]._asked._members if len(urls) > 1 else ()
    for number, (member, under_way) in enumerate(zip(members, active, strict=True)):
        member.active = under_way
        for _ in range(3 if number == down else 0):
            member.failed("no answer")
    return SimpleNamespace(name=name, upstreams=upstreams, drain=Drain())


def status() -> bytes:
    """Return the page."""
    clock = Clock()
    live = Live(clock)
    live.switched = 18_346
    for person in PEOPLE:
        person.switch(clock, live)
    clock.rightNow = NOW
    (*_, last) = live
    last.drain()
    leaving = _route(clock, "/old-chat", "http://10.1.0.4:9000")
    leaving.drain.add(clock)
    chats = [f"http://10.1.0.{number}:9000" for number in (5, 6, 7)]
    routes = [
        _route(clock, "/chat", *chats, active=(3, 2, 0), down=2),
        _route(clock, "/v1.47/", "unix:/run/docker.sock"),
        _route(clock, "k8s.example/", "https://10.1.0.2:6443", "https://10.1.0.3:6443", active=(7, 5)),
        _route(clock, "/ts2021", "http://127.0.0.1:8085"),
        _route(clock, "/"),
    ]
    state: Any = SimpleNamespace(live=live, ready=True, routes=routes, leaving=[leaving])
    return status_page(state, "number", "")
