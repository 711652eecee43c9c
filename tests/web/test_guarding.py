"""A guard: nothing behind it is found or rendered before every check has let the request pass."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.http1.wire import Rendered, connect, get
from tests.protocols_for_tests import RecorderFactory, echo
from tests.web.support import Where
from upgradegw.events import access_events
from upgradegw.http.limits import Limits
from upgradegw.http.subtrees import limit, limits_for
from upgradegw.interfaces import Allow, Deny, Respond
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.stream import stream
from upgradegw.testing import Client, Refused
from upgradegw.web.guarding import Guard, granted
from upgradegw.web.resource import UpgradeResource


class Noted(Resource):
    """Notes what is looked for below it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[bytes] = []

    def getChild(self, path: bytes, request: Any) -> Resource:
        self.found.append(path)
        return Where()


class Tests(SynchronousTestCase):
    """Over HTTP/1.1, on a wire."""

    def answers(self, resource: Any, *checks: Any, ask: bytes | None = None, **site: Any) -> list[Any]:
        """Return the answers to a request."""
        return connect(Guard(resource, checks), **site).send(ask or get(b"/a/b")).answers()

    def test_pass(self) -> None:
        """Without an objection, the other resource is found and rendered as if it stood there itself."""
        root = Resource()
        root.putChild(b"g", Guard(Noted(), [lambda _request: Allow()] * 3))
        (answer,) = connect(root).send(get(b"/g/x/y%20z")).answers()
        assert answer.body == b"g/x|y z"

    def test_the_first_objection(self) -> None:
        """Checks are asked in order, and none behind one that objects; nothing of the tree is looked at."""
        asked: list[int] = []

        def check(number: int, answer: Any) -> Any:
            return lambda _request: asked.append(number) or answer

        inside = Noted()
        checks = [check(1, Allow()), check(2, Deny(402, ((b"X-Why", b"2"),), b"pay")), check(3, Allow())]
        (answer,) = self.answers(inside, *checks)
        assert (answer.status, answer.get(b"x-why"), answer.body) == (402, b"2", b"pay")
        assert answer.get(b"cache-control") == b"no-store"
        assert asked == [1, 2]
        assert inside.found == []

    def test_answers_that_take_time(self) -> None:
        """Checks may promise to answer; the client's later requests wait."""
        waiting: list[Deferred[Any]] = [Deferred(), Deferred()]
        wire = connect(Guard(Where(), [lambda _r: waiting[0], lambda _r: waiting[1]])).send(get(b"/1"))
        for each in waiting:
            assert wire.answers() == []
            each.callback(Allow())
        assert [each.status for each in wire.answers()] == [200]

    def test_no_answer(self) -> None:
        """A-45: no answer in time is 503, an exception and nonsense are 500: whoever cannot be asked says no."""
        inside = Noted()
        wire = connect(Guard(inside, [lambda _r: Deferred()], timeout=3)).send(get()).advance(4)
        assert [each.status for each in wire.answers()] == [503]
        for check in (lambda _r: 1 / 0, lambda _r: True, lambda _r: None):
            assert [each.status for each in self.answers(inside, check)] == [500]
        assert len(self.flushLoggedErrors(ZeroDivisionError, TypeError)) == 3
        assert inside.found == []

    def test_a_client_that_leaves(self) -> None:
        """Who has left is not answered, and the question is taken back."""
        cancelled: list[Any] = []
        inside = Noted()
        wire = connect(Guard(inside, [lambda _r: Deferred(cancelled.append)])).send(get(b"/a"))
        wire.transport.abortConnection()
        wire.advance(1)
        assert len(cancelled) == 1
        assert inside.found == []
        assert wire.protocol._context.connections == set()

    def test_fields_and_cookies(self) -> None:
        """What a check adds is on the response, whoever writes it."""
        fields = ((b"X-User", b"ann"), (b"Set-Cookie", b"s=1"))
        (answer,) = self.answers(Where(), lambda _r: Allow(fields=fields))
        assert (answer.get(b"x-user"), answer.get(b"set-cookie")) == (b"ann", b"s=1")

    def test_context(self) -> None:
        """The context of the last check that gave one reaches who asks for it."""
        seen: list[Allow] = []
        inside = Rendered(lambda request: seen.append(granted(request)) or b"")
        checks = [lambda _r: Allow("a", counted_as=1), lambda _r: Allow("b", ((b"X", b"y"),)), lambda _r: Allow()]
        self.answers(inside, *checks)
        self.answers(inside)
        assert seen == [Allow("b"), Allow()]

    def test_an_answer_of_its_own(self) -> None:
        """A check may have the whole answer."""
        (answer,) = self.answers(Where(), lambda _r: Respond(lambda request: b"see " + request.uri))
        assert answer.body == b"see /a/b"

    def test_a_check_that_answers_by_itself(self) -> None:
        """Half an answer costs the connection; a whole one is the answer. Nothing is rendered behind either."""
        inside, released = Noted(), []

        def finish(request: Any) -> Respond:
            request.finish()
            return Respond(lambda _request: b"", lambda: released.append(1))

        wire = connect(Guard(inside, [lambda request: request.write(b"half") or Allow()])).send(get(b"/a"))
        assert not wire.open
        (answer,) = self.answers(inside, finish)
        assert (answer.status, released, inside.found) == (200, [1], [])

    def test_the_log(self) -> None:
        """Why a request did not pass is in its event."""
        seen: list[Any] = []
        self.addCleanup(access_events.subscribe(seen.append))
        self.answers(Where(), lambda _r: Refuse(Reason.CLIENT_NOT_ALLOWED, 403, (), "client 192.0.2.7"))
        assert [(each["status"], each["reason"], each["detail"]) for each in seen] == [
            (403, "client_not_allowed", "client 192.0.2.7")
        ]

    def test_bytes_behind_an_offer(self) -> None:
        """A-05: behind an offer that is not accepted nothing is read as a request."""
        offer = get(b"/", b"Connection: Upgrade", b"Upgrade: echo")
        (answer,) = self.answers(Where(), lambda _r: Deny(401), ask=offer + get(b"/secret"))
        assert (answer.status, answer.get(b"connection")) == (401, b"close")

    def test_content_that_nobody_wants(self) -> None:
        """Where content is streamed, a refusal says that the connection closes."""
        inside = Where()
        inside.streams_content = True  # type: ignore[attr-defined]
        (answer,) = self.answers(inside, lambda _r: Deny(), ask=get(b"/", b"Content-Length: 5", method=b"POST") + b"ab")
        assert (answer.status, answer.get(b"connection")) == (403, b"close")

    def test_content_that_a_check_has_read(self) -> None:
        """The resource finds the content from its beginning."""
        inside = Rendered(lambda request: request.content.read())
        ask = get(b"/", b"Content-Length: 5", method=b"POST") + b"12345"
        (answer,) = self.answers(inside, lambda request: request.content.read() and Allow(), ask=ask)
        assert answer.body == b"12345"

    def test_limits(self) -> None:
        """Limits and streaming are those of what stands behind, also if they are given to the guard."""
        root, inside = Resource(), Where()
        inside.streams_content = True  # type: ignore[attr-defined]
        root.putChild(b"g", limit(Guard(inside, []), max_content=7))
        found, streams = limits_for(root, b"/g/x", Limits())
        assert (found.max_content, streams) == (7, True)
        assert limits_for(Guard(Resource(), []), b"/g/x", Limits()) == (Limits(), False)

    def test_options_of_the_server(self) -> None:
        """``OPTIONS *`` is asked about where a resource answers it, and is the site's elsewhere."""
        ask = get(b"*", method=b"OPTIONS")
        assert [each.status for each in self.answers(Where(), lambda _r: Deny(), ask=ask)] == [200]
        server = Where()
        server.resource_for_server = lambda: Rendered(lambda _r: b"the server")  # type: ignore[attr-defined]
        assert [each.status for each in self.answers(server, lambda _r: Deny(), ask=ask)] == [403]
        assert [each.body for each in self.answers(server, lambda _r: Allow(), ask=ask)] == [b"the server"]


class Upgrades(SynchronousTestCase):
    """What switches behind a guard."""

    def test_every_transport(self) -> None:
        """An upgrade behind a guard works over each version, finds the context, and is refused with the status."""
        for over in ("http/1.1", "http/2", "tls"):
            factory = RecorderFactory(data=echo)
            inside = UpgradeResource([stream("echo", factory)], authorize=granted)
            with Client(Guard(inside, [lambda _r: Allow("ann")]), over) as client:
                tunnel = client.upgrade("echo")
                tunnel.send(b"x")
                assert tunnel.received == b"x"
                assert factory.built[0].info.context == "ann"
            with Client(Guard(inside, [lambda _r: Deny(401)]), over) as client:
                with pytest.raises(Refused) as refused:
                    client.upgrade("echo")
                assert refused.value.status == 401

    def test_extended_connect_to_what_is_none(self) -> None:
        """A guard does not open what is behind it to extended CONNECT."""
        with Client(Guard(Where(), []), "http/2") as client:
            with pytest.raises(Refused) as refused:
                client.upgrade("echo")
            assert refused.value.status == 405
