"""The connection from the request to the running protocol, and what the protocol hears of it."""

from __future__ import annotations

import os

import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IFileDescriptorReceiver, IHalfCloseableProtocol, IHandshakeListener
from zope.interface import implementer

from tests.client.support import SWITCH, Asked
from tests.protocols_for_tests import Recorder, RecorderFactory, fail
from upgradegw import BadUpgradeResponse


def test_the_switch() -> None:
    """CL-08: behind the 101 the factory's protocol runs on the connection's own transport."""
    asked = Asked()
    asked.receive(SWITCH)
    assert asked.protocol is asked.factory.only
    assert asked.protocol.events == ["upgraded", "made"]
    assert asked.protocol.transport is asked.transport
    assert (asked.protocol.info.status, asked.protocol.info.phrase) == (101, b"Switching Protocols")
    assert asked.protocol.info.get_all(b"upgrade") == [b"feed/2"]
    asked.protocol.transport.write(b"more")  # type: ignore[union-attr]
    asked.receive(b"to ", b"you")
    assert asked.request.endswith(b"\r\n\r\nmore")
    assert asked.protocol.data == b"to you"


def test_no_timer_stays() -> None:
    """Behind the switch nothing of the opening is left that could end the connection."""
    asked = Asked()
    asked.receive(SWITCH)
    assert asked.reactor.getDelayedCalls() == []


def test_leading_data_comes_when_the_caller_has_the_protocol() -> None:
    """CL-08: bytes behind the 101 are delivered behind ``connectionMade`` and behind the Deferred."""
    asked = Asked()
    seen: list[bytes] = []
    asked.result.addCallback(lambda _: seen.append(asked.protocol.data))
    asked.receive(SWITCH + b"hello")
    assert seen == [b""]
    assert asked.protocol.events == ["upgraded", "made", "data"]
    assert asked.protocol.data == b"hello"


def test_a_protocol_may_pause_at_once() -> None:
    """Leading data waits while ``connectionMade`` has paused the transport, and comes before what follows."""
    asked = Asked(RecorderFactory(made=lambda p: p.transport.pauseProducing()))
    asked.receive(SWITCH + b"first ")
    assert asked.protocol.data == b""
    asked.receive(b"second")  # what a TLS layer still had
    assert asked.protocol.data == b""
    asked.protocol.transport.resumeProducing()  # type: ignore[union-attr]
    assert asked.protocol.data == b"first second"
    assert asked.transport.producerState == "producing"


def test_a_protocol_may_close_at_once() -> None:
    """Leading data is dropped for a protocol that closes in ``connectionMade``; it hears of the end once."""
    asked = Asked(RecorderFactory(made=lambda p: p.transport.loseConnection()))
    asked.transport.deliver(SWITCH + b"dropped")
    asked.lose()
    assert asked.protocol.events == ["upgraded", "made", "lost"]


def test_the_end_of_the_connection() -> None:
    """The protocol learns how the connection ended; ``connect`` had its result before."""
    asked = Asked()
    asked.receive(SWITCH)
    asked.lose(ConnectionLost())
    assert asked.protocol.lost is not None
    assert asked.protocol.lost.check(ConnectionLost)


def test_half_closes() -> None:
    """A protocol that wants to know of half-closes is told, and can still answer; others are closed."""
    asked = Asked(RecorderFactory(half_close=True))
    asked.receive(SWITCH)
    asked.transport.end_of_stream()
    assert asked.protocol.events == ["upgraded", "made", "read lost"]
    asked.transport.protocol.writeConnectionLost()
    assert asked.protocol.events[-1] == "write lost"
    other = Asked()
    other.receive(SWITCH)
    other.transport.end_of_stream()
    assert other.protocol.events == ["upgraded", "made", "lost"]


def test_a_protocol_that_fails_at_the_switch() -> None:
    """An exception in ``connectionMade`` is the caller's to see, and costs the connection."""
    asked = Asked(RecorderFactory(made=fail))
    asked.receive(SWITCH + b"dropped")
    assert str(asked.error) == "the application failed"
    assert asked.transport.disconnected
    assert asked.factory.only.data == b""


def test_a_protocol_that_cancels_at_the_switch() -> None:
    """Cancelling in ``upgraded`` or ``connectionMade`` closes the connection; nothing is delivered, nothing logged."""
    for moment in ("upgraded", "made"):
        asked = Asked()
        asked.factory.behaviour[moment] = lambda _, result=asked.result: result.cancel()
        asked.transport.deliver(SWITCH + b"dropped")
        assert isinstance(asked.error, CancelledError)
        assert asked.transport.disconnected
        asked.lose()
        assert asked.factory.only.events == ["upgraded", "made", "lost"]


def test_malformed_answers_close_the_connection() -> None:
    """``BadUpgradeResponse`` says what is wrong with a 101 that nobody can rely on; no protocol runs."""
    asked = Asked()
    asked.receive(SWITCH.replace(b"feed/2", b"feed/3") + b"data")
    assert isinstance(asked.error, BadUpgradeResponse)
    assert str(asked.error) == "the server announced a switch to feed/3, and feed/2 was offered"
    assert asked.transport.disconnected
    assert asked.factory.only.events == []
    asked.lose()  # and what follows changes nothing
    assert asked.factory.only.events == []


def test_a_server_that_speaks_first() -> None:
    """Bytes that come before the request are no answer to it (RFC 9112 section 9.2)."""
    asked = Asked(connected=False)
    factory = asked.reactor.tcpClients[0][2]
    asked.transport.write = lambda data: asked.transport.deliver(SWITCH)  # type: ignore[method-assign]
    protocol = factory.buildProtocol(asked.transport.getPeer())
    opening = protocol._wrappedProtocol
    opening.makeConnection(asked.transport)
    opening.dataReceived(SWITCH)
    assert asked.transport.disconnected
    result = opening.ask(b"")
    result.addErrback(asked.outcome.append)
    assert isinstance(asked.error, BadUpgradeResponse)


@implementer(IHandshakeListener, IFileDescriptorReceiver)
class Curious(Recorder):
    """Wants to know of TLS, and of files."""

    def handshakeCompleted(self) -> None:
        self.events.append("handshake")

    def fileDescriptorReceived(self, descriptor: int) -> None:
        self.events.append("file")


def test_what_else_twisted_tells_a_protocol() -> None:
    """TLS that is ready is told behind ``connectionMade``; files over a UNIX socket are passed on behind the switch."""
    factory = RecorderFactory()
    factory.buildProtocol = lambda addr: Curious(factory)  # type: ignore[method-assign]
    asked = Asked(factory)
    opening = asked.transport.protocol._wrappedProtocol
    assert IHandshakeListener.providedBy(opening)
    assert IFileDescriptorReceiver.providedBy(opening)
    assert opening.logPrefix() == "Curious"
    opening.handshakeCompleted()
    early, other = os.pipe()
    opening.fileDescriptorReceived(early)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(early)
    os.close(other)
    asked.receive(SWITCH)
    opening.fileDescriptorReceived(99)
    assert asked.protocol.events == ["upgraded", "made", "handshake", "file"]


def test_nothing_is_claimed_for_a_protocol() -> None:
    """Of a protocol that wants none of this, nobody is told that it does: a FIN then closes, as everywhere."""
    opening = Asked().transport.protocol._wrappedProtocol
    for interface in (IHandshakeListener, IFileDescriptorReceiver, IHalfCloseableProtocol):
        assert not interface.providedBy(opening)
