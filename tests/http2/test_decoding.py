"""Header blocks as hpack writes them, and as no encoder does."""

from __future__ import annotations

import pytest
from h2.errors import ErrorCodes
from hpack import Decoder as TheirDecoder
from hpack import Encoder as TheirEncoder
from hpack import HPACKError, NeverIndexedHeaderTuple
from hypothesis import example, given, settings
from hypothesis import strategies as st

from upgradegw.http2.decoding import TABLE_SIZE, Decoder
from upgradegw.http2.faults import ConnectionFault

_MOST = 32 * 1024

_names = st.sampled_from([b":method", b":path", b"cookie", b"x-a", b"x-long" * 9]) | st.binary(min_size=1, max_size=9)
_values = st.sampled_from([b"", b"GET", b"/", b"1", b"v" * 200, b"w" * 4100]) | st.binary(max_size=20)
_fields = st.tuples(_names, _values, st.booleans())
_blocks = st.lists(st.tuples(st.lists(_fields, max_size=8), st.booleans(), st.none() | st.integers(0, TABLE_SIZE)))


@settings(max_examples=60, deadline=None)
@given(_blocks)
def test_what_hpack_writes(blocks: list[tuple[list[tuple[bytes, bytes, bool]], bool, int | None]]) -> None:
    """RFC 7541: fields come out as they went in, in Huffman's code or not, with a table of any size."""
    theirs, ours = TheirEncoder(), Decoder(_MOST)
    for fields, huffman, size in blocks:
        if size is not None:
            theirs.header_table_size = size
        lines = [NeverIndexedHeaderTuple(name, value) if never else (name, value) for name, value, never in fields]
        got = ours.decode(theirs.encode(lines, huffman=huffman))
        assert got == [(name, value) for name, value, _ in fields]
        assert all(type(part) is bytes for field in got for part in field)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.binary(max_size=12), max_size=4))
@example([b"\x80"])
@example([b"\x3f\xe1\x1f\x82"])
@example([b"\x3f\xe2\x1f"])
@example([b"\x82\x20"])
@example([b"\x40\x01a\x01b", b"\xbe", b"\xbf"])
@example([b"\x40\x01a\x01b\x20", b"\xbe"])
@example([b"\x7f\x00\x01a"])
@example([b"\x40\x81\xff\x00"])
@example([b"\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"])
@example([b"\x20\x40\x01a\x01b", b"\xbe"])
def test_any_bytes(blocks: list[bytes]) -> None:
    """H2-09: whatever comes, either both decoders know the fields, or both know that there are none."""
    theirs, ours = TheirDecoder(), Decoder(_MOST)
    for block in blocks:
        try:
            expected = theirs.decode(block, raw=True)
        except HPACKError:
            with pytest.raises(ConnectionFault) as caught:
                ours.decode(block)
            assert caught.value.code == ErrorCodes.COMPRESSION_ERROR
            return
        assert ours.decode(block) == expected


def test_every_prefix_of_a_block() -> None:
    """A block that breaks off is none, wherever it does, unless that is where a field ends."""
    block = TheirEncoder().encode([(b":path", b"/a/b/c"), (b"x-name", b"value" * 40)])
    whole = 0
    for length in range(len(block)):
        try:
            whole += len(Decoder(_MOST).decode(block[:length]))
        except ConnectionFault as fault:
            assert fault.code == ErrorCodes.COMPRESSION_ERROR  # noqa: PT017 - some lengths are in order
    assert whole == 1


def test_a_number_that_does_not_end() -> None:
    """RFC 7541 section 5.1: what exceeds our bounds is an error, and is not computed."""
    for first in (b"\xff", b"\x7f", b"\x0f", b"\x3f", b"\x40\x7f"):
        with pytest.raises(ConnectionFault) as caught:
            Decoder(_MOST).decode(first + b"\x80" * 9000)
        assert caught.value.code == ErrorCodes.COMPRESSION_ERROR


def test_a_bomb() -> None:
    """A-17: one large field, said again with a byte each time, ends the connection before it fills our memory."""
    encoder, decoder = TheirEncoder(), Decoder(_MOST)
    decoder.decode(encoder.encode([(b"x", b"y" * 4000)]))
    with pytest.raises(ConnectionFault) as caught:
        decoder.decode(b"\xbe" * 16_000)
    assert caught.value.code == ErrorCodes.ENHANCE_YOUR_CALM
