"""A request under way: its second try, and its end."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.producers import Producer
from tests.proxy.upstream_in_memory import OK, Answer, Line, World, gone, request
from upgradegw.proxy.http1.exchange import Http1Exchange


@pytest.mark.parametrize("end", [gone, Line.reset])
def test_an_idle_connection_died(end: Any) -> None:
    """RFC 9112 section 9.3.1: an idempotent request whose used connection died before a byte came is sent again."""
    world = World()
    line = world.idle()
    answer = world.ask(target=b"/again", fields=((b"A", b"b"),))
    sent = line.heard()
    end(line)
    assert answer.events == []
    again = world.connect()
    assert again.heard() == sent
    again.say(OK)
    assert answer.events == ["head", "data", "end"]


def test_no_third_try() -> None:
    """The second try is on a new connection; if that dies, the upstream has failed."""
    world = World()
    lines = [world.open()[1] for _ in range(3)]
    for line in lines:
        line.say(OK)
    answer = world.ask()
    gone(lines[2])  # the one that was used last
    gone(world.connect())
    assert answer.failure == ("upstream_closed", 502)
    assert world.waiting == 0


@pytest.mark.parametrize("byte", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_no_second_try_behind_a_byte(byte: bytes) -> None:
    """The upstream has seen the request."""
    world = World()
    line = world.idle()
    answer = world.ask()
    line.say(byte)
    gone(line)
    assert answer.failure == ("upstream_closed", 502)
    assert world.waiting == 0


def test_no_second_try_of_what_is_not_idempotent() -> None:
    """RFC 9110 section 9.2.2: it might be done twice."""
    world = World()
    line = world.idle()
    answer = world.ask(method=b"POST")
    gone(line)
    assert answer.failure == ("upstream_closed", 502)
    assert world.waiting == 0


def test_no_second_try_of_content() -> None:
    """What has been sent of the content is not kept; as long as nothing has, the content waits for the next try."""
    world = World()
    line = world.idle()
    answer = world.ask(method=b"PUT", content_length=5)
    answer.exchange.write(b"h")
    gone(line)
    assert answer.failure == ("upstream_closed", 502)

    world = World()
    line = world.idle()
    answer = world.ask(method=b"PUT", content_length=5)
    content = Producer()
    answer.exchange.registerProducer(content, True)
    gone(line)
    assert content.calls == ["pause"]
    again = world.connect()
    assert content.calls == ["pause", "resume"]
    answer.exchange.write(b"hello")
    assert again.heard().endswith(b"\r\n\r\nhello")
    again.say(OK)
    assert answer.events == ["head", "data", "end"]


def test_a_second_try_that_is_cancelled() -> None:
    """Nothing is heard of it."""
    world = World()
    line = world.idle()
    answer = world.ask()
    gone(line)
    answer.exchange.cancel()
    assert answer.events == []
    assert world.reactor.getDelayedCalls() == []


def test_no_connection() -> None:
    """It is 502, and says why."""
    world = World()
    answer = world.ask()
    world.refuse()
    assert answer.failure == ("upstream_unreachable", 502)
    assert "http://192.0.2.1:8080: Connection was refused" in str(answer.error)


def test_no_connection_in_time() -> None:
    """It is 504 behind ``connect_timeout``."""
    world = World(connect_timeout=3.0)
    answer = world.ask()
    world.reactor.advance(2.9)
    assert answer.events == []
    world.reactor.advance(0.2)
    assert answer.failure == ("upstream_timeout", 504)


def test_nothing_is_heard_from_within_ask() -> None:
    """Also where it fails at once."""

    def connect(*_: object, **__: object) -> None:
        raise OSError("no more file descriptors")

    world = World()
    world.reactor.connectTCP = connect  # type: ignore[assignment,method-assign]
    answer = world.ask()
    assert answer.events == []
    cancelled = world.ask()
    cancelled.exchange.cancel()
    world.reactor.advance(0)
    assert answer.failure == ("upstream_unreachable", 502)
    assert "no more file descriptors" in str(answer.error)
    assert cancelled.events == []


def test_cancel_while_connecting() -> None:
    """The connection is not made, and nothing is heard."""
    world = World()
    answer = world.ask()
    answer.exchange.cancel()
    assert world.waiting == 0
    assert answer.events == []
    assert world.reactor.getDelayedCalls() == []
    answer.exchange.write(b"x")
    answer.exchange.finish()


def test_stop_producing_is_cancel() -> None:
    """As it is called by a consumer that is gone."""
    answer, line = World().open()
    answer.exchange.stopProducing()
    assert line.aborted


def test_a_failure_that_nobody_foresaw() -> None:
    """It is told as any other, and not swallowed."""

    class Source:
        def take(self) -> None:
            return None

        def connect(self) -> Deferred[Any]:
            self.waiting: Deferred[Any] = Deferred()
            return self.waiting

        def soon(self, call: Any, *args: Any) -> None:
            raise AssertionError("nothing happens at once")

    source, answer = Source(), Answer()
    exchange = Http1Exchange(source, request(), b"GET / HTTP/1.1\r\n\r\n", answer)
    exchange.start()
    source.waiting.errback(RuntimeError("what now"))
    assert answer.failure == ("upstream_unreachable", 502)
    assert "what now" in str(answer.error)
