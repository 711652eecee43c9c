"""The offer of HTTP/2 in an Upgrade field."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgradegw.negotiation.http2_settings import h2c_settings, is_forwarded


def entry(setting: int, value: int) -> bytes:
    """One entry of a SETTINGS payload."""
    return setting.to_bytes(2, "big") + value.to_bytes(4, "big")


def offer(*entries: bytes, upgrade: bytes = b"h2c", connection: bytes = b"Upgrade, HTTP2-Settings"):
    """The fields of an offer."""
    value = urlsafe_b64encode(b"".join(entries))
    return ((b"Connection", connection), (b"Upgrade", upgrade), (b"HTTP2-Settings", value))


#: What curl sends.
CURL = b"AAMAAABkAAQAAgAAAAIAAAAA"


def with_settings(*values: bytes):
    """An offer with these values of HTTP2-Settings."""
    return (*offer()[:2], *((b"http2-settings", value) for value in values))


def test_an_offer():
    """HC-01, HC-04: a right offer gives the value; an empty one is right, too."""
    assert h2c_settings(with_settings(CURL)) == CURL
    assert h2c_settings(with_settings(b"")) == b""


@pytest.mark.parametrize("upgrade", [b"h2c", b"H2C", b"h2c, h2", b"h2,h2c", b",h2c,"])
def test_tokens(upgrade):
    """HC-08: ``h2`` is ignored, the case as well."""
    assert h2c_settings(offer(upgrade=upgrade)) == b""


@pytest.mark.parametrize("upgrade", [b"h2", b"websocket", b"h2c, websocket", b"h2c/1", b"", b"h2c h2"])
def test_other_tokens(upgrade):
    """HC-08: ``h2`` alone is none; who would have something else as well gets HTTP/1.1."""
    assert h2c_settings(offer(upgrade=upgrade)) is None


@pytest.mark.parametrize("values", [(), (CURL, CURL), (CURL + b"," + CURL,), (b"", b"")])
def test_not_exactly_one(values):
    """HC-02: absent, twice or a list: no offer."""
    assert h2c_settings(with_settings(*values)) is None


@pytest.mark.parametrize("connection", [b"Upgrade", b"HTTP2-Settings", b"keep-alive", b"Upgrade HTTP2-Settings", b""])
def test_named_in_connection(connection):
    """HC-03: both fields are the connection's own and must be named as such."""
    assert h2c_settings(offer(connection=connection)) is None


def test_connection_over_several_lines():
    """HC-03: the options may stand on lines of their own, in any case."""
    lines = ((b"connection", b"UPGRADE"), (b"connection", b"close, http2-settings"))
    assert h2c_settings((*lines, *offer()[1:])) == b""


@pytest.mark.parametrize(
    "value",
    [b"!!!!!!!!", b"AAMA", CURL + b"=", CURL[:-1], CURL + b"AA==", CURL[:-2] + b"//", CURL[:-2] + b"++", b" " + CURL],
)
def test_no_base64url(value):
    """HC-04: anything but whole entries in base64url without padding is no offer."""
    assert h2c_settings(with_settings(value)) is None


@pytest.mark.parametrize(
    ("setting", "right", "wrong"),
    [
        (2, (0, 1), (2, (1 << 32) - 1)),
        (4, (0, (1 << 31) - 1), (1 << 31, (1 << 32) - 1)),
        (5, (1 << 14, (1 << 24) - 1), (0, (1 << 14) - 1, 1 << 24)),
        (8, (0, 1), (2,)),
        (1, (0, (1 << 32) - 1), ()),
        (0xFEFE, (0, (1 << 32) - 1), ()),
    ],
)
def test_values(setting, right, wrong):
    """HC-04: a value that RFC 9113 section 6.5.2 calls an error is no offer; unknown settings have any."""
    for value in right:
        assert h2c_settings(offer(entry(3, 100), entry(setting, value))) is not None
    for value in wrong:
        assert h2c_settings(offer(entry(3, 100), entry(setting, value))) is None


def test_too_many():
    """A-18: as many entries as in a frame, and no more."""
    assert h2c_settings(offer(entry(3, 1) * 32)) is not None
    assert h2c_settings(offer(entry(3, 1) * 33)) is None


@given(st.binary())
def test_only_legal_payloads(value):
    """HC-04: whatever is accepted is base64url of whole entries."""
    found = h2c_settings(with_settings(value))
    if found is not None:
        assert found == value
        assert urlsafe_b64encode(urlsafe_b64decode(value)) == value
        assert len(urlsafe_b64decode(value)) % 6 == 0


@pytest.mark.parametrize(
    "name", [b"Forwarded", b"VIA", b"X-Forwarded-For", b"x-forwarded-host", b"X-Forwarded-Anything"]
)
def test_forwarded(name):
    """A-01: whoever stands in between and says so is seen."""
    assert is_forwarded(((b"Host", b"a"), (name, b"")))
    assert not is_forwarded(((b"Host", b"a"), (b"X-Forward", name)))
