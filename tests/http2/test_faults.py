"""A-45: what an application does wrong costs its own stream, and no other."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.http1.wire import Later, Rendered
from tests.http2.client import INTERNAL_ERROR, Client, connect_fields, data, fields, rst
from tests.http2.talking import Switching, Talker
from upgradegw.http.content import deliver_content


class FaultError(Exception):
    """An application's."""


class Faulty(Talker):
    """Fails on everything."""

    def dataReceived(self, data: bytes) -> None:
        raise FaultError

    def connectionLost(self, reason: Any = None) -> None:
        super().connectionLost(reason)
        raise FaultError


class Reader(Protocol):
    """Fails to read."""

    def dataReceived(self, data: bytes) -> None:
        raise FaultError


class Streaming(Resource):
    """Reads content with a reader that fails."""

    isLeaf = True
    streams_content = True

    def render(self, request: Any) -> int:
        deliver_content(request, Reader())
        return NOT_DONE_YET


class Producer:
    """Fails when it is asked for anything."""

    def resumeProducing(self) -> None:
        raise FaultError

    stopProducing = resumeProducing


class Faults(SynchronousTestCase):
    """One application fails; its neighbour on the same connection is served."""

    def neighbour(self, client: Client, path: bytes = b"/") -> None:
        """The connection serves on."""
        client.send(client.head(99, fields(b"GET", path)))
        assert client.goaway is None
        assert client.wire.open

    def test_a_protocol_that_fails(self) -> None:
        """A protocol behind a switch that raises is reset alone, and told the end."""
        root = Switching(Faulty)
        client = Client(root)
        client.send(client.head(1, connect_fields(), end=False), client.head(3, connect_fields(), end=False))
        client.send(data(1, b"x"))
        assert client[1].code == INTERNAL_ERROR
        assert [talker.end is not None for talker in root.talkers] == [True, False]
        self.neighbour(client)
        assert len(self.flushLoggedErrors(FaultError)) >= 1
        self.flushLoggedErrors(RuntimeError)  # the neighbour's: it is no CONNECT
        client.connection.abort()
        client.turn()
        assert root.talkers[1].end is not None
        assert len(client.site.connections) == 0
        self.flushLoggedErrors(FaultError)

    def test_a_reader_that_fails(self) -> None:
        """A reader of content that raises."""
        client = Client(Streaming())
        client.send(client.head(1, fields(b"POST"), end=False) + data(1, b"x"))
        assert client[1].code == INTERNAL_ERROR
        self.neighbour(client)
        assert len(self.flushLoggedErrors(FaultError)) == 1

    def test_a_producer_that_fails(self) -> None:
        """A producer that raises when it is asked, and again when it is stopped."""
        root = Later()
        client = Client(root)
        client.send(client.head(1))
        root.requests[0].registerProducer(Producer(), False)
        client.turn()
        assert client[1].code == INTERNAL_ERROR
        self.neighbour(client)
        assert len(self.flushLoggedErrors(FaultError)) == 2

    def test_a_response_that_is_none(self) -> None:
        """A response that HTTP/2 does not have, such as a 101 with content, is given up (H2-06)."""
        client = Client(Rendered(lambda request: request.setResponseCode(101) or b"x"))
        client.send(client.head(1))
        assert not client[1].ended
        assert client[1].code == INTERNAL_ERROR
        assert client.goaway is None
        self.flushLoggedErrors()

    def test_reset_of_one_that_fails_to_end(self) -> None:
        """A reset reaches the request also if its producer fails to stop."""
        root, log = Later(), []
        client = Client(root, values={4: 0})
        client.send(client.head(1))
        root.requests[0].notifyFinish().addErrback(log.append)
        root.requests[0].registerProducer(Producer(), True)
        client.send(rst(1))
        assert len(log) == 1
        assert len(self.flushLoggedErrors(FaultError)) == 1
