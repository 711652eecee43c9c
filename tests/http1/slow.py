"""Clients that take little at a time, and an answer that is too large for them."""

from __future__ import annotations

from typing import Any

from twisted.web.resource import Resource

from tests.http1.wire import Wire, make_site


class Big(Resource):
    """Answers with many bytes at once."""

    isLeaf = True
    content = bytes(range(256)) * 2000

    def render_GET(self, _request: Any) -> bytes:
        return self.content


def slow(root: Any, **kwargs: Any) -> Wire:
    """A connection whose socket takes little at a time."""
    site, reactor = make_site(root, **kwargs)
    return Wire(site, reactor, buffer=4096)


def ask(wire: Wire, data: bytes) -> None:
    """Send without reading what comes back."""
    wire.socket.send(data)
    wire.turn(read=False)
