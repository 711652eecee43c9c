"""Extended CONNECT to resources: the same decision as over HTTP/1.1, in the words of HTTP/2."""

from __future__ import annotations

from typing import Any

import pytest
import txaio
from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Request
from twisted.web.util import DeferredResource

from tests.http2.client import CANCEL, Client, connect_fields, data, fields, rst
from tests.protocols.websocket.support import TEXT, close, frame, read_frames
from upgradegw import Deny, UpgradeResource, access_events, stream, websocket

WS_FIELDS = ((b"sec-websocket-version", b"13"),)


class Echo(WebSocketServerProtocol):
    """Sends back what it gets, and remembers how it ended."""

    def onMessage(self, payload: bytes, isBinary: bool) -> None:
        self.sendMessage(payload, isBinary)

    def onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        self.factory.closed.append((wasClean, code))


class RawEcho(Protocol):
    """Sends back what it gets."""

    def dataReceived(self, data: bytes) -> None:
        self.transport.write(data)


class Plain(Resource):
    """A resource that knows nothing of upgrades."""

    isLeaf = True

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes] = []

    def render(self, request: Any) -> bytes:
        """Answer any method."""
        self.asked.append(request.method)
        return b"plain"


def make_root(**arguments: Any) -> tuple[Resource, WebSocketServerFactory, Plain]:
    """A tree with an upgrade-only path, a mixed one and a plain one."""
    factory = WebSocketServerFactory()
    factory.protocol = Echo
    factory.closed = []
    plain = Plain()
    root = Resource()
    upgrades = [websocket(factory), stream("feed/2", Factory.forProtocol(RawEcho))]
    root.putChild(b"ws", UpgradeResource(upgrades, **arguments))
    root.putChild(b"mixed", UpgradeResource(upgrades, otherwise=plain))
    root.putChild(b"plain", plain)
    return root, factory, plain


def websocket_fields(path: bytes = b"/ws", *more: tuple[bytes, bytes]) -> Any:
    """An extended CONNECT for a WebSocket."""
    return connect_fields(b"websocket", path, *(more or WS_FIELDS))


class ExtendedConnect(SynchronousTestCase):
    """What an UpgradeResource answers."""

    def setUp(self) -> None:
        """Have a tree."""
        self.root, self.factory, self.plain = make_root()
        self.client = self.connect(self.root)

    def connect(self, root: Any, **arguments: Any) -> Client:
        """Connect to a site with Autobahn's clock on the site's."""
        client = Client(root, **arguments)
        self.patch(txaio.config, "loop", client.reactor)
        return client

    def ask(self, stream_id: int, block: Any) -> Any:
        """Ask, and return the answer."""
        self.client.send(self.client.head(stream_id, block, end=False))
        return self.client[stream_id]

    def test_a_websocket(self) -> None:
        """EC-02, EC-05: 200 with neither Upgrade nor Sec-WebSocket-Accept, then frames both ways, then the end."""
        more = (*WS_FIELDS, (b"sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="))
        answer = self.ask(1, websocket_fields(b"/ws", *more))
        assert {name for name, _ in answer.heads[0]} == {b":status", b"server", b"date"}
        assert answer.status == 200
        self.client.send(data(1, frame(TEXT, b"hello")))
        assert read_frames(answer.body) == [(TEXT, b"hello")]
        self.client.send(data(1, close(1000), end=True))
        assert read_frames(answer.body)[1] == (8, b"\x03\xe8")
        assert (answer.ended, answer.code) == (True, None)
        assert self.factory.closed == [(True, 1000)]

    def test_leading_data(self) -> None:
        """WS-22: frames in one segment with the request are delivered."""
        head = self.client.head(1, websocket_fields(), end=False)
        self.client.send(head + data(1, frame(TEXT, b"a" * 5000)) + data(1, frame(TEXT, b"b")))
        assert read_frames(self.client[1].body) == [(TEXT, b"a" * 5000), (TEXT, b"b")]

    def test_a_protocol_of_ones_own(self) -> None:
        """EC-02, EC-07: a stream() upgrade is asked for by its whole token."""
        assert self.ask(1, connect_fields(b"FEED/2", b"/ws")).status == 200
        self.client.send(data(1, b"hello"))
        assert self.client[1].body == b"hello"
        assert self.ask(3, connect_fields(b"feed", b"/ws")).status == 501

    def test_the_token_s_own_rules(self) -> None:
        """EC-06, WS-13: version, origin and subprotocols are judged as ever; a wrong version is told the right one."""
        answer = self.ask(1, websocket_fields(b"/ws", (b"sec-websocket-version", b"8")))
        assert (answer.status, answer.get(b"sec-websocket-version"), answer.get(b"upgrade")) == (400, b"13", None)
        assert self.ask(3, websocket_fields(b"/ws", *WS_FIELDS, (b"origin", b"https://evil.example"))).status == 403
        assert self.ask(5, websocket_fields(b"/ws", *WS_FIELDS, (b"origin", b"http://a.example"))).status == 200
        assert self.ask(7, websocket_fields(b"/ws", *WS_FIELDS, (b"sec-websocket-protocol", b"a, a"))).status == 400

    def test_unknown_protocols(self) -> None:
        """EC-07, A-44: an unknown protocol is 501, on mixed paths too, and no resource is asked."""
        for number, path in enumerate((b"/ws", b"/mixed")):
            answer = self.ask(1 + 2 * number, connect_fields(b"connect-udp", path))
            assert (answer.status, answer.ended) == (501, True)
        assert self.plain.asked == []

    def test_resources_that_do_not_know_it(self) -> None:
        """EC-07, A-44: 405 where there is another resource, 404 where there is none."""
        answer = self.ask(1, websocket_fields(b"/plain"))
        assert (answer.status, answer.get(b"allow")) == (405, b"GET, HEAD")
        assert self.ask(3, websocket_fields(b"/nothing")).status == 404
        assert self.plain.asked == []

    def test_a_resource_that_waits(self) -> None:
        """EC-07: a DeferredResource, as guards return it, is judged by what it leads to."""
        for number, name in enumerate((b"ws", b"plain")):
            waiting: Deferred[Any] = Deferred()
            self.client = self.connect(DeferredResource(waiting))
            answer = self.ask(1, websocket_fields(b"/"))
            assert answer.heads == []
            waiting.callback(self.root.children[name])
            self.client.turn()
            assert answer.status == (200, 405)[number]

    def test_plain_connect(self) -> None:
        """EC-07, A-38: nobody is a tunnel to ``:authority``."""
        block = [(b":method", b"CONNECT"), (b":authority", b"169.254.169.254:80")]
        assert self.ask(1, block).status == 405

    def test_plain_requests(self) -> None:
        """H2-06: without extended CONNECT an upgrade-only path says so with 400, a mixed one answers."""
        self.client.send(self.client.head(1, fields(b"GET", b"/ws")), self.client.head(3, fields(b"GET", b"/mixed")))
        assert self.client[1].status == 400
        assert b"extended CONNECT" in self.client[1].body
        assert (self.client[1].get(b"upgrade"), self.client[1].get(b"connection")) == (None, None)
        assert self.client[3].body == b"plain"

    def test_a_request_that_ends(self) -> None:
        """EC-11: a CONNECT that ends with its head opens nothing, and costs its stream only."""
        self.client.send(self.client.head(1, websocket_fields(), end=True))
        assert self.client[1].heads == []
        assert self.client[1].code is not None
        assert self.ask(3, websocket_fields()).status == 200

    def test_a_function_that_makes_requests(self) -> None:
        """EC-07: requests that know no extended CONNECT are not asked with it."""

        def make(channel: Any, queued: Any) -> Request:
            return Request(channel, queued)

        self.client = self.connect(self.root, requestFactory=make)
        assert self.ask(1, websocket_fields(b"/plain")).status == 501
        self.client.send(self.client.head(3, fields(b"GET", b"/plain")))
        assert self.client[3].body == b"plain"

    def test_deny(self) -> None:
        """WS-12: what authorize says is an ordinary response with its fields."""
        root, _, _ = make_root(authorize=lambda _: Deny(401, ((b"WWW-Authenticate", b"Basic"),), b"who are you?"))
        self.client = self.connect(root)
        answer = self.ask(1, websocket_fields())
        assert (answer.status, answer.get(b"www-authenticate"), answer.body) == (401, b"Basic", b"who are you?")
        assert answer.ended

    def test_events(self) -> None:
        """The log has a line for the switch and one for the end, with the version and the stream's name."""
        events: list[Any] = []
        self.addCleanup(access_events.subscribe(events.append))
        self.ask(1, websocket_fields())
        self.client.send(data(1, close(1000), end=True))
        assert [(event["event"], event["http_version"]) for event in events] == [
            ("switch", "HTTP/2"),
            ("end", "HTTP/2"),
        ]
        assert {event["connection_id"] for event in events} == {events[0]["connection_id"]}
        assert events[0]["connection_id"].endswith("/1")

    # --- Ends.

    def test_the_client_ends_without_a_close(self) -> None:
        """EC-08: END_STREAM without a Close is 1006 for the application, and END_STREAM comes back."""
        self.ask(1, websocket_fields())
        self.client.send(data(1, b"", end=True))
        assert self.client[1].ended
        assert self.factory.closed == [(False, 1006)]

    def test_the_client_resets(self) -> None:
        """EC-08: RST_STREAM is a lost connection, of that stream alone."""
        self.ask(1, websocket_fields())
        self.ask(3, websocket_fields())
        self.client.send(rst(1))
        assert self.factory.closed == [(False, 1006)]
        self.client.send(data(3, frame(TEXT, b"alive")))
        assert read_frames(self.client[3].body) == [(TEXT, b"alive")]

    def test_a_fault_of_the_client(self) -> None:
        """EC-08, WS-15: a broken frame gets Close 1002 and END_STREAM; the streams beside it go on."""
        self.ask(1, websocket_fields())
        self.ask(3, websocket_fields())
        self.client.send(data(1, frame(TEXT, b"unmasked", mask=b"")))
        ((opcode, content),) = read_frames(self.client[1].body)
        assert (opcode, content[:2]) == (8, b"\x03\xea")
        self.client.send(data(1, close(1002)))
        assert (self.client[1].ended, self.client[1].code) == (True, None)
        self.client.send(data(3, frame(TEXT, b"alive")))
        assert read_frames(self.client[3].body) == [(TEXT, b"alive")]

    def test_we_abort(self) -> None:
        """EC-08: an abort of ours is RST_STREAM with CANCEL."""
        protocols: list[Any] = []

        class Aborting(RawEcho):
            def connectionMade(self) -> None:
                protocols.append(self)

        self.client = self.connect(UpgradeResource([stream("echo", Factory.forProtocol(Aborting))]))
        self.ask(1, connect_fields(b"echo", b"/"))
        protocols[0].transport.abortConnection()
        self.client.turn()
        assert self.client[1].code == CANCEL

    def test_stop(self) -> None:
        """At a stop a WebSocket gets Close 1001 on its stream, and the connection GOAWAY; both end in order."""
        self.ask(1, websocket_fields())
        stopped = self.client.site.stop()
        self.client.turn()
        assert read_frames(self.client[1].body) == [(8, b"\x03\xe9")]
        assert self.client.goaway is not None
        self.client.send(data(1, close(1001), end=True))
        self.client.advance(3)
        self.successResultOf(stopped)
        assert self.client.eof


@pytest.mark.parametrize(
    ("scheme", "trusted", "status"), [(b"http", (), 200), (b"https", (), 421), (b"https", ("192.0.2.7",), 200)]
)
def test_scheme(scheme: bytes, trusted: tuple[str, ...], status: int) -> None:
    """EC-10: the scheme is the connection's, unless a trusted proxy says otherwise."""
    root, _, _ = make_root()
    client = Client(root, trusted_proxies=trusted)
    block = [(name, scheme if name == b":scheme" else value) for name, value in websocket_fields()]
    client.send(client.head(1, block, end=False))
    assert client[1].status == status
