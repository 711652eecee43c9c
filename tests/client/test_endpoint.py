"""The endpoint as its caller sees it: what ``connect`` results in, and when it gives up."""

from __future__ import annotations

import pytest
from twisted.internet import error
from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from tests.client.support import Asked
from tests.protocols_for_tests import RecorderFactory
from upgradegw import UpgradeClientEndpoint, UpgradeRefused


def test_it_is_an_endpoint() -> None:
    """Whatever takes an ``IStreamClientEndpoint`` takes this one."""
    endpoint = UpgradeClientEndpoint(TCP4ClientEndpoint(MemoryReactorClock(), "192.0.2.1", 80), "/", "feed")
    verifyObject(IStreamClientEndpoint, endpoint)


def test_a_factory_without_a_protocol() -> None:
    """``buildProtocol`` may return None, as on every endpoint."""
    factory = RecorderFactory()
    factory.buildProtocol = lambda addr: None  # type: ignore[assignment,return-value,method-assign]
    assert isinstance(Asked(factory).error, error.NoProtocol)


def test_the_factory_is_started_and_stopped() -> None:
    """The inner endpoint's ``doStart`` and ``doStop`` reach the caller's factory."""
    asked = Asked()
    assert asked.factory.running == 1
    asked.reactor.tcpClients[0][2].doStop()
    assert asked.factory.running == 0


def test_no_connection() -> None:
    """What the inner endpoint fails with is what ``connect`` fails with."""
    asked = Asked(connected=False)
    asked.reactor.tcpClients[0][2].clientConnectionFailed(None, Failure(error.ConnectionRefusedError()))
    assert isinstance(asked.error, error.ConnectionRefusedError)
    assert asked.reactor.getDelayedCalls() == []


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 10"])
def test_a_connection_that_ends_too_early(sent: bytes) -> None:
    """A connection that ends before the answer does says so, cleanly closed or not."""
    asked = Asked()
    asked.receive(*([sent] if sent else []))
    asked.lose()
    assert isinstance(asked.error, error.ConnectionDone)
    assert "without an answer" in str(asked.error)
    other = Asked()
    other.lose(error.ConnectionLost())
    assert isinstance(other.error, error.ConnectionLost)
    half = Asked(RecorderFactory(half_close=True))
    half.transport.end_of_stream()
    assert isinstance(half.error, error.ConnectionDone)
    assert half.transport.disconnected


def test_a_refusal() -> None:
    """An ordinary response is ``UpgradeRefused``: status, fields, content, a sentence, and a closed connection."""
    asked = Asked()
    asked.receive(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: feed/3\r\nContent-Length: 4\r\n\r\nno")
    assert asked.outcome == []
    asked.receive(b"pe")
    refused = asked.error
    assert isinstance(refused, UpgradeRefused)
    assert (refused.status, refused.phrase, refused.body) == (426, b"Upgrade Required", b"nope")
    assert refused.fields == ((b"Upgrade", b"feed/3"), (b"Content-Length", b"4"))
    assert str(refused) == (
        "the server did not switch to feed/2: it answered 426 Upgrade Required; it serves feed/3 here"
    )
    assert asked.transport.disconnected
    assert asked.factory.only.events == []


def test_a_refusal_that_points_elsewhere() -> None:
    """A redirect is not followed; the sentence says where it points to, control characters escaped."""
    asked = Asked()
    asked.receive(b"HTTP/1.1 302\r\nLocation: https://b.example/\xff\r\nContent-Length: 0\r\n\r\n")
    assert str(asked.error) == (
        r"the server did not switch to feed/2: it answered 302 and points to https://b.example/\xff"
    )


def test_a_refusal_that_is_cut_off() -> None:
    """Of a refusal whose content does not end, what came is told: at the connection's end, and at the deadline."""
    head = b"HTTP/1.1 503 Busy\r\nContent-Length: 100\r\n\r\npart"
    lost, late, half = Asked(), Asked(), Asked(RecorderFactory(half_close=True))
    for asked in (lost, late, half):
        asked.receive(head)
    lost.lose(error.ConnectionLost())
    late.reactor.advance(10)
    half.transport.end_of_stream()
    for asked in (lost, late, half):
        assert (asked.error.status, asked.error.body) == (503, b"part")
    assert late.transport.disconnected


def test_no_answer_in_time() -> None:
    """The time counts from ``connect`` to the switch; the connection is closed."""
    slow = Asked(timeout=3)
    slow.receive(b"HTTP/1.1 100 Continue\r\n\r\n")
    slow.reactor.advance(2.9)
    assert slow.outcome == []
    slow.reactor.advance(0.2)
    assert isinstance(slow.error, error.TimeoutError)
    assert "has not answered within 3 seconds" in str(slow.error)
    assert slow.transport.disconnected
    never = Asked(connected=False, timeout=3)
    never.reactor.advance(3)
    assert isinstance(never.error, error.TimeoutError)
    assert "no connection within 3 seconds" in str(never.error)


def test_no_limit_of_time() -> None:
    """None leaves the time to the caller; only the inner endpoint has its own."""
    asked = Asked(timeout=None)
    asked.reactor.advance(1000)
    assert asked.outcome == []
    assert not asked.transport.disconnected


def test_cancelling() -> None:
    """Cancelling the Deferred ends the attempt, or closes the connection."""
    trying = Asked(connected=False)
    trying.result.cancel()
    assert isinstance(trying.error, error.ConnectingCancelledError)
    asking = Asked()
    asking.result.cancel()
    assert isinstance(asking.error, CancelledError)
    assert asking.transport.disconnected
    asking.lose()
    assert asking.factory.only.events == []
