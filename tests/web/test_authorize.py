"""UpgradeResource asks the application: what it allows, denies, forgets to answer or fails with."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.memory import Memory, content_of, fields_of, upgrade_request
from tests.protocols_for_tests import RecorderFactory, echo
from upgradegw.interfaces import Allow, Deny
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


class Plain(Resource):
    """Answers every request."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        return b"plain"


class _OnEachSite:
    """Tests that run on both kinds of site."""

    stock: bool

    def connect(self, *upgrades: Any, **arguments: Any) -> Memory:
        if not upgrades:
            self.factory = RecorderFactory(data=echo)
            upgrades = (stream("echo", self.factory),)
        return Memory(UpgradeResource(upgrades, **arguments), stock=self.stock)

    # --- authorize.

    def test_allow(self) -> None:
        """The context reaches the protocol; fields and cookies reach the 101."""

        async def authorize(request: Any) -> Allow:
            request.addCookie(b"seen", b"1")
            request.setHeader(b"X-Before", b"b")
            return Allow(context="user 7", fields=((b"X-Allowed", b"a"),))

        memory = self.connect(authorize=authorize)
        fields = fields_of(memory.send(upgrade_request()))
        assert memory.status == 101
        assert fields[b"set-cookie"] == b"seen=1"
        assert (fields[b"x-before"], fields[b"x-allowed"]) == (b"b", b"a")
        assert self.factory.only.info.context == "user 7"
        assert self.factory.only.info.client.address == "192.0.2.7"

    def test_deny(self) -> None:
        """WS-12: a denial is an ordinary response with its own status, fields and content, and with the cookies."""

        def authorize(request: Any) -> Deny:
            request.addCookie(b"seen", b"1")
            return Deny(401, ((b"WWW-Authenticate", b"Basic"),), b"who are you?")

        memory = self.connect(authorize=authorize)
        response = memory.send(upgrade_request())
        fields = fields_of(response)
        assert memory.status == 401
        assert (fields[b"www-authenticate"], fields[b"set-cookie"]) == (b"Basic", b"seen=1")
        assert content_of(response) == b"who are you?"
        assert not self.factory.built

    def test_deny_with_redirect(self) -> None:
        """WS-12: a denial may redirect."""
        memory = self.connect(authorize=lambda request: Deny(303, ((b"Location", b"/login"),)))
        assert fields_of(memory.send(upgrade_request()))[b"location"] == b"/login"
        assert memory.status == 303

    def test_authorize_is_asked_once_and_only_for_a_candidate(self) -> None:
        """Requests that are refused or go to ``otherwise`` are not asked about."""
        asked: list[Any] = []

        def authorize(request: Any) -> Any:
            asked.append(request)
            return succeed(Allow())

        memory = self.connect(otherwise=Plain(), authorize=authorize)
        memory.send(GET, upgrade_request(b"foo"))
        assert not asked
        memory.send(upgrade_request())
        assert len(asked) == 1

    def test_authorize_raises(self) -> None:
        """A-45: 500, one traceback in the log, the next connection works."""
        for outcome in (lambda r: 1 / 0, lambda r: fail(ZeroDivisionError()), lambda r: "yes"):
            memory = self.connect(authorize=outcome)
            memory.send(upgrade_request())
            assert memory.status == 500
            assert len(self.flushLoggedErrors(ZeroDivisionError, TypeError)) == 1  # type: ignore[attr-defined]

    def test_authorize_never_answers(self) -> None:
        """A-45: 503 after ten seconds; what it waited for is cancelled."""
        cancelled: list[Any] = []
        memory = self.connect(authorize=lambda request: Deferred(cancelled.append))
        memory.send(upgrade_request())
        memory.clock.advance(9.9)
        assert memory.received == b""
        memory.clock.advance(0.2)
        assert memory.status == 503
        assert len(cancelled) == 1

    def test_client_leaves_while_authorize_thinks(self) -> None:
        """A-45: what authorize waits for is cancelled; nothing is written, nothing logged."""
        cancelled: list[Any] = []
        memory = self.connect(authorize=lambda request: Deferred(cancelled.append))
        memory.send(upgrade_request())
        memory.transport.lose(ConnectionLost())
        assert len(cancelled) == 1
        assert memory.received == b""
        assert not self.factory.built

    # --- Protocols that cannot be had.

    def test_no_protocol(self) -> None:
        """A-45: buildProtocol returns None: 503, and the factory is stopped again."""
        factory = RecorderFactory()
        factory.buildProtocol = lambda addr: None  # type: ignore[method-assign, return-value, assignment]
        memory = self.connect(stream("echo", factory))
        memory.send(upgrade_request())
        assert memory.status == 503
        assert factory.running == 0

    def test_build_protocol_raises(self) -> None:
        """A-45: buildProtocol raises: 500, one traceback, the factory is stopped again."""
        factory = RecorderFactory()
        factory.buildProtocol = lambda addr: 1 / 0  # type: ignore[method-assign, return-value, assignment]
        memory = self.connect(stream("echo", factory))
        memory.send(upgrade_request())
        assert memory.status == 500
        assert factory.running == 0
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1  # type: ignore[attr-defined]


class StockSiteTests(_OnEachSite, SynchronousTestCase):
    """In ``twisted.web.server.Site``."""

    stock = True


class UpgradeSiteTests(_OnEachSite, SynchronousTestCase):
    """In ``UpgradeSite``."""

    stock = False
