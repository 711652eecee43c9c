"""An upstream in memory: it writes down what it is asked, and answers what a test tells it to."""

from __future__ import annotations

from typing import Any

from tests.http1.wire import Wire, make_site
from upgradegw.proxy.exchange import Receiver, ResponseHead, UpstreamError, UpstreamRequest, UpstreamTunnel
from upgradegw.proxy.resource import ProxyResource


class RecordedExchange:
    """One request that was asked, and its answer (``exchange.Exchange``).

    Attributes:
        request: What was asked.
        content: What of the content has come.
        finished: Whether all of it has.
        cancelled: Whether nobody wants the answer any more.
        paused: Whether the answer is not to be read on for now.
        producer: Who produces the content.
        slow: Whether it pauses the producer behind each piece of the content.
    """

    def __init__(self, request: UpstreamRequest, receiver: Receiver) -> None:
        self.request = request
        self.receiver: Any = receiver
        self.content = b""
        self.finished = self.cancelled = self.paused = False
        self.producer: Any = None
        self.slow = False

    # --- For the gateway.

    def write(self, data: bytes) -> None:
        assert not self.finished
        self.content += data
        if self.slow:
            self.producer.pauseProducing()

    def finish(self) -> None:
        assert not self.finished
        self.finished = True

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert streaming
        assert self.producer is None
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def stopProducing(self) -> None:
        self.cancel()

    def cancel(self) -> None:
        self.cancelled = True

    # --- For tests.

    def head(self, status: int = 200, *fields: tuple[bytes, bytes], phrase: bytes = b"OK") -> RecordedExchange:
        """Begin to answer; the length is what Content-Length says."""
        lengths = [int(value) for name, value in fields if name.lower() == b"content-length"]
        head = ResponseHead(status, phrase, fields, b"HTTP/1.1", lengths[0] if lengths else None)
        if not self.cancelled:
            (self.receiver.interim if status < 200 else self.receiver.head)(head)
        return self

    def data(self, *pieces: bytes) -> RecordedExchange:
        """Answer on."""
        for piece in pieces:
            if not self.cancelled:
                self.receiver.data(piece)
        return self

    def end(self) -> None:
        """Complete the answer."""
        if not self.cancelled:
            self.receiver.end()

    def answer(self, status: int = 200, *fields: tuple[bytes, bytes], content: bytes = b"") -> None:
        """Give a whole answer."""
        if not any(name.lower() == b"content-length" for name, _ in fields):
            fields += ((b"Content-Length", b"%d" % len(content)),)
        self.head(status, *fields).data(content).end()

    def fail(self, error: UpstreamError) -> None:
        """There is no answer, or no more of it."""
        if not self.cancelled:
            self.receiver.failed(error)

    def switch(self, tunnel: UpstreamTunnel, *fields: tuple[bytes, bytes]) -> None:
        """Answer with 101."""
        self.receiver.switched(ResponseHead(101, b"Switching Protocols", fields, b"HTTP/1.1"), tunnel)


class RecordedUpstream:
    """Answers nothing by itself (``exchange.Asked``).

    Attributes:
        exchanges: What was asked, in order.
        closed: Whether it was closed.
        slow: Whether it takes content piece by piece.
    """

    http_version = b"HTTP/1.1"

    def __init__(self) -> None:
        self.exchanges: list[RecordedExchange] = []
        self.closed = self.slow = False

    def ask(self, request: UpstreamRequest, receiver: Receiver) -> RecordedExchange:
        self.exchanges.append(RecordedExchange(request, receiver))
        self.last.slow = self.slow
        return self.exchanges[-1]

    def close(self) -> None:
        self.closed = True

    @property
    def only(self) -> RecordedExchange:
        """The one request that was asked."""
        (exchange,) = self.exchanges
        return exchange

    @property
    def last(self) -> RecordedExchange:
        """The request that was asked last."""
        return self.exchanges[-1]


def fields_of(request: UpstreamRequest, *names: bytes) -> list[tuple[bytes, bytes]]:
    """Return the lines of a request that have one of these names, in order, the names in lower case."""
    return [(name.lower(), value) for name, value in request.fields if name.lower() in names]


def values_of(request: UpstreamRequest, name: bytes) -> list[bytes]:
    """Return the values of a field, in order."""
    return [value for _, value in fields_of(request, name)]


def through(*requests: bytes, site: Any = None, **arguments: Any) -> tuple[RecordedUpstream, Wire]:
    """Send requests to a site whose root is a gateway."""
    upstream = RecordedUpstream()
    made, reactor = make_site(ProxyResource(upstream, **arguments), **(site or {}))
    return upstream, Wire(made, reactor).send(*requests)
