"""Request heads that are read without llhttp: exactly those, and exactly so, as llhttp reads them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.http1.heads import LIMITS
from upgradegw.http.limits import Limits
from upgradegw.http1.head import BadHead, read_plainly, read_with_llhttp

BROWSER = (
    b"GET /chat?room=1 HTTP/1.1\r\nHost: app.example\r\nConnection: keep-alive, Upgrade\r\nPragma: no-cache\r\n"
    b"Upgrade: websocket\r\nOrigin: https://app.example\r\nSec-WebSocket-Version: 13\r\n"
    b'Accept-Language: en-US,en;q=0.9,de;q=0.8\r\nCookie: a=1; b="2"\r\nX-Empty:\r\nX-Twice: 1\r\nx-twice:\t2\r\n'
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

#: Bytes on which parsers of HTTP have disagreed, and some on which they do not.
_BYTES = st.sampled_from([bytes((number,)) for number in b'\0\t\n\v\f\r\x1b :;,"\\#%/?@[]{}()az09-_\x7f\x80\xa0\xff'])
_WORDS = st.sampled_from([b"\r\n", b"\r\n ", b"\r\n\r\n", b": ", b"Host: b\r\n", b"HTTP/1.1", b"1.0"])


def _agree(data: bytes, limits: Limits = LIMITS) -> None:
    plain = read_plainly(data, limits)
    assert plain is None or plain == read_with_llhttp(data, limits)


def test_what_clients_send() -> None:
    """A browser's head is read without llhttp, to the same value."""
    assert read_plainly(BROWSER, LIMITS) is not None
    _agree(BROWSER)


@given(st.lists(st.tuples(st.integers(0, len(BROWSER)), st.integers(0, 3), _BYTES | _WORDS), min_size=1, max_size=4))
@example([(BROWSER.index(b"Host") + 4, 0, b" ")])
@example([(BROWSER.index(b"Upgrade: w"), 0, b" ")])
def test_any_change(changes: list[tuple[int, int, bytes]]) -> None:
    """UP-19, UP-20, A-08: whatever is changed, a head that is read without llhttp is the same as with it."""
    data = bytearray(BROWSER)
    for place, left_out, piece in changes:
        data[place : place + left_out] = piece
    _agree(bytes(data))


@given(st.lists(st.tuples(st.binary(max_size=5), st.binary(max_size=5)), max_size=4))
def test_any_fields(pairs: list[tuple[bytes, bytes]]) -> None:
    """The same for arbitrary names and values."""
    lines = [name + b":" + value for name, value in pairs]
    _agree(b"\r\n".join([b"GET / HTTP/1.1", b"Host: a", *lines, b"", b""]))


@pytest.mark.parametrize(
    "field", [b"Content-Length: 0", b"content-length: 1", b"Transfer-Encoding: chunked", b"TRANSFER-ENCODING: x"]
)
def test_content(field: bytes) -> None:
    """A head that says anything about content is llhttp's to read (RFC 9112 section 6.3)."""
    assert read_plainly(b"POST / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n\r\n", LIMITS) is None


@pytest.mark.parametrize("limits", [Limits(max_head=100), Limits(max_fields=11), Limits(max_target=11)])
def test_limits(limits: Limits) -> None:
    """What is beyond a limit is refused as by llhttp's way."""
    assert read_plainly(BROWSER, limits) is None
    assert isinstance(read_with_llhttp(BROWSER, limits), BadHead)
