"""UpgradeResource asks the application: what it allows, denies, forgets to answer or fails with."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.memory import Memory, content_of, fields_of, upgrade_request
from tests.protocols_for_tests import RecorderFactory
from tests.web.support import GET, OnEachSite, Where
from upgradegw.interfaces import Allow, Deny
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource


class _OnEachSite(OnEachSite):
    """Tests that run on both kinds of site."""

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

        memory = self.connect(otherwise=Where(), authorize=authorize)
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

    def test_authorize_does_not_stop(self) -> None:
        """A-45: 503 at ten seconds also if it takes no notice of being cancelled; what it says then is dropped."""
        first: Deferred[None] = Deferred()
        second: Deferred[None] = Deferred()

        async def authorize(request: Any) -> Allow:
            try:
                await first
            except CancelledError:
                await second
            return Allow()

        memory = self.connect(authorize=authorize)
        memory.send(upgrade_request())
        memory.clock.advance(10.1)
        assert memory.status == 503
        answered = memory.received
        second.callback(None)
        assert memory.received == answered
        assert not self.factory.built

    def test_authorize_answers_by_itself(self) -> None:
        """A-45: a request that ``authorize`` has finished is not touched again, whatever it returns."""
        for outcome in (Allow(), Deny(), succeed(Allow()), fail(ZeroDivisionError())):

            def authorize(request: Any, outcome: Any = outcome) -> Any:
                request.redirect(b"/login")
                request.finish()
                return outcome

            memory = self.connect(authorize=authorize)
            response = memory.send(upgrade_request())
            assert memory.status == 302
            assert response.count(b"HTTP/1.1 ") == 1
            assert not self.factory.built
            assert not memory.transport.disconnecting
        self.flushLoggedErrors(ZeroDivisionError)  # type: ignore[attr-defined]

    def test_authorize_begins_an_answer(self) -> None:
        """A-45: no 101 and no refusal stands behind a part of another response; the connection closes."""
        for outcome in (Allow(), Deny()):

            def authorize(request: Any, outcome: Any = outcome) -> Any:
                request.write(b"part")
                return outcome

            memory = self.connect(authorize=authorize)
            assert memory.send(upgrade_request()).count(b"HTTP/1.1 ") == 1
            assert memory.status == 200
            assert memory.transport.disconnecting
            assert not self.factory.built

    def test_answers_that_cannot_be_sent(self) -> None:
        """UP-15, A-35: a status that refuses nothing, and fields that would frame the response, are faults: 500."""
        for outcome in (
            Deny(101),
            Deny(200),
            Deny(1000),
            Deny(fields=((b"Transfer-Encoding", b"chunked"),)),
            Allow(fields=((b"Content-Length", b"5"),)),
            Allow(fields=((b"upgrade", b"other"),)),
            Allow(fields=((b"X-A", b"1\r\nX-B: 2"),)),
        ):
            memory = self.connect(authorize=lambda request, outcome=outcome: outcome)
            memory.send(upgrade_request())
            assert memory.status == 500, outcome
            assert len(self.flushLoggedErrors(ValueError)) == 1  # type: ignore[attr-defined]

    def test_cookie_with_a_line_break(self) -> None:
        """A-35: what is set on the request cannot begin a line of the 101."""

        def authorize(request: Any) -> Allow:
            request.cookies.append(b"a=b\r\nX-Injected: 1")
            return Allow()

        memory = self.connect(authorize=authorize)
        fields = fields_of(memory.send(upgrade_request()))
        assert memory.status == 101
        assert b"x-injected" not in fields
        assert fields[b"set-cookie"] == b"a=b X-Injected: 1"

    def test_authorize_reads_the_content(self) -> None:
        """The protocol finds the content also if ``authorize`` has read it."""
        self.factory = RecorderFactory()
        memory = self.connect(
            stream("echo", self.factory, methods=("POST",), content=True),
            authorize=lambda request: Allow(context=request.content.read()),
        )
        memory.send(upgrade_request(b"echo", b"Content-Length: 5", method=b"POST") + b"helloX")
        info = self.factory.only.info
        assert (info.context, info.content, self.factory.only.data) == (b"hello", b"hello", b"X")

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


class StoppingTests(SynchronousTestCase):
    """A site that stops while a request is on its way to a switch."""

    def test_a_late_switch_is_told(self) -> None:
        """UP-16: a protocol that starts when the site is already stopping is ended in order, and the stop completes."""
        answer: Deferred[Allow] = Deferred()
        factory = RecorderFactory(made=lambda p: p.transport.write(b"last words"))
        memory = Memory(UpgradeResource([stream("echo", factory)], authorize=lambda request: answer))
        memory.send(upgrade_request())
        stopped = memory.site.stop()
        answer.callback(Allow())
        assert content_of(memory.received) == b"last words"
        assert memory.transport.disconnecting
        self.assertNoResult(stopped)
        memory.transport.lose()
        self.successResultOf(stopped)

    def test_a_producer_does_not_keep_it(self) -> None:
        """A-45: a protocol whose producer is registered for ever is closed as well."""
        factory = RecorderFactory(made=lambda p: p.transport.registerProducer(object(), True))
        memory = Memory(UpgradeResource([stream("echo", factory)]))
        memory.send(upgrade_request())
        memory.site.stop()
        assert memory.transport.producer is None
        assert memory.transport.disconnecting
