"""Sending: gathering, producers, and ends that wait for what is unsent."""

from __future__ import annotations

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.logger import globalLogPublisher

from tests.reactor.memory import Link
from tests.reactor.protocols import HalfCloseable, Producer, Remembering


class Answering(Remembering):
    """Writes three times for each read."""

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        for piece in (b"head ", b"", b"field ", data):
            self.transport.write(piece)


def test_what_a_read_causes_leaves_in_one_piece_when_it_is_over() -> None:
    """Three writes are one system call."""
    link = Link(Answering())
    link.read(b"content")
    assert link.written == [b"head field content"]
    assert link.loop.soon == []


def test_what_is_written_elsewhere_leaves_in_one_piece_at_the_end_of_the_turn() -> None:
    """A timer's writes are gathered, too."""
    link = Link(Remembering())
    link.connection.write(b"a")
    link.connection.writeSequence([b"b", b"c"])
    assert link.written == []
    link.loop.turn()
    assert link.written == [b"abc"]


def test_large_pieces_are_not_copied_together() -> None:
    """Above 64 KiB the pieces go to the system as they are."""
    link = Link(Remembering())
    for _ in range(3):
        link.connection.write(b"x" * 30_000)
    link.loop.turn()
    assert b"".join(link.written) == b"x" * 90_000


@pytest.mark.parametrize("wrong", ["text", bytearray(b"x"), None])
def test_only_bytes_can_be_written(wrong: object) -> None:
    """What could change before it is sent is refused, as in Twisted."""
    link = Link(Remembering())
    with pytest.raises(TypeError, match="Data must be bytes"):
        link.connection.write(wrong)  # type: ignore[arg-type]


def test_a_sequence_of_text_is_refused() -> None:
    """With Twisted's words."""
    with pytest.raises(TypeError, match="Data must be bytes"):
        Link(Remembering()).connection.writeSequence(["text"])  # type: ignore[list-item]


def test_what_the_system_does_not_take_waits_in_order() -> None:
    """Nothing overtakes what was left; all counts as unsent until it is taken."""
    link = Link(Remembering())
    link.transport.room = 2
    link.connection.write(b"abcd")
    link.loop.turn()
    link.connection.write(b"ef")
    link.loop.turn()
    assert (link.written, link.connection.unsent) == ([b"ab"], 4)
    link.transport.drain()
    assert (link.written, link.connection.unsent) == ([b"ab", b"cd", b"ef"], 0)


def test_closing_sends_what_was_written_before_and_in_the_same_event() -> None:
    """``loseConnection`` is an order for the end of the event, not for now."""
    protocol = Remembering()
    link = Link(protocol)
    link.connection.write(b"a")
    link.connection.loseConnection()
    link.connection.write(b"b")
    assert not link.transport.reading
    link.loop.turns()
    assert link.written == [b"ab"]
    assert protocol.reason.type is ConnectionDone
    assert link.owner.reason is protocol.reason


def test_closing_waits_until_the_system_has_taken_all() -> None:
    """A slow peer gets everything."""
    protocol = Remembering()
    link = Link(protocol)
    link.transport.room = 0
    link.connection.write(b"a")
    link.connection.loseConnection()
    link.loop.turns()
    assert protocol.events == []
    link.transport.drain()
    link.loop.turns()
    assert (link.written, protocol.events) == ([b"a"], ["lost"])


def test_a_streaming_producer_is_paused_above_64_kib_and_resumed_in_a_later_turn() -> None:
    """Also if the system takes all at once: a producer that writes until it is paused does not hold the loop."""
    link = Link(Remembering())
    producer = Producer()
    link.connection.registerProducer(producer, True)
    link.connection.write(b"x" * 65_536)
    assert producer.events == []
    link.connection.write(b"x")
    assert producer.events == ["pause"]
    link.streams.outbox.flush()
    assert producer.events == ["pause"]
    link.loop.turns()
    assert producer.events == ["pause", "resume"]


def test_a_streaming_producer_waits_for_the_system() -> None:
    """It is resumed when all is taken, and not before."""
    link = Link(Remembering())
    producer = Producer()
    link.connection.registerProducer(producer, True)
    link.transport.room = 10
    link.connection.write(b"x" * 70_000)
    link.loop.turns()
    assert producer.events == ["pause"]
    link.transport.drain()
    assert producer.events == ["pause", "resume"]


def test_what_is_left_counts_for_the_pause() -> None:
    """Octets that uvloop holds are buffered as much as ours."""
    link = Link(Remembering())
    producer = Producer()
    link.transport.room = 0
    link.connection.write(b"x" * 40_000)
    link.loop.turns()
    link.connection.registerProducer(producer, True)
    link.connection.write(b"x" * 30_000)
    assert producer.events == ["pause"]


def test_the_limit_is_an_attribute_as_in_twisted() -> None:
    """``bufferSize`` of one connection can be set."""
    link = Link(Remembering())
    link.connection.bufferSize = 3  # type: ignore[misc]
    producer = Producer()
    link.connection.registerProducer(producer, True)
    link.connection.write(b"four")
    assert producer.events == ["pause"]


def test_a_pull_producer_is_asked_whenever_all_is_sent() -> None:
    """At once when it is registered, then once a turn."""
    link = Link(Remembering())
    producer = Producer(link.connection, [b"a", b"b"])
    link.connection.registerProducer(producer, False)
    assert producer.events == ["resume"]
    link.loop.turns()
    assert (producer.events, link.written) == (["resume"] * 3, [b"a", b"b"])


def test_closing_waits_for_a_pull_producer() -> None:
    """The connection is lost when it has unregistered."""
    protocol = Remembering()
    link = Link(protocol)
    link.connection.registerProducer(Producer(link.connection, [b"a", b"b"]), False)
    link.connection.loseConnection()
    link.loop.turns()
    assert (link.written, protocol.events) == ([b"a", b"b"], ["lost"])


def test_closing_waits_for_a_streaming_producer_that_is_paused() -> None:
    """It is resumed, writes the rest, unregisters; then the connection is closed."""
    protocol = Remembering()
    link = Link(protocol)
    producer = Producer()
    link.connection.registerProducer(producer, True)
    link.connection.write(b"x" * 70_000)
    link.connection.loseConnection()
    link.loop.turns()
    assert (producer.events, protocol.events) == (["pause", "resume"], [])
    link.connection.write(b"rest")
    link.connection.unregisterProducer()
    link.loop.turns()
    assert (link.written[-1], protocol.events) == (b"rest", ["lost"])


def test_there_is_one_producer() -> None:
    """A second is a mistake of the caller."""
    link = Link(Remembering())
    link.connection.registerProducer(Producer(), True)
    with pytest.raises(RuntimeError, match="never unregistered"):
        link.connection.registerProducer(Producer(), True)


def test_a_producer_of_a_lost_connection_is_stopped() -> None:
    """The one that is registered, and one that comes later."""
    link = Link(Remembering())
    first, second = Producer(), Producer()
    link.connection.registerProducer(first, True)
    link.connection.connection_lost(OSError())
    link.connection.registerProducer(second, True)
    assert (first.events, second.events) == (["stop"], ["stop"])


def test_a_producer_that_cannot_resume_loses_the_connection() -> None:
    """And the exception is in the log, not in the loop."""
    events: list[object] = []
    globalLogPublisher.addObserver(events.append)  # type: ignore[arg-type]
    protocol = Remembering()
    link = Link(protocol)
    producer = Producer()
    link.connection.registerProducer(producer, True)
    producer.resumeProducing = None  # type: ignore[method-assign,assignment]
    link.connection.write(b"x" * 70_000)
    link.loop.turns()
    globalLogPublisher.removeObserver(events.append)  # type: ignore[arg-type]
    assert protocol.reason.type is TypeError
    assert any("log_failure" in event for event in events)  # type: ignore[operator]


def test_half_closing_sends_everything_and_then_fin() -> None:
    """The protocol is told, reads on, and writes no more."""
    protocol = HalfCloseable()
    link = Link(protocol)
    link.transport.room = 1
    link.connection.write(b"ab")
    link.connection.loseWriteConnection()
    link.connection.loseWriteConnection()
    link.loop.turns()
    assert (link.transport.ended, protocol.events) == (False, [])
    link.transport.drain()
    assert (link.transport.ended, protocol.events) == (True, ["write lost"])
    link.connection.write(b"too late")
    link.read(b"answer")
    link.loop.turns()
    assert (link.written, protocol.events) == ([b"a", b"b"], ["write lost", b"answer"])


def test_closing_what_is_half_closed_is_done_at_once() -> None:
    """There is nothing to wait for."""
    protocol = HalfCloseable()
    link = Link(protocol)
    link.connection.loseWriteConnection()
    link.loop.turns()
    link.connection.loseConnection()
    assert protocol.events == ["write lost", "lost"]
    assert protocol.reason.type is ConnectionDone


def test_a_protocol_that_half_closing_upsets_is_lost() -> None:
    """With its own exception as the reason."""
    protocol = HalfCloseable()
    protocol.writeConnectionLost = None  # type: ignore[method-assign,assignment]
    link = Link(protocol)
    link.connection.loseWriteConnection()
    link.loop.turns()
    assert protocol.reason.type is TypeError


def test_a_connection_that_breaks_is_lost() -> None:
    """Whatever the system said: Twisted has one reason for it."""
    protocol = Remembering()
    link = Link(protocol)
    link.connection.write(b"x")
    link.connection.connection_lost(BrokenPipeError())
    link.connection.write(b"x")
    link.connection.loseConnection()
    link.loop.turns()
    assert (link.written, protocol.reason.type) == ([], ConnectionLost)
