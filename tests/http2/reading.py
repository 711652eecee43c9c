"""A resource that reads content as it comes."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Protocol
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from upgradegw.http.content import deliver_content


class Reader(Protocol):
    """Collects content."""

    def __init__(self) -> None:
        self.data = b""
        self.end: Any = None

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Any = None) -> None:  # type: ignore[override]
        self.end = reason.type


class Streaming(Resource):
    """Reads its content as it comes."""

    isLeaf = True
    streams_content = True

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[Any] = []
        self.readers: list[Reader] = []

    def render(self, request: Any) -> int:
        self.requests.append(request)
        self.readers.append(Reader())
        deliver_content(request, self.readers[-1])
        return NOT_DONE_YET


def length(number: int) -> tuple[bytes, bytes]:
    """Return a Content-Length."""
    return b"content-length", b"%d" % number
