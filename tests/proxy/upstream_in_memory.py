"""An upstream in memory: connections on a reactor that runs only when told to, and the test at their other end."""

from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure

from tests.memory import MemoryTransport
from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.exchange import Exchange, ResponseHead, UpstreamError, UpstreamRequest, UpstreamTunnel
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upstream import Upstream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"


class Line(MemoryTransport):
    """A connection to an upstream; the test is the upstream."""

    def __init__(self) -> None:
        super().__init__(peerAddress=IPv4Address("TCP", "192.0.2.1", 8080))
        self.paused: list[bool] = []

    def pauseProducing(self) -> None:
        self.paused.append(True)
        super().pauseProducing()

    def resumeProducing(self) -> None:
        self.paused.append(False)
        super().resumeProducing()

    def say(self, *segments: bytes) -> None:
        """Let the upstream send something, as far as somebody listens."""
        for segment in segments:
            if not self.disconnecting:
                self.deliver(segment)

    def heard(self) -> bytes:
        """What has come since the last time."""
        heard = self.value()
        self.clear()
        return heard

    def reset(self) -> None:
        """The upstream resets the connection."""
        self.lose(ConnectionLost())

    @property
    def aborted(self) -> bool:
        return bool(self.disconnected)


class Answer:
    """What a receiver has got: events in order; ``behaviour`` may act at each (``head=…``, ``data=…``, ``end=…``)."""

    exchange: Exchange

    def __init__(self, **behaviour: Any) -> None:
        self.events: list[str] = []
        self.interims: list[ResponseHead] = []
        self.heads: list[ResponseHead] = []
        self.content = b""
        self.error: UpstreamError | None = None
        self.tunnel: UpstreamTunnel | None = None
        self._behaviour = behaviour

    def _note(self, event: str) -> None:
        self.events.append(event)
        if event in self._behaviour:
            self._behaviour[event](self)

    def interim(self, head: ResponseHead) -> None:
        self.interims.append(head)
        self._note("interim")

    def head(self, head: ResponseHead) -> None:
        self.heads.append(head)
        self._note("head")

    def data(self, data: bytes) -> None:
        assert data
        self.content += data
        self._note("data")

    def end(self) -> None:
        self._note("end")

    def switched(self, head: ResponseHead, tunnel: UpstreamTunnel) -> None:
        self.heads.append(head)
        self.tunnel = tunnel
        self._note("switched")

    def failed(self, error: UpstreamError) -> None:
        self.error = error
        self._note("failed")

    @property
    def status(self) -> int:
        (head,) = self.heads
        return head.status

    @property
    def failure(self) -> tuple[str, int]:
        """Reason and status of the failure."""
        assert self.error is not None, self.events
        return self.error.reason.value, self.error.status


def request(method: bytes = b"GET", target: bytes = b"/", **more: Any) -> UpstreamRequest:
    """A request as a route makes it; GET is idempotent."""
    more.setdefault("authority", b"a.example")
    more.setdefault("idempotent", method in {b"GET", b"HEAD", b"PUT"})
    return UpstreamRequest(method, target, **more)


class World:
    """One upstream, and the reactor that it lives on."""

    def __init__(self, address: str = "http://192.0.2.1:8080", **settings: Any) -> None:
        self.reactor = MemoryReactorClock()
        self.upstream = Upstream(UpstreamAddress.parse(address), UpstreamSettings(**settings), self.reactor)
        self.lines: list[Line] = []
        self._served: set[int] = set()

    def ask(self, asked: UpstreamRequest | None = None, *, answer: Answer | None = None, **more: Any) -> Answer:
        """Ask, and connect nothing."""
        answer = answer or Answer()
        answer.exchange = self.upstream.ask(asked or request(**more), answer)
        return answer

    def attempts(self) -> list[tuple[str, Any]]:
        """The connections that are being made: the host, and the factory that gets them; not those given up."""
        made = zip(self.reactor.tcpClients, self.reactor.connectors, strict=True)
        return [
            (client[0], client[2])
            for number, (client, connector) in enumerate(made)
            if number not in self._served and not connector.stoppedConnecting  # type: ignore[attr-defined]
        ]

    @property
    def waiting(self) -> int:
        """How many connections are being made."""
        return len(self.attempts())

    def _serve(self) -> Any:
        _, factory = self.attempts()[0]
        self._served.add(next(n for n, client in enumerate(self.reactor.tcpClients) if client[2] is factory))
        return factory

    def connect(self) -> Line:
        """Let the next connection be made."""
        factory = self._serve()
        line = Line()
        self.lines.append(line)
        line.protocol = factory.buildProtocol(line.getPeer())
        line.protocol.makeConnection(line)
        return line

    def refuse(self) -> None:
        """Let the next connection be refused."""
        self._serve().clientConnectionFailed(None, Failure(Refused()))

    def open(self, **more: Any) -> tuple[Answer, Line]:
        """Ask on a new connection."""
        answer = self.ask(**more)
        return answer, self.connect()

    def advance(self, seconds: float) -> None:
        """Let time pass, a second at a time."""
        while seconds > 0:
            self.reactor.advance(min(1.0, seconds))
            seconds -= 1.0

    def idle(self) -> Line:
        """Return a connection that is idle behind its first request."""
        answer, line = self.open()
        line.say(OK)
        assert answer.events == ["head", "data", "end"], answer.error
        line.heard()
        return line


def gone(line: Line) -> None:
    """The upstream closes in order."""
    line.lose(ConnectionDone())
