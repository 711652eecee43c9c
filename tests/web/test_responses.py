"""What a refusal looks like on the wire, on each kind of site."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.memory import Memory, fields_of
from tests.protocols_for_tests import RecorderFactory
from upgradegw.interfaces import Deny
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource


class _OnEachSite:
    """Tests that run on both kinds of site."""

    stock: bool

    def connect(self, **arguments: Any) -> Memory:
        return Memory(UpgradeResource([stream("echo", RecorderFactory())], **arguments), stock=self.stock)

    def test_client_that_closes(self) -> None:
        """UP-13: the 426 to a client that wants no second request says ``close`` beside ``upgrade`` (RFC 9112 9.6)."""
        memory = self.connect()
        response = memory.send(b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n")
        assert memory.status == 426
        options = {option.strip() for option in fields_of(response)[b"connection"].split(b",")}
        assert options == {b"upgrade", b"close"}
        assert response.count(b"close") == 1
        assert memory.transport.disconnecting

    def test_names_in_any_case(self) -> None:
        """RFC 9110 section 5.1: names differ by case only: both values are sent."""
        fields = ((b"WWW-Authenticate", b"Basic"), (b"www-authenticate", b"Digest"))
        memory = self.connect(authorize=lambda request: Deny(401, fields))
        head = b"GET / HTTP/1.1\r\nHost: a.example\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n"
        assert fields_of(memory.send(head))[b"www-authenticate"] == b"Basic, Digest"


class StockSiteTests(_OnEachSite, SynchronousTestCase):
    """In ``twisted.web.server.Site``."""

    stock = True


class UpgradeSiteTests(_OnEachSite, SynchronousTestCase):
    """In ``UpgradeSite``."""

    stock = False
