"""A gateway in memory: a client of ``upgradegw.testing`` in front, the test as the upstream behind."""

from __future__ import annotations

import re
from typing import Any, Self

from tests.proxy.upstream_reactor import UpstreamReactor
from upgradegw.events import access_events
from upgradegw.negotiation.websocket import accept_value
from upgradegw.proxy.resource import ProxyResource
from upgradegw.testing import Client
from upgradegw.testing.connection import Connection
from upgradegw.web.site import UpgradeSite

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Gateway:
    """A site that passes everything on to one upstream."""

    def __init__(
        self, *tokens: str, over: Any = "http/1.1", address: str = "http://192.0.2.2:8080", **options: Any
    ) -> None:
        self.reactor = UpstreamReactor()
        self.resource = ProxyResource(address, upgrades=tokens or ("websocket",), **options)
        self.site = UpgradeSite(self.resource, reactor=self.reactor)
        self.client = Client(self.site, over)
        self.events: list[Any] = []

    def __enter__(self) -> Self:
        self._unsubscribe = access_events.subscribe(self.events.append)
        return self

    def __exit__(self, *_: object) -> None:
        self._unsubscribe()
        self.client.close()
        self.resource.close()

    @property
    def upstream(self) -> Connection:
        """The upstream's end of the newest connection."""
        self.reactor.turn()
        return self.reactor.upstreams[-1]  # type: ignore[no-any-return]

    @property
    def end(self) -> Any:
        """The event of the one tunnel that has ended."""
        self.reactor.turn()
        ends = [event for event in self.events if event["event"] == "end"]
        (event,) = (event for event in ends if event["client"] == "192.0.2.7")
        return event

    @property
    def refused(self) -> tuple[int, str]:
        """Status and reason of the last request."""
        self.reactor.turn()
        event = self.events[-1]
        return event["status"], event.get("reason")

    def tunnel(self, token: str = "echo", phrase: bytes = b"Switching Protocols", **arguments: Any) -> tuple[Any, Any]:
        """Switch to a protocol; return both ends."""
        pending = self.client.start_upgrade(token, **arguments)
        upstream = self.upstream
        upstream.send(b"HTTP/1.1 101 %b\r\nConnection: Upgrade\r\nUpgrade: %b\r\n\r\n" % (phrase, token.encode()))
        self.heard(upstream)
        return pending.result(), upstream

    def websocket(self, **arguments: Any) -> tuple[Any, Any]:
        """Open a WebSocket; return both ends."""
        pending = self.client.start_websocket(**arguments)
        upstream = self.upstream
        upstream.send(switch_to_websocket(self.heard(upstream)))
        return pending.result(), upstream

    @property
    def tunnels(self) -> list[Any]:
        """The tunnels that are watched, which are all that have not ended."""
        watch: Any = self.resource.upgrades[0]._route._watch
        return [tunnel for bucket in watch.wheel._buckets.values() for tunnel in bucket]

    def heard(self, upstream: Connection) -> bytes:
        """What the upstream has got since the last time."""
        heard = upstream.received
        upstream._received.clear()
        return heard


def switch_to_websocket(request: bytes, *fields: bytes) -> bytes:
    """The right 101 for a WebSocket request."""
    (key,) = re.findall(rb"(?i)\r\nSec-WebSocket-Key: (.*)\r\n", request)
    lines = [b"HTTP/1.1 101 Switching Protocols", b"Connection: Upgrade", b"Upgrade: websocket"]
    return b"\r\n".join([*lines, b"Sec-WebSocket-Accept: " + accept_value(key), *fields, b"", b""])
