"""A resource that takes streams, and protocols that speak on them."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from tests.http2.client import (
    Client,
    connect_fields,
)
from upgradegw.interfaces import EndSummary, IUpgradeResource, Taken, UpgradeInfo
from upgradegw.negotiation.model import Client as Asker
from upgradegw.negotiation.model import RequestHead, UpgradeProtocol
from upgradegw.switching import switch
from upgradegw.takeover import takeable


class Talker(Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.data = b""
        self.end: Any = None

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        assert self.end is None
        self.end = reason.type


@implementer(IHalfCloseableProtocol)
class HalfTalker(Talker):
    """Knows that one side may end before the other."""

    read_ended = False

    def readConnectionLost(self) -> None:
        assert not self.read_ended
        self.read_ended = True

    def writeConnectionLost(self) -> None:
        """Our side has ended."""


@implementer(IUpgradeResource)
class Switching(Resource):
    """Takes the connection of each request, at once or when told to."""

    isLeaf = True

    def __init__(self, make: Any = Talker, *, wait: bool = False) -> None:
        super().__init__()
        self.make, self.wait = make, wait
        self.requests: list[Any] = []
        self.talkers: list[Any] = []
        self.taken: list[Taken] = []
        self.ends: list[EndSummary] = []

    def render(self, request: Any) -> int:
        self.requests.append(request)
        if not self.wait:
            self.switch(request)
        return NOT_DONE_YET

    def switch(self, request: Any) -> Any:
        connection = takeable(request)
        assert connection is not None
        transport = connection.transport_to_be()
        head = RequestHead(b"CONNECT", b"/", b"HTTP/2", (), False, Asker(None, None, None, None))
        info = UpgradeInfo(head, UpgradeProtocol(b"echo"), None, head.client, False, b"HTTP/2")
        taken = connection.take(request)
        assert taken.transport is transport
        self.taken.append(taken)
        self.talkers.append(self.make())
        switch(
            taken,
            (b"", ((b"X-Here", b"yes"),)),
            self.talkers[-1],
            info,
            lambda summarize: self.ends.append(summarize()),
        )
        return connection


def tunnel(root: Any = None, **kwargs: Any) -> tuple[Client, Any, Talker]:
    """Return a client with a tunnel on stream 1."""
    root = root or Switching()
    client = Client(root, **kwargs)
    client.send(client.head(1, connect_fields(), end=False))
    return client, root, root.talkers[0]
