"""The offer of TLS in an Upgrade field."""

from __future__ import annotations

import pytest

from upgradegw.negotiation.tls_upgrade import choose_tls, inside_tls, tokens_of

BOTH = (b"TLS/1.3", b"TLS/1.2")

#: What the clients of CUPS send, old and new.
CUPS_OLD = b"TLS/1.2,TLS/1.1,TLS/1.0"
CUPS_NEW = b"TLS/1.3,TLS/1.2,TLS/1.1,TLS/1.0"


@pytest.mark.parametrize(
    ("lines", "chosen"),
    [
        ([CUPS_NEW], b"TLS/1.3"),
        ([CUPS_OLD], b"TLS/1.2"),
        ([b"TLS/1.2, TLS/1.3"], b"TLS/1.3"),
        ([b"TLS/1.0,", b" TLS/1.1 ,, TLS/1.2"], b"TLS/1.2"),
        ([b"h2c", b"tls/1.3"], b"TLS/1.3"),
        ([b"websocket, TLS/1.2"], b"TLS/1.2"),
    ],
)
def test_the_highest_version_that_both_know(lines: list[bytes], chosen: bytes):
    """TL-01: whatever the order, over how many lines and beside which others, the highest common version is taken."""
    assert choose_tls(tuple((b"Upgrade", line) for line in lines), BOTH) == chosen


@pytest.mark.parametrize(
    "value",
    [b"TLS/1.0", b"TLS/1.0, TLS/1.1", b"TLS/1.4, TLS/2.0", b"TLS", b"TLS/", b"TLS/1.20", b"TLS/1.2/x", b"h2c", b""],
)
def test_nothing_to_agree_on(value: bytes):
    """TL-01: old versions, those that do not exist and what only looks like one are no offer; nothing is guessed."""
    assert choose_tls(((b"Upgrade", value),), BOTH) is None


def test_only_what_is_supported():
    """A server of one version chooses no other."""
    fields = ((b"upgrade", CUPS_NEW),)
    assert choose_tls(fields, (b"TLS/1.2",)) == b"TLS/1.2"
    assert choose_tls(((b"upgrade", CUPS_OLD),), (b"TLS/1.3",)) is None


def test_the_request_inside():
    """In TLS the request is one without an offer: nobody behind would switch or forward it again."""
    fields = ((b"Host", b"a"), (b"Connection", b"Upgrade"), (b"Upgrade", b"TLS/1.2,TLS/9"), (b"X", b"y"))
    assert inside_tls(fields) == ((b"Host", b"a"), (b"X", b"y"))


def test_other_options_of_the_connection_stay():
    """``close`` and fields that belong to this connection are still named."""
    fields = ((b"Connection", b"close, Upgrade, X"), (b"Upgrade", CUPS_OLD), (b"X", b"y"))
    assert inside_tls(fields) == ((b"Connection", b"close, X"), (b"X", b"y"))


def test_h2c_goes_with_the_offer():
    """Within TLS there is no h2c: neither the token nor its settings."""
    fields = (
        (b"Connection", b"Upgrade, HTTP2-Settings"),
        (b"Upgrade", b"h2c, TLS/1.3"),
        (b"HTTP2-Settings", b"AAMAAABk"),
    )
    assert inside_tls(fields) == ()


def test_other_tokens_stay():
    """Who would have TLS and WebSocket may have one in the other: the second offer is judged when the first is met."""
    fields = ((b"Connection", b"Upgrade"), (b"Upgrade", b"TLS/1.2"), (b"Upgrade", b"h2c, websocket"))
    assert inside_tls(fields) == ((b"Connection", b"Upgrade"), (b"Upgrade", b"websocket"))


def test_tokens_of_versions():
    """The highest comes first: so they stand in a 426, and so they are preferred."""
    assert tokens_of(["1.2", "1.3"]) == BOTH
