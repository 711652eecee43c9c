"""Counts return to zero, whatever happens: random stories of requests, answers and ends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from tests.protocols_for_tests import RecorderFactory, echo
from tests.web.test_admission import counts
from upgradegw.interfaces import Allow, Deny
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.stream import stream
from upgradegw.testing import Client
from upgradegw.web.drain import Drain
from upgradegw.web.resource import UpgradeResource

#: What may happen to a request, in the order in which it can: the answer of ``authorize``, that of ``prepare``, and
#: how the connection ends. A client may leave at any time.
STEPS = ("allow", "deny", "fail", "late", "accept", "refuse", "break", "leave", "lose", "drop", "drain")


class _Waiting:
    """An upgrade whose ``prepare`` answers when the test does."""

    def __init__(self) -> None:
        self.inner: Any = stream("echo", RecorderFactory(data=echo))
        self.protocol, self.methods, self.content = self.inner.protocol, self.inner.methods, False
        self.asked: list[tuple[Deferred[Any], Any]] = []

    def check(self, head: Any) -> Any:
        return self.inner.check(head)

    def prepare(self, info: Any, transport: Any) -> Deferred[Any]:
        waiting: Deferred[Any] = Deferred()
        self.asked.append((waiting, lambda: self.inner.prepare(info, transport)))
        return waiting

    def answer(self, kind: str) -> None:
        while self.asked:
            waiting, accept = self.asked.pop(0)
            if not waiting.called:
                if kind == "accept":
                    waiting.callback(accept())
                elif kind == "refuse":
                    waiting.callback(Refuse(Reason.NO_PROTOCOL, 503))
                else:
                    waiting.errback(RuntimeError("prepare failed"))
                return


class Story:
    """A site with all limits and a drain, and what happens to it."""

    def __init__(self, over: Any) -> None:
        self.permissions: list[Deferred[Any]] = []
        self.upgrade = _Waiting()
        self.drain = Drain()
        self.limited = UpgradeResource(
            [self.upgrade],
            authorize=self.authorize,
            max_connections=4,
            max_connections_per_client=3,
            max_connections_per_context=2,
            drain=self.drain,
        )
        self.client = Client(self.limited, over)
        self.pending: list[Any] = []

    def authorize(self, _request: Any) -> Deferred[Any]:
        self.permissions.append(Deferred())
        return self.permissions[-1]

    def permit(self, answer: Any) -> None:
        while self.permissions:
            waiting = self.permissions.pop(0)
            if not waiting.called:
                waiting.callback(answer) if not isinstance(answer, Exception) else waiting.errback(answer)
                return

    def happen(self, step: str, number: int) -> None:
        answers = {"allow": Allow(context=number % 2), "deny": Deny(), "fail": RuntimeError("authorize failed")}
        if step == "ask":
            self.pending.append(self.client.start_upgrade("echo"))
        elif step in answers:
            self.permit(answers[step])
        elif step in ("accept", "refuse", "break"):
            self.upgrade.answer(step)
        elif step == "late":
            self.client.clock.advance(10)
        elif step == "drop":
            for protocol in list(self.upgrade.inner.connections)[:1]:
                protocol.transport.loseConnection()
        elif step == "drain":
            self.drain(timeout=1)
        elif self.pending:
            getattr(self.pending.pop(number % len(self.pending)), "abort" if step == "leave" else "lose")()
            self.client.clock.advance(0)


@pytest.mark.parametrize("over", ["http/1.1", "http/2"])
@given(steps=st.lists(st.tuples(st.sampled_from(("ask", "ask", "ask", "allow", "accept", *STEPS)), st.integers(0, 5))))
def test_counts_return_to_zero(over: Any, steps: list[tuple[str, int]]) -> None:
    """Whatever happens in whatever order, limits hold, and when everybody is gone nobody is counted."""
    story = Story(over)
    with story.client as client:
        for step, number in steps:
            story.happen(step, number)
            route, clients, contexts = counts(story.limited)
            assert (route <= 4, clients <= 3, contexts <= 4) == (True, True, True)
            assert len(story.upgrade.inner.connections) <= clients
        for each in story.pending:
            each.abort()
        client.clock.advance(11)
        client.clock.advance(11)
    client.clock.advance(30)
    assert counts(story.limited) == (0, 0, 0)
    assert not story.drain._switched
    assert len(story.upgrade.inner.connections) == 0
