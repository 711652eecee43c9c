"""Responses by their header blocks alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgradegw.http2.responses import Http2Response, validate_response
from upgradegw.http2.validation import Malformed
from upgradegw.negotiation.fields import has_control

STATUS = (b":status", b"200")
MAX_HEAD = 16 * 1024


def test_a_response() -> None:
    """Status, fields in order with repeated ones apart, and length."""
    block = [STATUS, (b"set-cookie", b"a=1"), (b"content-length", b"007"), (b"set-cookie", b"b=2")]
    assert validate_response(block, MAX_HEAD) == Http2Response(200, tuple(block[1:]), 7)
    assert validate_response([STATUS], MAX_HEAD) == Http2Response(200, (), None)


@pytest.mark.parametrize("status", [b"", b"20", b"2000", b"099", b"600", b"20x", b"+20", b"101", b"200 OK"])
def test_what_is_no_status(status: bytes) -> None:
    """Three digits from 100 to 599, and not 101, which HTTP/2 does not have (RFC 9113 section 8.6)."""
    assert isinstance(validate_response([(b":status", status)], MAX_HEAD), Malformed)


@pytest.mark.parametrize("length", [b"", b"-1", b"+1", b"1 ", b"0x1", b"1,1", b"9" * 19, "²".encode()])
def test_what_is_no_length(length: bytes) -> None:
    """Content-Length is digits, and no more than any content has (RFC 9110 section 8.6)."""
    assert isinstance(validate_response([STATUS, (b"content-length", length)], MAX_HEAD), Malformed)


def test_the_size_of_a_head() -> None:
    """Each field counts with 32 bytes more (RFC 9113 section 6.5.2)."""
    size = len(b":status200") + 32 + len(b"ax") + 32
    assert isinstance(validate_response([STATUS, (b"a", b"x")], size), Http2Response)
    assert validate_response([STATUS, (b"a", b"x")], size - 1) == Malformed(f"a head of more than {size - 1} bytes")


@given(st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=12)), max_size=6))
def test_nothing_passes_that_means_something_else_in_http1(fields: list[tuple[bytes, bytes]]) -> None:
    """Whatever comes, what passes has names in lower case and no control characters (A-39, response splitting)."""
    found = validate_response([STATUS, *fields], MAX_HEAD)
    if isinstance(found, Http2Response):
        for name, value in found.fields:
            assert name == name.lower()
            assert not any(byte in b"\r\n\0: " for byte in name)
            assert not has_control(value)
