"""A server as the operator's pages see it, with a site of its own whose connections are in the table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twisted.web.resource import Resource

from tests.protocols_for_tests import RecorderFactory, echo
from tests.testing.applications import EchoFactory
from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import websocket
from upgradegw.proxy.upstreams import Upstreams
from upgradegw.service.admin.metrics import Metrics
from upgradegw.service.admin.site import AdminPages, AdminSite
from upgradegw.testing import Client, Reactor
from upgradegw.web.drain import Drain
from upgradegw.web.live import Live
from upgradegw.web.resource import UpgradeResource


@dataclass
class Route:
    """A route of a configuration."""

    name: str
    upstreams: list[Any] = field(default_factory=list)
    drain: Drain = field(default_factory=Drain)


class Routed(Resource):
    """The root of a tree with routes: it says by which one a request came."""

    def getChildWithDefault(self, path: bytes, request: Any) -> Any:
        request.upgradegw_route = f"/{path.decode()}"
        return super().getChildWithDefault(path, request)


def tree() -> Resource:
    """A WebSocket and an echo."""
    root = Routed()
    root.putChild(b"ws", UpgradeResource([websocket(EchoFactory())]))
    root.putChild(b"echo", UpgradeResource([stream("echo", RecorderFactory(data=echo))]))
    return root


class State:
    """A running server."""

    def __init__(self, client: Client) -> None:
        client.site.live = self.live = Live(client.clock)
        self.ready = True
        self.routes = [Route("/ws"), Route("/echo", [Upstreams(["http://127.0.0.1:8001"])])]
        self.leaving: list[Route] = []


def pages(state: State, metrics: Metrics | None = None, allow: tuple[str, ...] = ("192.0.2.0/24",)) -> Client:
    """Ask the operator's pages."""
    return Client(AdminSite(AdminPages(state, (metrics or Metrics()).registry, allow), reactor=Reactor()))
