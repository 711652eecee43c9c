"""What is cheap to send and dear to serve: each kind is bounded, and ends in a GOAWAY that says so, and a close."""

from __future__ import annotations

import gc
from typing import Any

from hpack import Encoder
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Later, Rendered
from tests.http2.client import (
    END,
    END_HEADERS,
    ENHANCE_YOUR_CALM,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    Client,
    data,
    fields,
    frame,
    ping,
    rst,
    settings,
    window_update,
)
from upgradegw.events import access_events
from upgradegw.http2.frames import Kind


class Floods(SynchronousTestCase):
    """H2-10: beyond each limit the connection ends with ENHANCE_YOUR_CALM."""

    def calmed(self, client: Client) -> bool:
        """Tell whether the connection has ended so, and nothing is left of it."""
        client.advance(3)
        assert client.goaway is not None
        assert client.goaway[0] == ENHANCE_YOUR_CALM
        assert len(client.site.connections) == 0
        assert client.reactor.getDelayedCalls() == []
        return client.eof

    def test_rapid_reset(self) -> None:
        """A-14: streams opened and reset at once; none of the requests is left running."""
        root = Later()
        left: list[Any] = []

        def render(request: Any) -> int:
            request.notifyFinish().addErrback(left.append)
            return Later.render(root, request)

        root.render = render  # type: ignore[method-assign]
        client = Client(root, max_resets=50)
        for number in range(1, 141, 2):
            client.send(client.head(number) + rst(number))
            root.requests.clear()
        assert self.calmed(client)
        assert len(left) == 51

    def test_resets_that_time_allows(self) -> None:
        """A-14: resets at a rate that a browser may have are no attack."""
        client = Client(max_resets=10, resets_per_second=5)
        for number in range(1, 201, 2):
            client.send(client.head(number) + rst(number))
            client.reactor.advance(0.25)
        assert client.goaway is None

    def test_unfinished_work_is_counted(self) -> None:
        """A-14: a request that was reset and on which work goes on counts as a stream until its resource lets go."""
        root = Later()
        client = Client(root, max_streams=3)
        for number in (1, 3, 5):
            client.send(client.head(number) + rst(number))
        assert len(root.requests) == 3
        client.send(client.head(7))
        assert client[7].code == REFUSED_STREAM
        root.requests.clear()
        gc.collect()
        client.send(client.head(9))
        assert len(root.requests) == 1

    def test_made_you_reset(self) -> None:
        """A-15: streams that the client makes us reset count as those that it resets itself."""

        def overflow(client: Client, number: int) -> bytes:
            return client.head(number) + window_update(2**31 - 1, number)

        def nothing(client: Client, number: int) -> bytes:
            return client.head(number) + window_update(0, number)

        def more(client: Client, number: int) -> bytes:
            return client.head(number) + data(number, b"x")

        def again(client: Client, number: int) -> bytes:
            return client.head(number) + client.head(number)

        def malformed(client: Client, number: int) -> bytes:
            return client.head(number, fields(b"GET", b"/", (b"connection", b"close")))

        def too_long(client: Client, number: int) -> bytes:
            return client.head(number, fields(b"POST", b"/", (b"content-length", b"1")), end=False) + data(
                number, b"xx"
            )

        for provoke in (overflow, nothing, more, again, malformed, too_long):
            root = Later()
            client = Client(root, max_resets=50)
            for number in range(1, 121, 2):
                client.send(provoke(client, number))
                root.requests.clear()
            assert self.calmed(client), provoke.__name__

    def test_excess_streams(self) -> None:
        """A-14: streams that are refused count, too."""
        client = Client(Later(), max_streams=1, max_resets=50)
        client.send(b"".join(client.head(number) for number in range(1, 121, 2)))
        assert self.calmed(client)

    def test_continuation(self) -> None:
        """A-16: a header block of many frames."""
        client = Client()
        client.send(frame(Kind.HEADERS, b"", 0, 1) + frame(Kind.CONTINUATION, b"\0", 0, 1) * 9)
        assert self.calmed(client)

    def test_hpack_bomb(self) -> None:
        """A-17: a small block that means a large head; what is not quite as large is answered."""
        encoder = Encoder()
        large = encoder.encode([(b"x-a", b"y" * 3000)])
        client = Client()
        block = client.encoder.encode(fields()) + large + b"\xbe" * 3
        client.send(frame(Kind.HEADERS, block, END_HEADERS | END, 1))
        assert client[1].status in {200, 431}
        client.send(frame(Kind.HEADERS, b"\xbe" * 12_000, END_HEADERS | END, 3))
        assert self.calmed(client)

    def test_ping(self) -> None:
        """A-18: acknowledgements that nobody reads do not pile up."""
        client = Client()
        client.send(ping() * 2000)
        assert self.calmed(client)

    def test_settings(self) -> None:
        """A-18: SETTINGS without end."""
        client = Client()
        client.send(settings({4: 1}) * 2000)
        assert self.calmed(client)

    def test_unread_acknowledgements(self) -> None:
        """A-18: acknowledgements that wait in a full socket are bounded, at whatever rate they come."""
        client = Client(
            Rendered(lambda _: b"x" * 500_000), values={4: 2**30}, buffer=8192, max_queued_acks=20, write_timeout=1000
        )
        client.wire.socket.send(window_update(2**30) + client.head(1))
        for _ in range(5):
            client.wire.turn(read=False)
            client.reactor.advance(0)
        assert client.connection.blocked
        for _ in range(21):
            client.wire.socket.send(ping())
            client.wire.turn(read=False)
        client.turn()
        assert client.goaway is not None
        assert client.goaway[0] == ENHANCE_YOUR_CALM

    def test_priority(self) -> None:
        """A-19: PRIORITY frames build nothing, and too many of them end the connection."""
        client = Client()
        one = b"".join(frame(Kind.PRIORITY, b"\0\0\0\0\1", 0, number) for number in range(1, 2001, 2))
        client.send(*[one] * 9)
        assert client.goaway is None
        client.send(*[one] * 3)
        assert self.calmed(client)

    def test_empty_data(self) -> None:
        """A-20: DATA that carries nothing."""
        client = Client()
        client.send(client.head(1, fields(b"POST"), end=False) + data(1) * 11)
        assert self.calmed(client)

    def test_empty_frames_do_not_keep_a_connection(self) -> None:
        """A-20: frames that carry nothing do not put off the end of an idle connection."""
        client = Client(timeout=60)
        for _ in range(62):
            client.send(ping())
            client.advance(1)
        assert client.eof

    def test_tiny_window_updates(self) -> None:
        """A-21: windows that are opened by single bytes without end."""
        client = Client(max_glitches=100)
        client.send(*[window_update(1) * 10] * 11)
        assert self.calmed(client)

    def test_a_slow_header_block(self) -> None:
        """A-25: a header block whose end does not come, whatever else trickles in."""
        for start in (frame(Kind.HEADERS, b"\x82", 0, 1), frame(Kind.HEADERS, b"\x82\x84", END_HEADERS, 1)[:10]):
            client = Client()
            client.send(start)
            client.advance(12)
            assert self.calmed(client)

    def test_data_for_streams_that_are_gone(self) -> None:
        """A-15: what is sent on behind our reset costs us no frame each, and not for ever."""
        client = Client(max_glitches=100)
        client.send(client.head(1, fields(b"POST", b"/", (b"content-length", b"1")), end=False) + data(1, b"xx"))
        client.frames.clear()
        client.send(data(1, b"x") * 99)
        assert client.kinds() == []
        client.send(data(1, b"x") * 9)
        assert self.calmed(client)


class Malformed(SynchronousTestCase):
    """H2-03: a malformed request costs its stream, and the log tells why."""

    def test_neighbours_live(self) -> None:
        """The stream is reset with PROTOCOL_ERROR, no resource sees the request, others are answered."""
        root = Later()
        client = Client(root)
        events: list[Any] = []
        self.addCleanup(access_events.subscribe(events.append))
        client.send(client.head(1) + client.head(3, fields(b"GET", b"/", (b"upgrade", b"h2c"))) + client.head(5))
        assert client[3].code == PROTOCOL_ERROR
        assert len(root.requests) == 2
        (event,) = events
        assert (event["status"], event["reason"], event["http_version"]) == (400, "malformed_request", "HTTP/2")
        assert event["detail"] == "upgrade is not used in HTTP/2"

    def test_the_log_of_a_fault(self) -> None:
        """What ends a connection is told in the log, with its reason."""
        events: list[Any] = []
        self.addCleanup(access_events.subscribe(events.append))
        Client().send(ping() * 2000)
        assert [(event["reason"], event["detail"]) for event in events] == [
            ("flood", "too many PING or SETTINGS frames")
        ]
