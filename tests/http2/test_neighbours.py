"""What one stream does, or what happens to it, and what the connection and its other streams must not notice."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import EncodingResourceWrapper, Resource
from twisted.web.server import NOT_DONE_YET, GzipEncoderFactory

from tests.http1.wire import Later, connect
from tests.http2.client import Client, connect_fields, data, fields, frame, rst, settings, window_update
from tests.http2.talking import tunnel
from tests.producers import Producer
from upgradegw import Deny, UpgradeResource, deliver_content, stream
from upgradegw.http2.frames import Kind


class Neighbours(SynchronousTestCase):
    """One stream and the others."""

    def test_text_instead_of_bytes(self) -> None:
        """A-45: text is refused where it is written, so that it cannot spoil what other streams write."""
        client, _, talker = tunnel()
        with pytest.raises(TypeError):
            talker.transport.write("text")
        talker.transport.write(bytearray(b"bytes"))
        client.turn()
        assert client[1].body == b"bytes"

    def test_bytes_that_nobody_reads(self) -> None:
        """EC-09: what a denied or closed tunnel had not read counts against the connection's window no longer."""
        root = UpgradeResource([stream("echo", Factory.forProtocol(Protocol))], authorize=lambda _: Deny())
        client = Client(root, connection_window=100_000)
        for stream_id in range(1, 21, 2):
            client.send(client.head(stream_id, connect_fields(), end=False) + data(stream_id, b"x" * 16_000, end=True))
            assert client[stream_id].status == 403
        assert client.goaway is None
        opened = sum(each.window_increment for each in client.frames if each.type == Kind.WINDOW_UPDATE)
        assert opened > 10 * 16_000 - 50_000

    def test_a_paused_tunnel_that_is_closed(self) -> None:
        """EC-09: likewise what waits for a protocol that has paused, and closes."""
        client, _, talker = tunnel(connection_window=100_000)
        talker.transport.pauseProducing()
        client.send(*(data(1, b"x" * 15_000) for _ in range(4)))
        client.frames.clear()
        talker.transport.loseConnection()
        client.turn()
        client.send(data(1, b"", end=True))
        assert sum(each.window_increment for each in client.frames if each.type == Kind.WINDOW_UPDATE) >= 50_000

    def test_heads_in_pieces(self) -> None:
        """A-25: each head has its own time, however the client's segments cut them."""
        client = Client(Later(), head_timeout=2, max_streams=1000)
        heads = [client.head(1 + 2 * number) for number in range(20)]
        rest = b""
        for head in heads:
            client.send(rest + head[:5])
            rest = head[5:]
            client.advance(0.5)
        assert client.goaway is None
        client.advance(5)
        assert client.goaway is not None

    def test_both_closes(self) -> None:
        """EC-08: to close behind the end of one's own side ends the stream as a socket would."""
        client, _, talker = tunnel()
        talker.transport.loseWriteConnection()
        client.turn()
        assert client[1].ended
        assert talker.end is None
        talker.transport.loseConnection()
        assert talker.end is None
        client.turn()
        assert talker.end is ConnectionDone
        client.advance(3)
        assert client[1].code == 0

    def test_a_producer_is_told(self) -> None:
        """A producer on a tunnel is stopped when the tunnel ends, whoever ends it."""
        for end in ("lose", "client"):
            client, _, talker = tunnel()
            producer = Producer()
            talker.transport.registerProducer(producer, True)
            if end == "lose":
                talker.transport.loseConnection()
                client.turn()
            client.send(data(1, b"", end=True))
            assert producer.calls[-1] == "stop", end
            assert producer.calls.count("stop") == 1

    def test_stop_goes_on(self) -> None:
        """A-45: an application that fails when it is told of a stop keeps nobody else from being told."""

        class Failing(Protocol):
            def connectionMade(self) -> None:
                self.transport.loseConnection = lambda: 1 // 0  # type: ignore[union-attr,method-assign]

        client = Client(UpgradeResource([stream("echo", Factory.forProtocol(Failing))]))
        client.send(client.head(1, connect_fields(), end=False), client.head(3, connect_fields(), end=False))
        other = Client(site=(client.site, client.reactor))
        stopped = client.site.stop()
        client.turn()
        other.turn()
        assert client.goaway is not None
        assert other.goaway is not None
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 2
        other.advance(5)
        client.advance(5)
        self.successResultOf(stopped)

    def test_goaway_never_rises(self) -> None:
        """RFC 9113 section 6.8: behind a GOAWAY no other names a higher stream."""
        client = Client(Later())
        client.send(client.head(1))
        client.site.stop()
        client.turn()
        assert client.goaway == (0, 1)
        client.send(client.head(3), client.head(5))
        client.send(frame(Kind.DATA, b"", 0, 0))
        assert client.goaway is not None
        assert client.goaway[1] == 1

    def test_a_client_that_opens_windows_by_little(self) -> None:
        """A-21: a WINDOW_UPDATE for each small response is in order, however many there are."""
        client = Client(max_glitches=10)
        for number in range(500):
            client.send(client.head(1 + 2 * number) + window_update(2))
        assert client.goaway is None


class HundredContinue(SynchronousTestCase):
    """``Expect: 100-continue`` behind an answer that has begun."""

    def test_behind_a_head(self) -> None:
        """UP-10: no 100 comes behind the head of the response, in neither version."""

        class Early(Resource):
            isLeaf = True
            streams_content = True

            def render_POST(self, request: Any) -> int:
                request.write(b"early")
                deliver_content(request, Reader(request))
                return NOT_DONE_YET

        class Reader(Protocol):
            def __init__(self, request: Any) -> None:
                self.request = request

            def connectionLost(self, reason: Any = None) -> None:
                self.request.finish()

        root = Early()
        client = Client(root)
        more = ((b"expect", b"100-continue"), (b"content-length", b"2"))
        client.send(client.head(1, fields(b"POST", b"/", *more), end=False))
        client.send(data(1, b"ab", end=True))
        assert len(client[1].heads) == 1
        assert (client[1].body, client[1].ended, client[1].code) == (b"early", True, None)
        wire = connect(root)
        wire.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        wire.send(b"ab")
        assert b"100 Continue" not in wire.received


class Memory(SynchronousTestCase):
    """What is kept, and how long."""

    def setUp(self) -> None:
        """Leave nothing to the garbage collector."""
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)

    def test_a_reset_request_with_an_encoder(self) -> None:
        """A-14: a request that was reset counts no longer, also behind an encoder."""
        later = Later()
        client = Client(EncodingResourceWrapper(later, [GzipEncoderFactory()]), max_streams=2)
        for number in range(6):
            block = fields(b"GET", b"/", (b"accept-encoding", b"gzip"))
            client.send(client.head(1 + 2 * number, block))
            assert len(later.requests) == 1, number
            later.requests.clear()
            client.send(rst(1 + 2 * number))
        assert client.goaway is None

    def test_a_connection_is_freed_at_once(self) -> None:
        """Nothing of a connection that has ended refers to itself, nor do its tunnels and its requests."""
        client, root, talker = tunnel()
        seen = [weakref.ref(each) for each in (client.connection, talker.transport, root.requests[0])]
        client.send(data(1, b"", end=True))
        for kept in (root.talkers, root.requests, root.taken):
            kept.clear()
        del talker, root
        client.wire.close()
        client.wire.protocol = client.wire.transport = None
        assert [each() for each in seen] == [None] * 3

    def test_an_idle_connection_keeps_nothing(self) -> None:
        """Of the bytes that were read none is kept behind the last frame."""
        client = Client()
        client.send(client.post(1, b"x" * 10_000))
        frames = client.connection._frames
        assert (len(frames._in), frames._at) == (0, 0)
        client.send(settings()[:4])
        assert len(frames._in) == 4


def test_header_blocks_that_begin() -> None:
    """A-25: a block that never ends has its time, from its own beginning."""
    client = Client(head_timeout=5)
    client.advance(4)
    client.send(client.head(1))
    client.send(frame(Kind.HEADERS, b"", 0, 3))
    client.advance(4)
    assert client.goaway is None
    client.advance(4)
    assert client.goaway is not None
