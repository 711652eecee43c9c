"""Header blocks as we write them, read by hpack."""

from __future__ import annotations

from hpack import Decoder as TheirDecoder
from hpack import NeverIndexedHeaderTuple
from hypothesis import given, settings
from hypothesis import strategies as st

from upgradegw.http2.decoding import TABLE_SIZE
from upgradegw.http2.encoding import Encoder

_names = st.sampled_from([b":status", b"server", b"content-length", b"x-a", b"authorization"]) | st.binary(
    min_size=1, max_size=9
)
_values = st.sampled_from([b"", b"200", b"404", b"v" * 300, b"w" * 2100, b"w" * 4100]) | st.binary(max_size=20)
_blocks = st.lists(
    st.tuples(st.lists(st.tuples(_names, _values), max_size=12), st.lists(st.integers(0, 2 * TABLE_SIZE), max_size=3))
)


@settings(max_examples=60, deadline=None)
@given(_blocks)
def test_what_hpack_reads(blocks: list[tuple[list[tuple[bytes, bytes]], list[int]]]) -> None:
    """RFC 7541: fields come out as they went in, while the peer lets the table have now this size and now that."""
    theirs, ours = TheirDecoder(), Encoder(frozenset((b"authorization",)))
    theirs.max_header_list_size = 2**20
    for fields, sizes in blocks:
        for size in sizes:
            ours.resize(size)
        if sizes:
            theirs.max_allowed_table_size = min(sizes[-1], TABLE_SIZE)  # an error if it is not told
        got = theirs.decode(ours.encode(fields), raw=True)
        assert got == fields
        for field in got:
            assert isinstance(field, NeverIndexedHeaderTuple) == (field[0] == b"authorization" and bool(field[1]))


def test_what_was_said_before_costs_a_byte() -> None:
    """Fields that are in a table are one byte each, so a response like the one before is a handful."""
    encoder = Encoder()
    fields = [(b":status", b"200"), (b"server", b"upgradegw"), (b"date", b"Sun, 22 Nov 2026 23:27:20 GMT")]
    assert len(encoder.encode(fields)) > 20
    assert len(encoder.encode(fields)) == 3


def test_large_fields_stay_out_of_the_table() -> None:
    """One large field does not push out the small ones that are said again and again."""
    encoder = Encoder()
    encoder.encode([(b"x-small", b"a"), (b"x-large", b"b" * 3000)])
    assert len(encoder.encode([(b"x-small", b"a")])) == 1
    assert len(encoder.encode([(b"x-large", b"b" * 3000)])) > 1000


def test_many_fields() -> None:
    """Indexes of more than one byte: the table holds more than a hundred small fields."""
    encoder, decoder = Encoder(), TheirDecoder()
    fields = [(b"%d" % number, b"") for number in range(100)]
    assert decoder.decode(encoder.encode(fields), raw=True) == fields
    again = encoder.encode(fields)
    assert decoder.decode(again, raw=True) == fields
    assert len(fields) < len(again) < 2 * len(fields) + 1
