"""Sending at once, past the end of the event, for who has gathered for himself."""

from __future__ import annotations

from tests.reactor.memory import Link
from tests.reactor.protocols import Producer, Remembering


def test_at_once() -> None:
    """Who has gathered for himself need not wait for the end of the event, unless something is before his octets."""
    link = Link(Remembering())
    link.connection.write_at_once(b"now")
    assert link.written == [b"now"]
    link.connection.write(b"before ")
    link.connection.write_at_once(b"behind")
    assert link.written == [b"now"]
    link.loop.turn()
    assert link.written == [b"now", b"before behind"]


def test_at_once_behind_what_the_system_has_not_taken() -> None:
    """Nothing overtakes what was left, here either."""
    link = Link(Remembering())
    link.transport.room = 2
    link.connection.write_at_once(b"abcd")
    link.connection.write_at_once(b"ef")
    assert link.connection.unsent == 4
    link.transport.drain()
    assert b"".join(link.written) == b"abcdef"


def test_at_once_with_a_producer() -> None:
    """It is told of too much, as ever."""
    link, producer = Link(Remembering()), Producer()
    link.connection.registerProducer(producer, True)
    link.connection.write_at_once(b"x" * 70_000)
    assert producer.events == ["pause"]
