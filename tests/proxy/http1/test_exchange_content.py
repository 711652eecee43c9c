"""The content of a request: as long as was said, no faster than it is taken, and not behind the response."""

from __future__ import annotations

from typing import Any

import pytest

from tests.producers import Producer
from tests.proxy.upstream_in_memory import OK, Answer, World

POST = b"POST / HTTP/1.1\r\nHost: a.example\r\n"


def post(world: World, length: int | None = 5, **more: Any) -> Answer:
    """Ask with content."""
    return world.ask(method=b"POST", content_length=length, **more)


def test_content_of_known_length() -> None:
    """Head and content go out as one where both are there, and no byte is added."""
    world = World()
    answer = post(world)
    answer.exchange.write(b"he")
    answer.exchange.write(b"")
    answer.exchange.write(b"llo")
    answer.exchange.finish()
    line = world.connect()
    assert line.heard() == POST + b"Content-Length: 5\r\n\r\nhello"
    line.say(OK)
    assert answer.events == ["head", "data", "end"]
    answer = post(world)
    assert line.heard() == POST + b"Content-Length: 5\r\n\r\n"  # an upstream that is asked for 100 must see the head
    answer.exchange.write(b"hello")
    assert line.heard() == b"hello"
    answer.exchange.finish()
    assert line.heard() == b""
    line.say(OK)
    assert answer.events == ["head", "data", "end"]


def test_content_of_unknown_length() -> None:
    """It is chunked, an empty piece is no last chunk, and the last chunk is sent once."""
    world = World()
    answer = post(world, None)
    line = world.connect()
    assert line.heard() == POST + b"Transfer-Encoding: chunked\r\n\r\n"
    answer.exchange.write(b"x" * 26)
    answer.exchange.write(b"")
    assert line.heard() == b"1a\r\n" + b"x" * 26 + b"\r\n"
    answer.exchange.finish()
    answer.exchange.finish()
    assert line.heard() == b"0\r\n\r\n"
    line.say(OK)
    assert answer.events == ["head", "data", "end"]


@pytest.mark.parametrize("connected", [False, True])
def test_content_that_is_longer_than_was_said(connected: bool) -> None:
    """Not a byte of it is sent: it would be the upstream's next request."""
    world = World()
    answer = post(world)
    line = world.connect() if connected else None
    answer.exchange.write(b"hell")
    with pytest.raises(ValueError, match="1 bytes longer"):
        answer.exchange.write(b"o!")
    answer.exchange.write(b"o")
    with pytest.raises(ValueError, match="behind the end"):
        answer.exchange.write(b"GET / HTTP/1.1\r\n")
    line = line or world.connect()
    assert line.heard() == POST + b"Content-Length: 5\r\n\r\nhello"


def test_content_behind_the_last_chunk() -> None:
    """Nor is anything sent behind it."""
    world = World()
    answer = post(world, None)
    line = world.connect()
    answer.exchange.finish()
    line.heard()
    with pytest.raises(ValueError, match="behind the end"):
        answer.exchange.write(b"x")
    assert line.heard() == b""


def test_content_that_is_shorter_than_was_said() -> None:
    """The upstream waits for the rest, so the connection goes."""
    world = World()
    answer = post(world)
    line = world.connect()
    answer.exchange.write(b"hell")
    with pytest.raises(ValueError, match="1 bytes shorter"):
        answer.exchange.finish()
    assert line.aborted
    assert answer.events == []


@pytest.mark.parametrize("length", [5, None])
def test_a_response_before_the_content_is_complete(length: int | None) -> None:
    """It is passed on, and the connection is not used again; what is still to come of the content is not wanted."""
    world = World()
    answer = post(world, length)
    line = world.connect()
    content = Producer()
    answer.exchange.registerProducer(content, True)
    answer.exchange.write(b"he")
    line.say(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\n")
    assert answer.events == ["head"]
    line.heard()
    answer.exchange.write(b"l")  # it may read on as long as its response lasts
    assert b"l" in line.heard()
    line.say(b"no")
    assert answer.events == ["head", "data", "end"]
    assert content.calls == ["stop"]
    assert line.aborted
    answer.exchange.write(b"lo")
    answer.exchange.finish()
    assert line.heard() == b""
    world.ask()
    assert world.waiting == 1


def test_expect_100_continue() -> None:
    """The head goes out without content, 100 is passed on, and content follows."""
    world = World()
    answer = post(world, fields=((b"Expect", b"100-continue"),))
    line = world.connect()
    assert line.heard() == POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"
    line.say(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert [head.status for head in answer.interims] == [100]
    answer.exchange.write(b"hello")
    line.say(OK)
    assert answer.events == ["interim", "head", "data", "end"]
    world.ask()
    assert world.waiting == 0


def test_the_content_waits_for_the_connection() -> None:
    """Its producer is paused until there is one, and whenever the transport is full."""
    world = World()
    answer = post(world, 5)
    content = Producer()
    answer.exchange.registerProducer(content, True)
    assert content.calls == ["pause"]
    line = world.connect()
    assert content.calls == ["pause", "resume"]
    line.producer.pauseProducing()
    line.producer.pauseProducing()
    line.producer.resumeProducing()
    assert content.calls == ["pause", "resume"] * 2
    answer.exchange.write(b"hello")
    answer.exchange.unregisterProducer()
    answer.exchange.finish()
    assert line.producer is None
    line.say(OK)
    assert content.calls == ["pause", "resume"] * 2


def test_one_producer() -> None:
    """As any consumer has it; and one that pushes."""
    world = World()
    answer = post(world)
    with pytest.raises(RuntimeError):
        answer.exchange.registerProducer(Producer(), False)
    answer.exchange.registerProducer(Producer(), True)
    with pytest.raises(RuntimeError):
        answer.exchange.registerProducer(Producer(), True)
    world.refuse()
    late = Producer()
    answer.exchange.registerProducer(late, True)
    assert late.calls == ["stop"]


def test_a_producer_that_is_forgotten() -> None:
    """It hears nothing more, whether there is a connection or not."""
    world = World()
    answer = post(world)
    content = Producer()
    answer.exchange.registerProducer(content, True)
    answer.exchange.unregisterProducer()
    line = world.connect()
    assert line.producer is None
    assert content.calls == ["pause"]


def test_a_producer_that_is_paused_at_the_end() -> None:
    """It is let go, so that it can come to its own end."""
    world = World()
    answer = post(world)
    line = world.connect()
    content = Producer()
    answer.exchange.registerProducer(content, True)
    answer.exchange.write(b"hello")
    line.producer.pauseProducing()
    line.say(OK)
    assert content.calls == ["pause", "resume"]
    assert line.producer is None


def test_the_connection_is_lost_under_the_content() -> None:
    """The producer is stopped before ``failed``."""
    world = World()
    content = Producer()
    answer = Answer(failed=lambda _: content.calls.append("failed"))
    post(world, answer=answer)
    line = world.connect()
    answer.exchange.registerProducer(content, True)
    line.reset()
    assert content.calls == ["stop", "failed"]
