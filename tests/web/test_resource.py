"""UpgradeResource: every row of the refusal table, and its place in a tree of resources."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase

from tests.memory import content_of, fields_of, upgrade_request
from tests.protocols_for_tests import RecorderFactory, echo
from tests.web.support import GET, OnEachSite, Where
from upgradegw.events import access_events
from upgradegw.interfaces import IUpgradeResource
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource


class _OnEachSite(OnEachSite):
    """Tests that run on both kinds of site."""

    # --- The refusal table.

    def test_426(self) -> None:
        """UP-02, UP-13, A-41: a plain GET gets 426 with the tokens in order of preference, twice on one connection."""
        factory = RecorderFactory()
        memory = self.connect(stream("feed/2", factory), stream("echo", factory))
        for _ in range(2):
            memory.transport.clear()
            response = memory.send(GET)
            fields = fields_of(response)
            assert memory.status == 426
            assert fields[b"upgrade"] == b"feed/2, echo"
            assert fields[b"connection"] == b"upgrade"
            assert fields[b"cache-control"] == b"no-store"
            assert int(fields[b"content-length"]) == len(content_of(response)) > 0
            assert not memory.transport.disconnecting

    def test_426_for_head(self) -> None:
        """UP-11, UP-13: HEAD gets the same fields and no content."""
        memory = self.connect()
        response = memory.send(upgrade_request(method=b"HEAD"))
        assert memory.status == 426
        assert content_of(response) == b""
        assert int(fields_of(response)[b"content-length"]) > 0

    def test_405(self) -> None:
        """UP-11: a method that no protocol of the path has gets 405 with Allow."""
        for method in (b"POST", b"PUT", b"DELETE"):
            memory = self.connect()
            fields = fields_of(memory.send(upgrade_request(b"echo", b"Content-Length: 0", method=method)))
            assert memory.status == 405
            assert fields[b"allow"] == b"GET"

    def test_unsupported_token(self) -> None:
        """UP-03, UP-06: what is not served is not switched to, nor what only resembles it."""
        for token in (b"foo", b"echo/1", b"echox", b"echo echo", b"h2c"):
            memory = self.connect()
            memory.send(upgrade_request(token))
            assert memory.status == 426, token

    def test_http_1_0(self) -> None:
        """UP-08, A-07: HTTP/1.0 never switches."""
        memory = self.connect()
        memory.send(upgrade_request().replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert memory.status == 426
        assert memory.transport.disconnecting
        assert not self.factory.built

    def test_no_connection_option(self) -> None:
        """UP-09: Upgrade without the connection option is passed over."""
        memory = self.connect()
        memory.send(upgrade_request().replace(b"Connection: Upgrade", b"Connection: keep-alive"))
        assert memory.status == 426

    def test_content(self) -> None:
        """UP-12, A-04: content is not taken for the new protocol's bytes."""
        for content in (
            b"Content-Length: 5\r\n\r\nhello",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        ):
            memory = self.connect()
            memory.send(upgrade_request()[:-2] + content)
            assert memory.status == 426
            assert not self.factory.built

    def test_content_that_is_wanted(self) -> None:
        """UP-12: a protocol that accepts content gets it, and switches behind its last byte."""
        factory = RecorderFactory(data=echo)
        wire = upgrade_request(b"tcp", b"Content-Length: 5", method=b"POST") + b"helloand more"
        for position in range(len(wire)):
            factory.built.clear()
            memory = self.connect(stream("tcp", factory, methods=("POST",), content=True, reason="UPGRADED"))
            response = memory.send(wire[:position], wire[position:])
            assert response.startswith(b"HTTP/1.1 101 UPGRADED\r\n")
            assert factory.only.info.content == b"hello"
            assert content_of(response) == b"and more"

    def test_protected_connection_option(self) -> None:
        """UP-18, A-11: an offer whose Connection names a field that must not vanish is refused."""
        memory = self.connect(otherwise=Where())
        memory.send(upgrade_request().replace(b"Connection: Upgrade", b"Connection: Upgrade, Cookie"))
        assert memory.status == 400

    def test_control_characters(self) -> None:
        """A-10: an offer with control characters in a field value is refused."""
        for byte in (b"\x0b", b"\x0c", b"\x1c", b"\x1e", b"\x01", b"\x7f"):
            memory = self.connect()
            memory.send(upgrade_request(b"echo", b"X-A: v" + byte + b"X-Forwarded-For: 192.0.2.66"))
            assert memory.status == 400, byte

    def test_bytes_behind_a_refusal(self) -> None:
        """A-05: bytes behind a refused offer are not parsed; the connection closes after the answer."""
        for offer in (upgrade_request(b"foo"), upgrade_request().replace(b"Upgrade\r\n", b"Upgrade, Host\r\n", 1)):
            memory = self.connect()
            response = memory.send(offer + GET)
            assert response.count(b"HTTP/1.1 ") == 1
            assert b"close" in fields_of(response)[b"connection"]
            assert memory.transport.disconnecting

    def test_bytes_behind_a_declined_offer(self) -> None:
        """A-05: so it is where the offer was passed over and the plain answer given."""
        memory = self.connect(otherwise=Where())
        response = memory.send(upgrade_request(b"foo") + GET)
        assert memory.status == 200
        assert response.count(b"HTTP/1.1 ") == 1
        assert memory.transport.disconnecting

    def test_nothing_behind_a_refusal(self) -> None:
        """A-05: with nothing behind it, a refused offer leaves the connection usable."""
        memory = self.connect()
        memory.send(upgrade_request(b"foo"))
        assert not memory.transport.disconnecting
        assert memory.send(GET).count(b"HTTP/1.1 426") == 2

    def test_upgrade_after_keep_alive(self) -> None:
        """A-06: an upgrade may follow answered requests, and what is pipelined behind it is the new protocol's."""
        memory = self.connect()
        response = memory.send(GET + GET + upgrade_request() + upgrade_request(), b"!")
        assert response.count(b"HTTP/1.1 426") == 2
        assert response.endswith(upgrade_request() + b"!")

    def test_expect(self) -> None:
        """UP-10: 100 comes before 101 where content is expected and wanted."""
        factory = RecorderFactory()
        memory = self.connect(stream("tcp", factory, methods=("POST",), content=True))
        head = upgrade_request(b"tcp", b"Content-Length: 2", b"Expect: 100-continue", method=b"POST")
        assert memory.send(head) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert b"HTTP/1.1 101 " in memory.send(b"ok")

    # --- The log.

    def test_reason_is_logged(self) -> None:
        """A refusal is logged with its reason, the compared values and a hint; the client reads none of it."""
        events: list[Any] = []
        unsubscribe = access_events.subscribe(events.append)
        try:
            memory = self.connect()
            response = memory.send(upgrade_request(b"\xff\x1b[2Jfoo".replace(b"\x1b", b"~")))
        finally:
            unsubscribe()
        (event,) = events
        assert event["reason"] == "unsupported_token"
        assert event["status"] == 426
        assert "foo" in event["detail"]
        assert event["hint"]
        assert b"unsupported_token" not in response
        assert b"foo" not in response


class StockSiteTests(_OnEachSite, SynchronousTestCase):
    """In ``twisted.web.server.Site``."""

    stock = True


class UpgradeSiteTests(_OnEachSite, SynchronousTestCase):
    """In ``UpgradeSite``."""

    stock = False


def test_arguments() -> None:
    """Bad arguments get one clear error."""
    with pytest.raises(ValueError, match="at least one upgrade"):
        UpgradeResource([])
    with pytest.raises(ValueError, match="served twice"):
        UpgradeResource([stream("echo", RecorderFactory()), stream("ECHO", RecorderFactory())])
    with pytest.raises(LookupError, match="no installed package"):
        UpgradeResource(["nobody-has-this"])


def test_declares_itself() -> None:
    """An UpgradeResource may be asked with extended CONNECT, and says so."""
    assert IUpgradeResource.providedBy(UpgradeResource([stream("echo", RecorderFactory())]))
