"""A client in memory that comes to HTTP/2 by an Upgrade field, and a resource that tells what it was asked."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import Any

from twisted.internet.testing import MemoryReactorClock
from twisted.web.resource import Resource
from twisted.web.server import Site

from tests.http2.client import Client, settings
from upgradegw import UpgradeSite, h2c
from upgradegw.http2.frames import PREFACE


class Mirror(Resource):
    """Tells what it was asked."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        """Answer any method."""
        names = b",".join(sorted(name.lower() for name, _ in request.requestHeaders.getAllRawHeaders()))
        request.setHeader(b"X-Fields", names)
        request.setHeader(b"X-Host", request.getHeader(b"host"))
        return b"%s %s %s %s" % (request.method, request.uri, request.clientproto, request.content.read())


def encoded(values: dict[int, int] | None = None) -> bytes:
    """The value of HTTP2-Settings."""
    return urlsafe_b64encode(settings(values)[9:])


def offering(
    *lines: bytes,
    method: bytes = b"GET",
    target: bytes = b"/a?b",
    version: bytes = b"HTTP/1.1",
    values: dict[int, int] | None = None,
    content: bytes = b"",
) -> bytes:
    """A request that offers HTTP/2."""
    head = [
        method + b" " + target + b" " + version,
        b"Host: a.example",
        b"Connection: Upgrade, HTTP2-Settings",
        b"Upgrade: h2c",
        b"HTTP2-Settings: " + encoded(values),
        *lines,
    ]
    if content:
        head.append(b"Content-Length: %d" % len(content))
    return b"\r\n".join([*head, b"", content])


class Upgrading(Client):
    """A client that begins with HTTP/1.1."""

    def __init__(self, root: Any = None, *, stock: bool = False, h2c_upgrade: str = "direct", **kwargs: Any) -> None:
        root = root or Mirror()
        reactor = MemoryReactorClock()
        site = (
            Site(h2c(root, h2c_upgrade=h2c_upgrade, **kwargs), reactor=reactor)
            if stock
            else UpgradeSite(root, reactor=reactor, h2c_upgrade=h2c_upgrade, **kwargs)
        )
        super().__init__(site=(site, reactor), hello=False)
        self.first = b""

    def _read(self) -> None:
        if not self.first.startswith(b"HTTP/1.1 101"):
            self.first += self.wire.take()
            if not self.first.startswith(b"HTTP/1.1 101") or b"\r\n\r\n" not in self.first:
                return
            head, _, self._in = self.first.partition(b"\r\n\r\n")
            self.first = head + b"\r\n\r\n"
        super()._read()

    @property
    def switched(self) -> bool:
        """Whether a 101 has come."""
        return self.first.startswith(b"HTTP/1.1 101")

    def go_on(self) -> Upgrading:
        """Send what a client sends behind the 101."""
        self.send(PREFACE + settings())
        return self
