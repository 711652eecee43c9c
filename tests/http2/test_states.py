"""Streams in their states: what may come on them, and what it costs."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Later
from tests.http2.client import (
    ACK,
    COMPRESSION_ERROR,
    END,
    END_HEADERS,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    STREAM_CLOSED,
    Client,
    data,
    fields,
    frame,
    ping,
    rst,
    settings,
    window_update,
)
from upgradegw.http2.frames import PREFACE, Kind


class States(SynchronousTestCase):
    """RFC 9113 section 5.1: what may come on a stream, and what it costs."""

    def fault(self, client: Client, *frames: bytes) -> int:
        """Send what ends the connection; return the code."""
        client.send(*frames)
        assert client.goaway is not None
        assert client.eof
        return client.goaway[0]

    def test_idle(self) -> None:
        """Only HEADERS and PRIORITY may come on a stream that is idle."""
        for wrong in (data(1, b"x"), rst(1), window_update(9, 1), data(2), rst(2)):
            assert self.fault(Client(), wrong) == PROTOCOL_ERROR

    def test_even(self) -> None:
        """RFC 9113 section 5.1.1: clients open streams with odd identifiers."""
        client = Client()
        assert self.fault(client, client.head(2)) == PROTOCOL_ERROR

    def test_going_back(self) -> None:
        """RFC 9113 section 5.1.1: an identifier that was skipped cannot be used, one that was used not again."""
        client = Client()
        assert self.fault(client, client.head(5), client.head(3)) == PROTOCOL_ERROR
        client = Client()
        assert self.fault(client, client.head(5), client.head(5)) == STREAM_CLOSED

    def test_closed(self) -> None:
        """What comes on a stream that the client itself has ended, or reset, ends the connection."""
        for ending in (b"", rst(1)):
            for wrong in ("data", "head"):
                client = Client(Later() if ending else None)
                client.send(client.head(1) + ending)
                assert self.fault(client, data(1, b"x") if wrong == "data" else client.head(1)) == STREAM_CLOSED

    def test_half_closed(self) -> None:
        """A-15: DATA or HEADERS behind a request's end reset its stream; the others go on."""
        for wrong in ("data", "head"):
            root = Later()
            client = Client(root)
            client.send(client.head(1), client.head(3))
            client.send(data(1, b"x") if wrong == "data" else client.head(1))
            assert client[1].code == STREAM_CLOSED
            assert root.requests[0].channel is None
            root.requests[1].finish()
            client.turn()
            assert client[3].status == 200

    def test_frames_that_may_come_late(self) -> None:
        """WINDOW_UPDATE, RST_STREAM and PRIORITY on a stream that has ended are ignored."""
        client = Client()
        client.send(client.head(1))
        client.send(window_update(9, 1), rst(1), frame(Kind.PRIORITY, b"\0\0\0\0\1", 0, 1), client.head(3))
        assert client[3].status == 200
        assert client.goaway is None

    def test_in_flight_behind_our_reset(self) -> None:
        """RFC 9113 section 5.4.2: what was under way when we reset a stream is dropped, and the window given back."""
        client = Client()
        client.send(client.head(1, fields(b"POST", b"/", (b"content-length", b"1")), end=False) + data(1, b"xx"))
        assert client[1].code == PROTOCOL_ERROR
        client.frames.clear()
        trailers = frame(Kind.HEADERS, client.encoder.encode([(b"x-a", b"b")]), END_HEADERS | END, 1)
        client.send(*(data(1, b"y" * 16_000) for _ in range(40)), trailers)
        assert set(client.kinds()) == {Kind.WINDOW_UPDATE}
        client.send(client.head(3, fields(b"GET", b"/", (b"x-a", b"b"))))
        assert client[3].status == 200

    def test_compression_error(self) -> None:
        """H2-09: a block that HPACK cannot decode ends the connection with COMPRESSION_ERROR."""
        assert (
            self.fault(Client(), frame(Kind.HEADERS, b"\xff\xff\xff\xff\xff", END_HEADERS | END, 1))
            == COMPRESSION_ERROR
        )

    def test_too_many_streams(self) -> None:
        """H2-07: streams beyond the limit are refused, each with a code that lets the client try again."""
        root = Later()
        client = Client(root, max_streams=3)
        client.send(b"".join(client.head(number, fields(path=b"/%d" % number)) for number in (1, 3, 5, 7, 9)))
        assert [client[number].code for number in (1, 3, 5, 7, 9)] == [None, None, None, REFUSED_STREAM, REFUSED_STREAM]
        root.requests[0].finish()
        client.turn()
        client.send(client.head(11, fields(path=b"/7")))
        assert root.requests[-1].uri == b"/7"
        assert client.goaway is None

    def test_a_burst_before_settings_are_seen(self) -> None:
        """H2-07: a hundred and one streams at once cost one of them a refusal, and nobody the connection."""
        client = Client(Later(), hello=False)
        client.send(PREFACE + settings() + b"".join(client.head(number) for number in range(1, 203, 2)))
        assert [number for number, answer in client.streams.items() if answer.code is not None] == [201]

    def test_goaway_of_the_client(self) -> None:
        """H2-08: a client's GOAWAY lets running streams finish; then the connection closes."""
        root = Later()
        client = Client(root)
        client.send(client.head(1), frame(Kind.GOAWAY, b"\0" * 8))
        assert not client.eof
        root.requests[0].write(b"still")
        root.requests[0].finish()
        client.turn()
        assert client[1].body == b"still"
        assert client[1].ended
        assert client.eof

    def test_goaway_of_an_idle_client(self) -> None:
        """H2-08: with nothing to answer, a client's GOAWAY closes the connection."""
        assert Client().send(frame(Kind.GOAWAY, b"\0" * 8)).eof

    def test_ignored(self) -> None:
        """H2-11: priorities, unknown types and unknown settings mean nothing."""
        client = Client()
        client.send(frame(0x77, b"whatever", 0xFF, 5), frame(Kind.PRIORITY, b"\0\0\0\3\1", 0, 9), settings({0x99: 7}))
        client.send(client.head(1))
        assert client[1].status == 200

    def test_ping(self) -> None:
        """A PING is acknowledged with what it carries."""
        client = Client().send(ping(b"abcdefgh"))
        assert client.frames[-1].opaque_data == b"abcdefgh"
        assert "ACK" in client.frames[-1].flags
        client.frames.clear()
        assert client.send(ping(flags=ACK)).kinds() == []
