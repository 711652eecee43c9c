"""Reading: pauses, protocols that are replaced, and ends of the peer's."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone

from tests.reactor.memory import Link
from tests.reactor.protocols import HalfCloseable, Remembering


class Pausing(HalfCloseable):
    """Reads nothing before it is told to."""

    def connectionMade(self) -> None:
        self.transport.pauseProducing()  # type: ignore[union-attr]


def test_what_is_read_is_the_protocols_own() -> None:
    """The shared buffer is overwritten by the next read; what was delivered is not."""
    protocol = Remembering()
    link = Link(protocol)
    link.read(b"first")
    link.read(b"other")
    assert protocol.events == [b"first", b"other"]


def test_the_protocol_may_be_replaced_at_any_time() -> None:
    """Each read goes to who is there."""
    first, second = Remembering(), Remembering()
    link = Link(first)
    link.connection.protocol = second
    link.read(b"x")
    assert (first.events, second.events) == ([], [b"x"])


def test_a_protocol_that_pauses_in_connection_made_is_given_nothing() -> None:
    """uvloop begins to read all the same; what it has read waits."""
    protocol = Pausing()
    link = Link(protocol)
    link.read(b"early")
    assert (protocol.events, link.transport.reading) == ([], False)
    link.connection.resumeProducing()
    link.connection.resumeProducing()
    link.loop.turns()
    assert (protocol.events, link.transport.reading) == ([b"early"], True)


def test_the_end_waits_for_a_paused_protocol() -> None:
    """Behind what came before it."""
    protocol = Pausing()
    link = Link(protocol)
    link.read(b"early")
    assert link.connection.eof_received()
    link.connection.resumeProducing()
    link.connection.pauseProducing()
    link.loop.turns()
    assert protocol.events == []
    link.connection.resumeProducing()
    link.loop.turns()
    assert protocol.events == [b"early", "read lost"]
    assert not link.connection.is_reading


def test_pausing_while_held_octets_are_delivered_is_heard() -> None:
    """The next read does not come before the protocol resumes again."""
    protocol = Pausing()
    link = Link(protocol)
    link.read(b"early")
    protocol.dataReceived = lambda _data: link.connection.pauseProducing()  # type: ignore[method-assign]
    link.connection.resumeProducing()
    link.loop.turns()
    assert not link.transport.reading


def test_the_end_is_the_end_for_a_protocol_that_knows_no_half_close() -> None:
    """It is told at once, and what is unsent is lost, as in Twisted."""
    protocol = Remembering()
    link = Link(protocol)
    link.connection.write(b"unsent")
    assert link.connection.eof_received()
    assert protocol.reason.type is ConnectionDone
    link.loop.turns()
    assert (protocol.events, link.written, link.transport.aborted) == (["lost"], [], True)


def test_a_half_closeable_protocol_may_still_answer() -> None:
    """FIN behind a request does not end the answer."""
    protocol = HalfCloseable()
    link = Link(protocol)
    link.connection.eof_received()
    link.connection.write(b"answer")
    link.loop.turns()
    assert (protocol.events, link.written) == (["read lost"], [b"answer"])


def test_an_exception_in_a_protocol_ends_its_connection() -> None:
    """It is the reason that the protocol is given."""
    protocol = Remembering()
    protocol.dataReceived = None  # type: ignore[method-assign,assignment]
    link = Link(protocol)
    link.read(b"x")
    assert protocol.reason.type is TypeError
    assert link.transport.aborted
    assert not link.streams.outbox.expected


def test_an_exception_at_the_end_of_reading_ends_the_connection() -> None:
    """As elsewhere."""
    protocol = HalfCloseable()
    protocol.readConnectionLost = None  # type: ignore[method-assign,assignment]
    link = Link(protocol)
    link.connection.eof_received()
    assert protocol.reason.type is TypeError


def test_stopping_the_transport_as_a_producer_closes_it() -> None:
    """``stopProducing`` and ``stopConsuming`` are Twisted's other names for it."""
    for stop in ("stopProducing", "stopConsuming"):
        protocol = Remembering()
        link = Link(protocol)
        getattr(link.connection, stop)()
        link.connection.resumeProducing()
        link.loop.turns()
        assert protocol.events == ["lost"]
