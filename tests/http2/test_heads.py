"""Heads that come again."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.http1.wire import Later
from tests.http2.client import Client, connect_fields, fields
from upgradegw.http2 import heads as module
from upgradegw.http2.heads import Heads
from upgradegw.http2.validation import Http2Head, Malformed, validate_request


def _judged(heads: Heads, monkeypatch: Any, *blocks: Any) -> int:
    """Return how many of the heads were judged anew."""
    judged = []

    def counted(block: Any, *, extended_connect: bool) -> Any:
        judged.append(block)
        return validate_request(block, extended_connect=extended_connect)

    monkeypatch.setattr(module, "validate_request", counted)
    for block in blocks:
        heads.judge(block)
    return len(judged)


def test_the_same_head(monkeypatch: Any) -> None:
    """A head that comes again is judged once, whatever its path; one that differs in another byte is another."""
    blocks = [fields(b"GET", path, (b"x-a", value)) for value in (b"1", b"2") for path in (b"/a", b"/b", b"/c/d?e")]
    assert _judged(Heads(extended_connect=False), monkeypatch, *blocks) == 2


def test_what_is_not_kept(monkeypatch: Any) -> None:
    """Large heads, those of tunnels, and those that are malformed, which are malformed each time."""
    large, tunnel = fields(b"GET", b"/", (b"x-a", b"b" * 2048)), connect_fields()
    malformed = fields(b"GET", b"/", (b"X-A", b"b"))
    blocks = [large, large, tunnel, tunnel, malformed, malformed]
    assert _judged(Heads(extended_connect=True), monkeypatch, *blocks) == len(blocks)


def test_only_some_are_kept(monkeypatch: Any) -> None:
    """A client that asks in ever other ways has ever the same memory."""
    heads = Heads(extended_connect=False)
    blocks = [fields(b"GET", b"/", (b"x-a", b"%d" % number)) for number in range(20)]
    assert _judged(heads, monkeypatch, *blocks, blocks[0]) == 21


_lines = st.sampled_from(
    [
        (b":method", b"GET"),
        (b":method", b"OPTIONS"),
        (b":scheme", b"http"),
        (b":authority", b"a.example"),
        (b":path", b"/"),
        (b":path", b"/a?b"),
        (b":path", b"*"),
        (b":path", b""),
        (b":path", b"/ "),
        (b":path", b"/#"),
        (b"host", b"a.example"),
        (b"cookie", b"a=b"),
        (b"cookie", b"c=d"),
        (b"te", b"trailers"),
        (b"te", b"gzip"),
        (b"connection", b"close"),
        (b"x-a", b" b"),
        (b"x-a", b"b\0"),
        (b"x-a", b"b"),
        (b"", b"b"),
        (b"x a", b"b"),
    ]
)
_usual = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"a.example")]
_block = st.lists(_lines, max_size=6) | st.lists(_lines, max_size=3).map(lambda lines: [*_usual, *lines])


@settings(max_examples=300, deadline=None)
@given(st.lists(_block, max_size=8))
def test_the_verdict_is_the_same(blocks: list[list[tuple[bytes, bytes]]]) -> None:
    """H2-03: whatever came before, a head is what it is by itself."""
    heads = Heads(extended_connect=False)
    for block in [*blocks, *blocks]:
        expected, found = validate_request(block, extended_connect=False), heads.judge(block)
        assert found == expected
        assert isinstance(found, Malformed | Http2Head)


def test_requests_share_nothing() -> None:
    """What an application does to the fields of one request is not seen by the next with the same head."""
    root = Later()
    client = Client(root)
    block = fields(b"GET", b"/", (b"x-a", b"b"))
    client.send(client.head(1, block))
    headers = root.requests[0].requestHeaders
    headers.getRawHeaders(b"x-a").append(b"c")
    headers.addRawHeader(b"x-new", b"d")
    headers.removeHeader(b"host")
    client.send(client.head(3, block))
    again = root.requests[1].requestHeaders
    assert again.getRawHeaders(b"x-a") == [b"b"]
    assert again.getRawHeaders(b"x-new") is None
    assert again.getRawHeaders(b"host") == [b"a.example"]
