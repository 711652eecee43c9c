"""A request that goes on to the next upstream, and one that must not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.producers import Producer
from tests.proxy.several_upstreams import Several
from tests.proxy.upstream_in_memory import OK, Answer


def test_the_next_is_asked_where_no_connection_is_made() -> None:
    """Nothing was sent, so also a request that is not idempotent goes on."""
    several = Several(2)
    answer = several.ask(method=b"POST")
    assert several.trying == "a"
    several.refuse()
    assert several.trying == "b"
    line = several.connect()
    line.say(OK)
    assert answer.events == ["head", "data", "end"]


def test_the_next_is_asked_when_a_connection_takes_too_long() -> None:
    """The same behind ``connect_timeout``."""
    several = Several(2)
    answer = several.ask()
    several.reactor.advance(5.1)
    assert several.trying == "b"
    several.connect().say(OK)
    assert answer.events == ["head", "data", "end"]


@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_the_next_is_not_asked_where_something_was_sent(sent: bytes) -> None:
    """The first may have done what it was asked to."""
    several = Several(2)
    _, answer, line = several.chosen(method=b"POST")
    line.say(sent) if sent else None
    line.reset()
    assert answer.failure == ("upstream_closed", 502)
    assert several.trying == ""


@pytest.mark.parametrize("length", [5, None])
def test_content_goes_on_to_the_next(length: int | None) -> None:
    """What was written while the connection was being made is written again; the producer notices a pause."""
    several = Several(2)
    answer = several.ask(method=b"POST", content_length=length)
    content = Producer()
    answer.exchange.write(b"he")
    answer.exchange.registerProducer(content, True)
    several.refuse()
    assert several.trying == "b"
    assert content.calls == ["pause"]
    line = several.connect()
    assert content.calls == ["pause", "resume"]
    answer.exchange.write(b"llo")
    answer.exchange.unregisterProducer()
    answer.exchange.finish()
    heard = line.heard()
    assert heard.endswith(b"hello" if length else b"2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n")
    line.say(OK)
    assert answer.events == ["head", "data", "end"]
    assert content.calls == ["pause", "resume"]


def test_complete_content_goes_on_to_the_next() -> None:
    """And so does its end."""
    several = Several(2)
    answer = several.ask(method=b"POST", content_length=None)
    answer.exchange.write(b"hello")
    answer.exchange.finish()
    several.refuse()
    line = several.connect()
    assert line.heard().endswith(b"5\r\nhello\r\n0\r\n\r\n")


@pytest.mark.parametrize(("size", "goes_on"), [(128 * 1024, True), (128 * 1024 + 1, False)])
def test_no_more_than_one_read_is_kept(size: int, goes_on: bool) -> None:
    """Who writes on though he is paused has his memory, and no second try."""
    several = Several(2)
    answer = several.ask(method=b"POST", content_length=None)
    answer.exchange.write(b"x" * size)
    several.refuse()
    assert several.trying == ("b" if goes_on else "")
    assert answer.events == ([] if goes_on else ["failed"])


def test_the_content_of_a_failure_is_stopped() -> None:
    """When nobody is left; not before."""
    several = Several(2)
    content = Producer()
    answer = several.ask(
        method=b"POST", content_length=5, answer=Answer(failed=lambda _: content.calls.append("failed"))
    )
    answer.exchange.registerProducer(content, True)
    several.refuse()
    assert content.calls == ["pause"]
    several.refuse()
    assert content.calls == ["pause", "stop", "failed"]
    late = Producer()
    answer.exchange.registerProducer(late, True)
    answer.exchange.write(b"x")
    assert late.calls == ["stop"]
    with pytest.raises(RuntimeError):
        answer.exchange.registerProducer(late, False)


def test_an_early_response_stops_the_content() -> None:
    """As with one upstream."""
    several = Several(2)
    content = Producer()
    _, answer, line = several.chosen(method=b"POST", content_length=5)
    answer.exchange.registerProducer(content, True)
    line.producer.pauseProducing()
    line.producer.resumeProducing()
    line.say(OK)
    assert answer.events == ["head", "data", "end"]
    assert content.calls == ["pause", "resume", "stop"]


def test_a_paused_producer_is_let_go_at_the_end() -> None:
    """So that it can come to its own end."""
    several = Several(2)
    content = Producer()
    _, answer, line = several.chosen(method=b"POST", content_length=None)
    answer.exchange.registerProducer(content, True)
    answer.exchange.write(b"x")
    line.producer.pauseProducing()
    answer.exchange.finish()
    line.say(OK)
    assert content.calls == ["pause", "resume"]


def test_the_response_is_paused_at_the_next_as_well() -> None:
    """A pause holds whoever answers."""
    several = Several(2)
    answer = several.ask()
    answer.exchange.pauseProducing()  # type: ignore[attr-defined]
    several.refuse()
    line = several.connect()
    assert line.paused == [True]
    answer.exchange.resumeProducing()  # type: ignore[attr-defined]
    assert line.paused == [True, False]


def test_cancel() -> None:
    """Whoever is being asked is asked no longer, and nobody else is."""
    several = Several(2)
    answer = several.ask()
    several.refuse()
    answer.exchange.stopProducing()
    assert several.trying == ""
    assert answer.events == []
    answer.exchange.write(b"x")


def test_calls_behind_the_end_do_nothing() -> None:
    """Whoever holds the exchange may be late."""
    several = Several(2)
    _, answer, line = several.chosen(method=b"POST", content_length=5)
    line.say(OK)
    exchange: Any = answer.exchange
    exchange.write(b"hello")
    exchange.finish()
    exchange.pauseProducing()
    exchange.resumeProducing()
    exchange.unregisterProducer()
    exchange.cancel()
    assert answer.events == ["head", "data", "end"]


def test_content_for_nobody() -> None:
    """When nobody is left, content is taken and dropped until that is said; its producer is paused, then stopped."""
    several = Several(1, failures=1)
    several.fail("a")
    answer = several.ask(method=b"POST", content_length=None)
    content = Producer()
    answer.exchange.registerProducer(content, True)
    answer.exchange.write(b"x")
    exchange: Any = answer.exchange
    exchange.pauseProducing()
    exchange.resumeProducing()
    several.reactor.advance(0)
    assert answer.failure == ("no_upstream", 503)
    assert content.calls == ["pause", "stop"]

    answer = several.ask(method=b"POST", content_length=None)
    content = Producer()
    answer.exchange.registerProducer(content, True)
    answer.exchange.finish()
    several.reactor.advance(0)
    assert content.calls == ["pause", "resume"]
    answer = several.ask(method=b"POST", content_length=None)
    answer.exchange.registerProducer(content, True)
    answer.exchange.unregisterProducer()
    several.reactor.advance(0)
    assert content.calls == ["pause", "resume", "pause"]


def test_the_producer_of_the_next() -> None:
    """Forgotten means forgotten, also by the upstream that is being asked."""
    several = Several(2)
    content = Producer()
    answer = several.ask(method=b"POST", content_length=None)
    answer.exchange.registerProducer(content, True)
    answer.exchange.unregisterProducer()
    several.refuse()
    line = several.connect()
    assert line.producer is None
    assert content.calls == ["pause"]


def test_content_that_is_shorter_than_was_said() -> None:
    """As with one upstream; and the request counts no longer."""
    several = Several(2, "least_connections")
    _, answer, line = several.chosen(method=b"POST", content_length=5)
    answer.exchange.write(b"hell")
    with pytest.raises(ValueError, match="shorter"):
        answer.exchange.finish()
    assert line.aborted
    answer.exchange.cancel()
    assert {several.chosen()[0], several.chosen()[0]} == {"a", "b"}
