"""For how long an upstream is waited for, and who is waited for meanwhile."""

from __future__ import annotations

import pytest

from tests.producers import Producer
from tests.proxy.upstream_in_memory import OK, World

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"


@pytest.mark.parametrize("drop", [b"", b"H"], ids=["silent", "drop by drop"])
def test_a_slow_upstream(drop: bytes) -> None:
    """A-39: no complete head within ``response_timeout`` is 504; a byte now and then does not prolong it."""
    world = World(response_timeout=30.0)
    answer, line = world.open()
    line.say(b"HTTP/1.1 200 OK\r\nX: ") if drop else None
    for _ in range(29):
        world.advance(1)
        line.say(drop) if drop else None
    assert answer.events == []
    world.advance(3)
    assert answer.failure == ("upstream_timeout", 504)
    assert line.aborted


def test_interim_responses_prolong_the_time() -> None:
    """Who says that it is at work has the whole time again (RFC 2518 section 10.1), as often as there may be 1xx."""
    world = World(response_timeout=30.0)
    answer, line = world.open()
    for _ in range(10):
        world.advance(28)
        line.say(b"HTTP/1.1 102 Processing\r\n\r\n")
    world.advance(28)
    assert answer.events == ["interim"] * 10
    world.advance(4)
    assert answer.failure == ("upstream_timeout", 504)


def test_a_slow_response() -> None:
    """Between two pieces of content there may be ``read_timeout``, however long the whole takes."""
    world = World(read_timeout=30.0)
    answer, line = world.open()
    line.say(HEAD)
    for byte in b"12345":
        world.advance(28)
        line.say(bytes([byte]))
    world.advance(28)
    assert answer.events[-1] == "data"
    world.advance(4)
    assert answer.failure == ("upstream_timeout", 504)


def test_nobody_waits_while_the_client_does_not_read() -> None:
    """Time passes for the upstream only while it is read from."""
    world = World(read_timeout=30.0, response_timeout=30.0)
    answer, line = world.open()
    line.say(HEAD)
    answer.exchange.pauseProducing()  # type: ignore[attr-defined]
    world.advance(300)
    answer.exchange.resumeProducing()  # type: ignore[attr-defined]
    assert line.paused == [True, False]
    world.advance(29)
    assert answer.events == ["head"]
    world.advance(3)
    assert answer.failure == ("upstream_timeout", 504)


def test_nobody_waits_while_the_client_sends_nothing() -> None:
    """The upstream cannot answer what it has not got: it is the client's time."""
    world = World(response_timeout=30.0)
    answer, line = world.open(method=b"POST", content_length=2)
    world.advance(300)
    answer.exchange.write(b"a")
    world.advance(300)
    answer.exchange.write(b"b")
    world.advance(29)
    assert answer.events == []
    world.advance(3)
    assert answer.failure == ("upstream_timeout", 504)
    assert line.aborted


def test_an_upstream_that_does_not_read() -> None:
    """What it does not take of the content it is waited for as for its response."""
    world = World(response_timeout=30.0)
    answer, line = world.open(method=b"POST", content_length=None)
    answer.exchange.registerProducer(Producer(), True)
    answer.exchange.write(b"x")
    line.producer.pauseProducing()
    world.advance(20)
    line.producer.resumeProducing()
    line.producer.pauseProducing()
    world.advance(20)
    assert answer.events == []
    world.advance(12)
    assert answer.failure == ("upstream_timeout", 504)
    assert "reading" in str(answer.error)


@pytest.mark.parametrize("limit", ["response_timeout", "read_timeout"])
def test_no_limit(limit: str) -> None:
    """None waits for ever."""
    world = World(**{limit: None})
    answer, line = world.open()
    if limit == "read_timeout":
        line.say(HEAD)
    world.advance(4000)
    assert "failed" not in answer.events


def test_an_idle_connection_grows_old() -> None:
    """Behind ``idle_timeout`` it is closed in order, and no timer is left."""
    world = World(idle_timeout=20.0)
    line = world.idle()
    world.advance(19)
    assert not line.disconnecting
    world.advance(3)
    assert line.disconnecting
    assert not line.aborted
    assert world.reactor.getDelayedCalls() == []


def test_the_upstream_says_how_long_it_keeps_an_idle_connection() -> None:
    """One that is told 5 seconds is not used later than after 4, so that a request does not meet the close."""
    world = World(idle_timeout=60.0)
    _, line = world.open()
    line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=5\r\n\r\n")
    world.reactor.advance(4.5)
    world.ask()
    assert world.waiting == 1
    world.advance(2)
    assert line.disconnecting


@pytest.mark.parametrize("said", [0, 1])
def test_an_upstream_that_keeps_no_idle_connection(said: int) -> None:
    """What it would close at once, we close."""
    world = World()
    _, line = world.open()
    line.say(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=%d\r\n\r\n" % said)
    assert line.disconnecting


def test_one_clock_for_all_connections() -> None:
    """A thousand requests and twenty idle connections have one delayed call together."""
    world = World()
    answers = [world.open() for _ in range(20)]
    for _ in range(50):
        for _, line in answers:
            line.say(OK)
        answers = [(world.ask(), line) for _, line in reversed(answers)]
    assert len(world.lines) == 20
    assert len(world.reactor.getDelayedCalls()) == 1
