"""Limits of one resource: who is counted, for how long, and what the others are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from tests.memory import Memory, fields_of, upgrade_request
from tests.protocols_for_tests import RecorderFactory, echo
from tests.web.support import SITES, Where, open_client
from upgradegw.events import access_events
from upgradegw.interfaces import Allow, Deny
from upgradegw.protocols.stream import stream
from upgradegw.testing import Client
from upgradegw.web.drain import Drain
from upgradegw.web.resource import UpgradeResource


def by_user(request: Any) -> Allow:
    """Let everybody in, as whoever they say they are."""
    user = request.getHeader(b"X-User")
    return Allow(context=None if user is None else {"name": user}, counted_as=user)


def resource(**arguments: Any) -> UpgradeResource:
    """Serve an echo within limits."""
    return UpgradeResource([stream("echo", RecorderFactory(data=echo))], **arguments)


def counts(limited: UpgradeResource) -> tuple[int, ...]:
    """How many are counted by each limit."""
    admission = limited.admission
    return tuple(map(len, (admission.route, admission.clients, admission.contexts)))


@pytest.mark.parametrize(("over", "stock"), SITES)
class TestLimits:
    """On both kinds of site, on every transport."""

    def test_the_resource_is_full(self, over: Any, stock: bool) -> None:
        """A-40: 503 with Retry-After beyond max_connections; whoever ends makes room."""
        limited = resource(max_connections=2, retry_after=3)
        with open_client(limited, over, stock) as client:
            first = client.upgrade("echo")
            client.upgrade("echo")
            refused = client.start_upgrade("echo").response
            assert refused is not None
            assert (refused.status, refused.get("Retry-After")) == (503, b"3")
            first.lose()
            client.upgrade("echo")
        assert counts(limited) == (0, 0, 0)

    def test_a_client_has_enough(self, over: Any, stock: bool) -> None:
        """A-40: 429 (RFC 6585 section 4) for the one, while others are let in."""
        limited = resource(max_connections_per_client=1)
        with open_client(limited, over, stock) as client:
            client.upgrade("echo")
            refused = client.start_upgrade("echo").response
            assert refused is not None
            assert (refused.status, refused.get("Retry-After")) == (429, b"10")
            with Client(client.site, over, peer="192.0.2.8") as other:
                other.upgrade("echo")
                assert counts(limited) == (0, 2, 0)
        assert counts(limited) == (0, 0, 0)

    def test_a_context_has_enough(self, over: Any, stock: bool) -> None:
        """429 for one user, wherever he comes from; who has no context is not counted."""
        limited = resource(max_connections_per_context=1, authorize=by_user)
        with open_client(limited, over, stock) as client:
            for user in ("a", "b"):
                client.upgrade("echo", fields={"X-User": user})
                refused = client.start_upgrade("echo", fields={"X-User": user}).response
                assert refused is not None
                assert refused.status == 429
            client.upgrade("echo")
            client.upgrade("echo")
            assert counts(limited) == (0, 0, 2)
        assert counts(limited) == (0, 0, 0)


class Rules(SynchronousTestCase):
    """What counts, and as what."""

    def events(self) -> list[Any]:
        found: list[Any] = []
        self.addCleanup(access_events.subscribe(found.append))
        return found

    def test_while_the_application_thinks(self) -> None:
        """Whoever is being asked about counts, so that asking many times at once is no way around a limit."""
        permission: Deferred[Any] = Deferred()
        limited = resource(max_connections=1, authorize=lambda _request: permission)
        with Client(limited) as client:
            waiting = client.start_upgrade("echo")
            refused = client.start_upgrade("echo").response
            assert refused is not None
            assert refused.status == 503
            permission.callback(Deny())
            assert waiting.response is not None
            assert waiting.response.status == 403
        assert counts(limited) == (0, 0, 0)

    def test_the_log_names_the_limit(self) -> None:
        """The reason is too_many_connections, the detail the limit and its value."""
        events = self.events()
        with Client(resource(max_connections_per_client=1)) as client:
            client.upgrade("echo")
            client.start_upgrade("echo")
        (refused,) = [event for event in events if event.get("reason") == "too_many_connections"]
        assert (refused["status"], refused["detail"]) == (429, "max_connections_per_client=1")

    def test_only_upgrades_count(self) -> None:
        """Requests that go to ``otherwise``, and those that are refused by the rules, need no place."""
        limited = resource(max_connections=1, otherwise=Where())
        with Client(limited) as client:
            client.upgrade("echo")
            assert client.get("/").status == 200
            assert counts(limited) == (1, 0, 0)

    def test_a_proxy_that_names_nobody(self) -> None:
        """A trusted proxy stands for all of its clients, and counts only for those that it names."""
        limited = resource(max_connections_per_client=1)
        memory = Memory(limited, trusted_proxies=["192.0.2.7"])
        named = (b"X-Forwarded-For: 198.51.100.1",)
        for lines, status in (((), 101), ((), 101), (named, 101), (named, 429), ((), 101)):
            memory.transport = memory.connect()
            memory.send(upgrade_request(b"echo", *lines))
            assert memory.status == status

    def test_an_untrusted_peer(self) -> None:
        """Who is not trusted counts as himself, whatever he says."""
        memory = Memory(resource(max_connections_per_client=1))
        for number, status in ((1, 101), (2, 429)):
            memory.transport = memory.connect()
            memory.send(upgrade_request(b"echo", b"X-Forwarded-For: 198.51.100.%d" % number))
            assert memory.status == status

    def test_a_pipelined_request_behind_a_refusal(self) -> None:
        """RFC 9931: what came behind an upgrade that was refused is not parsed."""
        memory = Memory(resource(max_connections_per_client=1))
        memory.send(upgrade_request())
        memory.transport = memory.connect()
        memory.send(upgrade_request() + b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert memory.status == 429
        assert fields_of(memory.received)[b"connection"] == b"close"
        assert memory.received.count(b"HTTP/1.1 ") == 1

    def test_equal_contexts_are_one(self) -> None:
        """Contexts are counted by equality; ``counted_as`` is counted instead."""

        @dataclass(frozen=True)
        class User:
            name: str

        answers = [Allow(User("a")), Allow(User("a")), Allow(User("a"), counted_as="x"), Allow(["b"], counted_as="x")]
        limited = resource(max_connections_per_context=1, authorize=lambda _request: answers.pop(0))
        with Client(limited) as client:
            statuses = [client.start_upgrade("echo").response.status for _ in range(4)]  # type: ignore[union-attr]
            assert statuses == [101, 429, 101, 429]
            assert counts(limited) == (0, 0, 2)

    def test_a_context_that_cannot_be_counted(self) -> None:
        """500, and one line in the log that says what to do."""
        lines: list[str] = []
        events = self.events()
        limited = resource(
            max_connections=5, max_connections_per_context=1, authorize=lambda _request: Allow(context=["a"])
        )
        from twisted.logger import formatEvent, globalLogPublisher

        def observe(event: Any) -> None:
            if event["log_namespace"] == "upgradegw":
                lines.append(formatEvent(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        with Client(limited) as client:
            refused = client.start_upgrade("echo").response
            assert refused is not None
            assert refused.status == 500
        (line,) = lines
        assert line.startswith("max_connections_per_context cannot count the context of authorize(): unhashable")
        assert line.endswith("give Allow(counted_as=...)")
        assert counts(limited) == (0, 0, 0)
        assert events[0]["detail"] == "the context cannot be counted"

    def test_without_that_limit_a_context_needs_no_hash(self) -> None:
        """What is not counted is not looked at."""
        limited = resource(max_connections=1, authorize=lambda _request: Allow(context=["a"]))
        with Client(limited) as client:
            client.upgrade("echo")

    def test_what_is_no_limit(self) -> None:
        """It is refused where it was written."""
        for wrong in ({"max_connections": 0}, {"max_connections_per_client": -1}, {"max_connections_per_context": "1"}):
            with pytest.raises(ValueError, match=next(iter(wrong))):
                resource(**wrong)
        for wrong in ({"retry_after": -1}, {"retry_after": 0.5}, {"retry_after": True}):
            with pytest.raises(ValueError, match="retry_after"):
                resource(**wrong)

    def test_a_switch_that_fails(self) -> None:
        """What fails between the answer and the switch gives its place back."""
        limited = resource(max_connections=1, drain=Drain())
        memory = Memory(limited)
        memory.transport.protocol.take = lambda _request: 1 // 0
        memory.send(upgrade_request())
        assert memory.status == 500
        assert counts(limited) == (0, 0, 0)
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1
