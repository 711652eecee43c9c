"""Reading field lines."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgradegw.negotiation.fields import (
    by_name,
    connection_options,
    get_all,
    has_control,
    is_token,
    members,
    printable,
)

TCHAR = frozenset((string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode())

tokens = st.text(st.sampled_from("".join(map(chr, sorted(TCHAR)))), min_size=1, max_size=8).map(str.encode)
quoted = st.lists(st.one_of(st.sampled_from([b",", b" ", b";", b"a", b"\\\\", b'\\"', b"\\,"])), max_size=6).map(
    lambda parts: b'"' + b"".join(parts) + b'"'
)
spaces = st.sampled_from([b"", b" ", b"\t", b"  \t"])
lines = st.lists(st.tuples(st.sampled_from([b"A", b"a", b"Bb", b"bB", b"C"]), st.binary(max_size=4)), max_size=12)


def test_get_all():
    """Names are compared without regard to case, and the order of the lines is kept (RFC 9110 section 5.1)."""
    fields = ((b"Upgrade", b"a"), (b"upgraded", b"no"), (b"UPGRADE", b"b"), (b"xupgrad", b"no"), (b"upgrade", b""))
    assert get_all(fields, b"upgrade") == [b"a", b"b", b""]
    assert get_all(fields, b"connection") == []


@given(lines)
def test_by_name(fields):
    """All lines by name are the same as the lines of each name."""
    found = by_name(tuple(fields))
    assert set(found) == {name.lower() for name, _ in fields}
    for name, values in found.items():
        assert values == get_all(tuple(fields), name)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([b""], []),
        ([b" , ,\t,"], []),
        ([b"a"], [b"a"]),
        ([b",a,"], [b"a"]),
        ([b" a\t, b "], [b"a", b"b"]),
        ([b"a, b", b"c"], [b"a", b"b", b"c"]),
        ([b'"a, b", c'], [b'"a, b"', b"c"]),
        ([b'x="a\\", b", c'], [b'x="a\\", b"', b"c"]),
        ([b'a, "b, c', b"d"], [b"a", b'"b, c', b"d"]),
        ([b'a, "b\\'], [b"a", b'"b\\']),
        ([b'"a"b"c,d",e'], [b'"a"b"c,d"', b"e"]),
        ([b"a b"], [b"a b"]),
        ([b"a\x0b,b"], [b"a\x0b", b"b"]),
    ],
)
def test_members(values, expected):
    """UP-05, UP-09: members over lines, without white space and empty ones; a comma in quotes does not separate."""
    assert members(values) == expected


@given(st.lists(st.lists(st.tuples(spaces, st.one_of(tokens, quoted), spaces), max_size=5), max_size=4))
def test_members_round_trip(rows):
    """UP-05: whatever lines and white space a list is written with, the same members come out, in order."""
    values = [b",".join(before + member + after for before, member, after in row) for row in rows]
    assert members(values) == [member for row in rows for _, member, _ in row]


@given(st.lists(st.binary(max_size=40), max_size=3))
def test_members_of_anything(values):
    """Arbitrary bytes give members that are not empty and begin and end without white space, and lose no other byte."""
    found = members(values)
    assert all(member and member == member.strip(b" \t") for member in found)
    blank = b" \t,"
    assert b"".join(found).translate(None, blank) == b"".join(values).translate(None, blank)


def test_members_in_linear_time():
    """A value of a whole head's size that is made to mislead is read at once."""
    for value in (b'"' * 16384, b'"\\' * 8192, b'a"' * 8192, b'",' * 8192):
        assert members([value])


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], set()),
        ([b"Keep-Alive, uPgRaDe"], {b"keep-alive", b"upgrade"}),
        ([b"keep-alive", b"Upgrade"], {b"keep-alive", b"upgrade"}),
        ([b",upgrade,"], {b"upgrade"}),
        ([b'"upgrade"'], {b'"upgrade"'}),
        ([b'"x, upgrade'], {b'"x, upgrade'}),
    ],
)
def test_connection_options(lines, expected):
    """UP-09: options are compared without regard to case, over all lines; a quoted one is none."""
    assert connection_options(lines) == expected


@given(st.binary(max_size=6))
def test_token(value):
    """UP-06: a token is one or more of the characters of RFC 9110 section 5.6.2."""
    assert is_token(value) is (len(value) > 0 and all(byte in TCHAR for byte in value))


@pytest.mark.parametrize("byte", range(256))
def test_control(byte):
    """A-10: each of 0x00 to 0x08, 0x0a to 0x1f and 0x7f is found, HTAB and 0x85 are not."""
    expected = byte == 0x7F or (byte < 0x20 and byte != 0x09)
    assert has_control(bytes([byte])) is expected
    assert has_control(b"a" + bytes([byte]) + b"b") is expected


def test_no_control_in_nothing():
    """An empty value holds no control character."""
    assert not has_control(b"")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"app.example", "app.example"),
        (b"a\r\n\x1b]0;\x85\xff", r"a\r\n\x1b]0;\x85\xff"),
        (b"a" * 120, "a" * 120),
        (b"a" * 121, "a" * 120 + "..."),
    ],
)
def test_printable(value, expected):
    """A-36: what goes into the log is printable ASCII and of limited length."""
    assert printable(value) == expected


@given(st.binary(max_size=200))
def test_anything_printable(value):
    """A-36: nothing else comes out, whatever goes in."""
    assert printable(value).isascii()
    assert printable(value).isprintable() or not value
