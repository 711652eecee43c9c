"""``stream``: any Twisted protocol under a token."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.memory import Memory, fields_of, upgrade_request
from tests.protocols_for_tests import RecorderFactory, echo
from upgradegw.negotiation.model import UpgradeProtocol
from upgradegw.protocols.stream import parse_token, stream
from upgradegw.web.resource import UpgradeResource


@pytest.mark.parametrize(
    ("token", "parsed"),
    [
        ("feed", UpgradeProtocol(b"feed")),
        ("feed/2", UpgradeProtocol(b"feed", b"2")),
        (b"SPDY/3.1", UpgradeProtocol(b"SPDY", b"3.1")),
    ],
)
def test_tokens(token: str | bytes, parsed: UpgradeProtocol) -> None:
    """UP-06: a token is a name, or a name and a version."""
    assert parse_token(token) == parsed


@pytest.mark.parametrize("token", ["", "/2", "feed/", "feed/2/3", "fe ed", "feed,x", "fe\ned"])
def test_bad_tokens(token: str) -> None:
    """UP-06: what is no token is refused with one clear error."""
    with pytest.raises(ValueError, match="no upgrade token"):
        stream(token, RecorderFactory())


@pytest.mark.parametrize("token", ["h2c", "H2", "HTTP/2.0"])
def test_http_is_no_stream(token: str) -> None:
    """HC-11: the names of HTTP's own versions cannot be taken."""
    with pytest.raises(ValueError, match="version of HTTP"):
        stream(token, RecorderFactory())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"methods": ()}, "methods"),
        ({"methods": ("GE T",)}, "methods"),
        ({"reason": "A\r\nB: c"}, "control"),
        ({"fields": [("X A", "1")]}, "field name"),
        ({"fields": [("X-A", "1\r\n")]}, "control"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    """A-35: what could not stand in a response head is refused before anybody connects."""
    with pytest.raises(ValueError, match=message):
        stream("feed", RecorderFactory(), **arguments)


class FieldsTests(SynchronousTestCase):
    """The 101 of a stream."""

    def answer(self, **arguments: Any) -> Memory:
        memory = Memory(UpgradeResource([stream("tcp", RecorderFactory(data=echo), **arguments)]), stock=True)
        memory.send(upgrade_request(b"tcp"))
        return memory

    def test_fields_and_phrase(self) -> None:
        """UP-15: fields and the reason phrase of the 101 can be chosen; Upgrade and Connection stay."""
        memory = self.answer(fields=[("Content-Type", "application/x"), (b"X-A", b"1")], reason="UPGRADED")
        fields = fields_of(memory.received)
        assert memory.received.startswith(b"HTTP/1.1 101 UPGRADED\r\n")
        assert (fields[b"content-type"], fields[b"x-a"]) == (b"application/x", b"1")
        assert (fields[b"upgrade"], fields[b"connection"]) == (b"tcp", b"Upgrade")

    def test_computed_fields(self) -> None:
        """Fields may be computed from the request."""
        memory = self.answer(fields=lambda info: [("X-Method", info.head.method)])
        assert fields_of(memory.received)[b"x-method"] == b"GET"

    def test_bad_computed_fields(self) -> None:
        """A-35: computed fields that cannot stand in a head cost this request a 500, with one traceback."""
        memory = self.answer(fields=lambda info: [("X-Method", "a\r\nX-B: 1")])
        assert memory.status == 500
        assert b"X-B" not in memory.received
        assert len(self.flushLoggedErrors(ValueError)) == 1

    def test_fields_of_the_switch_itself(self) -> None:
        """UP-15: what announces the switch or frames content cannot be set, and whoever tries learns it at once."""
        for name in ("Upgrade", "connection", "Content-Length", "Transfer-Encoding"):
            with pytest.raises(ValueError, match="application's to set"):
                stream("tcp", RecorderFactory(), fields=[(name, "1")])

    def test_info(self) -> None:
        """``upgraded`` gets the head, the token as the client wrote it, the client and how it was asked."""
        factory = RecorderFactory()
        memory = Memory(UpgradeResource([stream("feed/2", factory)]), stock=True)
        memory.send(upgrade_request(b"FEED/2", path=b"/x?y=1"))
        info = factory.only.info
        assert (info.head.method, info.head.target) == (b"GET", b"/x?y=1")
        assert str(info.token) == "FEED/2"
        assert (info.client.address, info.secure, info.http_version) == ("192.0.2.7", False, b"HTTP/1.1")
        assert fields_of(memory.received)[b"upgrade"] == b"feed/2"

    def test_without_upgraded(self) -> None:
        """UP-16: a protocol that knows nothing of HTTP works as well."""
        from twisted.internet.protocol import Factory
        from twisted.protocols.wire import Echo

        factory = Factory.forProtocol(Echo)
        factory.noisy = False
        memory = Memory(UpgradeResource([stream("echo", factory)]), stock=True)
        assert memory.send(upgrade_request() + b"hello").endswith(b"\r\n\r\nhello")
