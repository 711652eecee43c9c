"""An orderly end with a deadline, of a site and of what is connected to some resources."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.protocols_for_tests import RecorderFactory, echo
from tests.testing.applications import EchoFactory
from tests.web.support import SITES, Where, open_client
from upgradegw.interfaces import Accept, Allow, EndSummary
from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import websocket
from upgradegw.testing import Client
from upgradegw.testing.client import TRANSPORTS
from upgradegw.web.drain import Drain, OrderlyEnd
from upgradegw.web.resource import UpgradeResource


def tree(drain: Drain, **arguments: Any) -> Resource:
    """Two upgrades that end together, and one that does not."""
    root = Resource()
    root.putChild(b"ws", UpgradeResource([websocket(EchoFactory())], otherwise=Where(), drain=drain, **arguments))
    root.putChild(b"echo", UpgradeResource([stream("echo", RecorderFactory(data=echo))], drain=drain, **arguments))
    root.putChild(b"other", UpgradeResource([stream("echo", RecorderFactory(data=echo))]))
    return root


@pytest.mark.parametrize(("over", "stock"), SITES)
class TestDrain:
    """On both kinds of site, on every transport."""

    def test_in_order(self, over: Any, stock: bool) -> None:
        """WebSockets get Close with the code, others end behind what is buffered; who has no drain goes on."""
        drain = Drain()
        with open_client(tree(drain), over, stock) as client:
            socket, tunnel = client.websocket("/ws"), client.upgrade("echo", "/echo")
            other = client.upgrade("echo", "/other")
            tunnel.send(b"tea")
            outcome: list[int] = []
            assert not drain.draining
            drain(code=1012).addCallback(outcome.append)
            assert drain.draining
            assert (socket.close_code, tunnel.received) == (1012, b"tea")
            assert (socket.closed, tunnel.closed, tunnel.aborted) == (True, True, False)
            client.clock.advance(0.1)
            assert outcome == [0]
            other.send(b"on")
            assert other.received == b"on"

    def test_what_is_left_is_aborted(self, over: Any, stock: bool) -> None:
        """Who does not answer in time is aborted and counted; each stream of HTTP/2 for itself."""
        drain = Drain()
        with open_client(tree(drain), over, stock) as client:
            sockets = [client.websocket("/ws") for _ in range(3)]
            for socket in sockets[:2]:
                socket.answers_close = False
            outcome: list[int] = []
            drain(timeout=2).addCallback(outcome.append)
            assert [socket.close_code for socket in sockets] == [1001] * 3
            client.clock.advance(1.9)
            assert not outcome
            client.clock.advance(0.2)
            client.clock.advance(0.1)
            assert [socket.tunnel.aborted for socket in sockets] == [True, True, False]
            assert outcome == [2]

    def test_new_ones_are_refused(self, over: Any, stock: bool) -> None:
        """503 with Retry-After for upgrades, from the call on for good; plain requests go on."""
        drain = Drain()
        with open_client(tree(drain, retry_after=7), over, stock) as client:
            outcome: list[int] = []
            drain().addCallback(outcome.append)
            assert outcome == [0]
            response = client.start_websocket("/ws").response
            assert response is not None
            assert (response.status, response.get("Retry-After")) == (503, b"7")
            assert client.get("/ws/x").content == b"ws|x"

    def test_those_in_preparation(self, over: Any, stock: bool) -> None:
        """Who was being asked about when the drain began is refused when the answer comes."""
        drain, permission = Drain(), Deferred[Any]()
        with open_client(tree(drain, authorize=lambda _request: permission), over, stock) as client:
            pending = client.start_upgrade("echo", "/echo")
            outcome: list[int] = []
            drain().addCallback(outcome.append)
            assert outcome == [0]
            permission.callback(Allow())
            assert pending.response is not None
            assert pending.response.status == 503


@pytest.mark.parametrize("over", TRANSPORTS)
def test_a_whole_site(over: Any) -> None:
    """Everything is told; connections that are left are aborted and counted, one for all streams of HTTP/2."""
    with Client(tree(Drain()), over) as client:
        sockets = [client.websocket("/ws") for _ in range(3)]
        for socket in sockets[:2]:
            socket.answers_close = False
        outcome: list[int] = []
        client.site.drain(timeout=2, code=3000).addCallback(outcome.append)
        assert [socket.close_code for socket in sockets] == [3000] * 3
        client.clock.advance(2.1)
        client.clock.advance(0.1)
        assert outcome == [1 if client.http2 else 2]
        client.site.drain().addCallback(outcome.append)
        assert outcome[1:] == outcome[:1]


class Calls(SynchronousTestCase):
    """How it is called."""

    def test_awaited(self) -> None:
        """It can be awaited, and a second call while it runs joins the first, whatever its arguments."""
        drain = Drain()
        seen: list[int] = []

        async def end(**arguments: Any) -> None:
            seen.append(await drain(**arguments))

        with Client(tree(drain)) as client:
            client.websocket("/ws").answers_close = False
            for arguments in ({"timeout": 3}, {"timeout": 100, "code": 1000}):
                Deferred.fromCoroutine(end(**arguments))
            cancelled = drain()
            cancelled.cancel()
            self.failureResultOf(cancelled, CancelledError)
            client.clock.advance(3.5)
            assert seen == [1, 1]
            assert self.successResultOf(drain()) == 1

    def test_a_clock_of_its_own(self) -> None:
        """The reactor can be given."""
        clock = Clock()
        drain = Drain(clock)
        with Client(tree(drain)) as client:
            socket = client.websocket("/ws")
            socket.answers_close = False
            waiting = drain(timeout=1)
            client.clock.advance(1.5)
            self.assertNoResult(waiting)
            clock.advance(1)
            assert socket.closed
            assert self.successResultOf(waiting) == 1

    def test_what_is_no_time_and_no_code(self) -> None:
        """Both are refused at once, and nothing has happened."""
        drain = Drain()
        with Client(tree(drain)) as client:
            for end in (drain, client.site.drain):
                for wrong in ({"timeout": -1}, {"timeout": None}, {"code": 999}, {"code": 1005}, {"code": 5000}):
                    with pytest.raises(ValueError, match="="):
                        end(**wrong)
            assert not drain.draining
            client.websocket("/ws")

    def test_no_time(self) -> None:
        """``timeout=0`` aborts in the next turn of the reactor."""
        drain = Drain()
        with Client(tree(drain)) as client:
            socket = client.websocket("/ws")
            socket.answers_close = False
            waiting = drain(timeout=0)
            client.clock.advance(0)
            client.clock.advance(0)
            assert socket.closed
            assert self.successResultOf(waiting) == 1

    def test_a_transport_that_does_not_report(self) -> None:
        """Who does not end even when aborted keeps nobody waiting for more than a second."""
        clock = Clock()
        gone: Deferred[None] = Deferred()
        end = OrderlyEnd(lambda _code: gone, lambda: 3)
        end.begin(clock, 5, 1001)
        waiting = end.join()
        clock.advance(5.5)
        self.assertNoResult(waiting)
        clock.advance(0.5)
        assert self.successResultOf(waiting) == 3
        assert end.is_over
        gone.callback(None)  # and if it does in the end, that is nobody's business any more
        assert self.successResultOf(end.join()) == 3

    def test_called_while_a_connection_switches(self) -> None:
        """A protocol that drains as it begins is ended like all others."""
        drain = Drain()
        outcome: list[int] = []
        factory = RecorderFactory(made=lambda _: drain().addCallback(outcome.append))
        with Client(UpgradeResource([stream("echo", factory)], drain=drain)) as client:
            assert client.upgrade("echo").closed
            client.clock.advance(0)
        assert outcome == [0]

    def test_called_again_by_one_who_is_told(self) -> None:
        """A connection that drains when it is told to end joins the drain."""
        drain = Drain()
        outcome: list[int] = []
        factory = EchoFactory()
        with Client(UpgradeResource([websocket(factory)], drain=drain)) as client:
            client.websocket()
            factory.only.sendCloseFrame = lambda **_: (
                drain().addCallback(outcome.append),
                factory.only.transport.loseConnection(),
            )
            drain().addCallback(outcome.append)
            client.clock.advance(0)
            assert outcome == [0, 0]

    def test_an_application_that_fails(self) -> None:
        """It is logged, costs its own connection, and the others end in order."""

        class Failing:
            def going_away(self, code: int = 1001) -> None:
                raise RuntimeError(f"cannot end with {code}")

            def summary(self) -> EndSummary:
                return EndSummary(0, 0)

        factory = RecorderFactory()
        upgrade: Any = stream("fail", factory)
        upgrade.prepare = lambda *_: succeed(Accept(factory.buildProtocol(None), ending=Failing()))
        drain = Drain()
        root = UpgradeResource([upgrade, websocket(EchoFactory())], drain=drain)
        with Client(root) as client:
            failing, socket = client.upgrade("fail"), client.websocket()
            waiting = drain()
            assert (failing.aborted, socket.close_code, socket.closed) == (True, 1001, True)
            client.clock.advance(0)
            assert self.successResultOf(waiting) == 0
        assert len(self.flushLoggedErrors(RuntimeError)) == 1
