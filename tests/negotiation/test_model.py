"""The values of a negotiation."""

from __future__ import annotations

import pytest

from upgradegw.negotiation.model import Client, RequestHead, UpgradeProtocol


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        (b"websocket", b"wEbSoCkEt", True),
        (b"feed/2", b"FEED/2", True),
        (b"feed/2", b"feed", False),
        (b"feed", b"feed/2", False),
        (b"feed/2", b"feed/3", False),
        (b"feed/x", b"feed/X", False),
        (b"feed", b"feed/", False),
        (b"feed", b"feeds", False),
    ],
)
def test_match(ours: bytes, theirs: bytes, same: bool):
    """UP-04, UP-06: names are compared without regard to case, versions literally, and an absent one is none."""
    assert UpgradeProtocol.parse(ours).matches(UpgradeProtocol.parse(theirs)) is same
    assert UpgradeProtocol.parse(theirs).matches(UpgradeProtocol.parse(ours)) is same


@pytest.mark.parametrize("token", [b"websocket", b"feed/2", b"HTTP/2.0", b"a/"])
def test_text(token: bytes):
    """UP-06: a protocol is written as it was read."""
    assert bytes(UpgradeProtocol.parse(token)) == token
    assert str(UpgradeProtocol.parse(token)) == token.decode()


def test_a_head_that_is_kept():
    """What a head made for looking fields up can be let go of; the same values are found again."""
    fields = ((b"Via", b"1.1 a"), (b"Host", b"a.example"), (b"via", b"1.1 b"))
    head = RequestHead(b"GET", b"/", b"HTTP/1.1", fields, False, Client(None, None, None, None))
    for _ in range(2):
        assert head.get_all(b"via") == [b"1.1 a", b"1.1 b"]
        assert head.get_all(b"upgrade") == []
        head.forget_index()
    assert head.fields == fields


def test_an_index_of_somebody_elses():
    """Whoever has read the fields already can say what they are by name, so that it need not be found out again."""
    head = RequestHead(b"GET", b"/", b"HTTP/1.1", ((b"Via", b"a"),), False, Client(None, None, None, None))
    head.keep_index({b"via": [b"known"]})
    assert head.get_all(b"via") == [b"known"]
    head.forget_index()
    assert head.get_all(b"via") == [b"a"]


def test_a_key():
    """A head can be a key: two that say the same are the same one."""
    client = Client("10.0.0.1", b"http", b"a", "10.0.0.1")
    one, other = (RequestHead(b"GET", b"/", b"HTTP/1.1", ((b"Host", b"a"),), False, client) for _ in range(2))
    assert one.by_name
    assert {one: 1}[other] == 1
