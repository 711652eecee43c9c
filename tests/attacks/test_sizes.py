"""Requests that are too large: at a limit they are served, beyond it refused, before the rest has come."""

from __future__ import annotations

import tracemalloc

import pytest

from tests.attacks.clients import Client, get
from tests.attacks.conftest import Serve


def padded(size: int) -> bytes:
    """A head of this size."""
    return get(b"/", b"X: " + b"x" * (size - len(get(b"/", b"X: "))))


def test_size_of_the_head(ours: Serve) -> None:
    """A-28: 16 KiB of head are served, in one piece or byte by byte; a byte more is 431."""
    place = ours()
    assert place.ask(padded(16 * 1024)).statuses == [200]
    place.ask(padded(16 * 1024 + 1)).refused(431)
    split = padded(16 * 1024 + 1)
    place.ask(*(split[at : at + 1000] for at in range(0, len(split), 1000))).refused(431)
    assert place.root.rendered == ["home"]


def test_number_of_fields(ours: Serve) -> None:
    """A-28: 100 field lines are served, 101 are 431."""
    place = ours()
    lines = [b"X-%d: y" % number for number in range(99)]
    assert place.ask(get(b"/", *lines)).statuses == [200]
    place.ask(get(b"/", *lines, b"X: y")).refused(431)


def test_length_of_the_target(ours: Serve) -> None:
    """A-28: 8 KiB of target are served, a byte more is 414."""
    place = ours()
    assert place.ask(get(b"/?" + b"x" * (8192 - 2))).statuses == [200]
    place.ask(get(b"/?" + b"x" * (8193 - 2))).refused(414)


@pytest.mark.parametrize(
    ("start", "statuses"),
    [
        (b"", (400, 431)),
        (b"GET /", (414,)),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\nX: ", (431,)),
        (b"GET / HTTP/1.1\r\nHost: a.example\r\n" + b"X: y\r\n" * 1000 + b"X", (431,)),
    ],
)
def test_line_without_end(ours: Serve, start: bytes, statuses: tuple[int, ...]) -> None:
    """A-28: a line without end is refused when it is too long, and what follows is thrown away, not kept."""
    place = ours()
    client = place.connect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    client.send(start, b"x" * 20_000)
    client.refused(*statuses)
    for _ in range(50):
        client.send(b"x" * 60_000)
        client._out.clear()
    growth = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert growth < 1 << 20
    place.advance(4)
    assert place.open == 0


def test_announced_content(ours: Serve) -> None:
    """A-27: a length beyond 1 MiB is refused before a byte is read, and nobody is told to send it (no 100)."""
    place = ours()
    for length in (1024 * 1024 + 1, 10**12):
        for line in (b"X: y", b"Expect: 100-continue"):
            client = place.ask(get(b"/", b"Content-Length: %d" % length, line, method=b"POST"))
            client.refused(413)
    exact = get(b"/", b"Content-Length: %d" % (1024 * 1024), method=b"POST")
    assert place.ask(exact + bytes(1024 * 1024)).statuses == [200]
    assert list(map(len, place.root.contents)) == [1024 * 1024]


def test_content_without_length(ours: Serve) -> None:
    """A-27: chunks without end are refused at 1 MiB: 413, and the temporary file is gone."""
    place = ours()
    client = place.ask(get(b"/", b"Transfer-Encoding: chunked", method=b"POST"))
    for _ in range(40):
        if client.closed or client.received:
            break
        client.send(b"8000\r\n" + bytes(0x8000) + b"\r\n")
    client.refused(413)
    assert place.root.rendered == []


def test_chunks_of_one_byte(ours: Serve) -> None:
    """A-27: small chunks with long extensions, and trailers without end, have an end, too."""
    place = ours()
    head = get(b"/", b"Transfer-Encoding: chunked", method=b"POST")
    place.ask(head + b"1;" + b"x" * 2000).refused(400)
    place.ask(head + b"0\r\n" + b"X: y\r\n" * 5000).refused(400)
    client: Client = place.ask(head + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n")
    assert client.statuses == [200]


def test_abandoned_content(ours: Serve) -> None:
    """A-27: a client that leaves amid large content leaves nothing on the disk."""
    place = ours()
    for _ in range(20):
        place.ask(get(b"/", b"Content-Length: 1000000", method=b"POST") + bytes(500_000)).reset()
    place.until(lambda: place.open == 0)
    assert place.root.rendered == []
