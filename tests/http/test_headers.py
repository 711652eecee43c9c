"""FastHeaders gives what twisted.web's Headers gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.web.http_headers import Headers, InvalidHeaderName

from upgradegw.http import headers as headers_module
from upgradegw.http.headers import CANONICAL, FastHeaders

NAMES = st.sampled_from([b"etag", b"x-a", b"X-A", "x-b", "WWW-authenticate", b"Content-Length", b"content-LENGTH"])
VALUES = st.sampled_from([b"", b"1", "text", "\xe5", b"a\r\nb", b"a\nb", b"a\rb", b"a\x0bb\xc2\x85", b"a\n"])
STEPS = st.one_of(
    st.tuples(st.just("setRawHeaders"), NAMES, st.lists(VALUES, max_size=3)),
    st.tuples(st.just("addRawHeader"), NAMES, VALUES),
    st.tuples(st.just("removeHeader"), NAMES),
    st.tuples(st.just("hasHeader"), NAMES),
    st.tuples(st.just("getRawHeaders"), NAMES),
    st.tuples(st.just("getRawHeaders"), NAMES, st.just("default")),
)


@given(st.lists(STEPS, max_size=15))
def test_as_headers(steps: list[Any]) -> None:
    """A-35: after any sequence of calls both hold the same, and no value holds a line end."""
    stock, ours = Headers(), FastHeaders()
    for name, *args in steps:
        assert getattr(ours, name)(*args) == getattr(stock, name)(*args)
    assert list(ours.getAllRawHeaders()) == list(stock.getAllRawHeaders())
    assert ours == stock
    assert stock == ours
    assert ours.copy() == ours
    assert not any(b"\n" in value or b"\r" in value for _, values in ours.getAllRawHeaders() for value in values)


def test_made_from_a_mapping() -> None:
    """The constructor takes what that of Headers takes."""
    assert FastHeaders({b"a": [b"1"]}) == Headers({b"a": [b"1"]})
    assert FastHeaders({"a": ["1"]}) != FastHeaders()
    assert (FastHeaders() == 3) is False
    assert repr(FastHeaders({b"a": [b"1"]})) == "FastHeaders({b'A': [b'1']})"


@pytest.mark.parametrize("name", [b"", b"a b", b"a\r\n", "a:b", b"\x85"])
def test_names_are_tokens(name: bytes | str) -> None:
    """A-35: a name that is no token is refused as Headers refuses it."""
    with pytest.raises(InvalidHeaderName):
        FastHeaders().setRawHeaders(name, [b"x"])


def test_names_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger who invents field names does not fill the memory, nor drive out the usual ones."""
    remembered = dict(CANONICAL)
    monkeypatch.setattr(headers_module, "CANONICAL", remembered)
    headers = FastHeaders()
    for number in range(6000):
        headers.addRawHeader(b"x-invented-%d" % number, b"")
    assert len(remembered) <= 4096
    assert remembered[b"user-agent"] == b"User-Agent"
    assert headers.hasHeader(b"X-Invented-5999")
