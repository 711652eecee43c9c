"""The content of requests and responses over HTTP/2: who waits for whom, and how much may wait."""

from __future__ import annotations

import pytest

from tests.http2.client import CANCEL, NO_ERROR, data, window_update
from tests.producers import Producer
from tests.proxy.http2_in_memory import World
from tests.proxy.upstream_in_memory import Answer
from upgradegw.http2.frames import Kind

KIB = 1024


def test_content_waits_for_the_connection() -> None:
    """What is written before there is a connection is sent when it is there, and its producer was paused meanwhile."""
    world, producer = World(), Producer()
    answer = world.ask_only(method=b"POST", content_length=None)
    answer.exchange.registerProducer(producer, True)
    assert producer.calls == ["pause"]
    answer.exchange.write(b"one")
    world.turn()
    assert producer.calls == ["pause", "resume"]
    answer.exchange.write(b"two")
    answer.exchange.finish()
    world.turn()
    asked = world.server.streams[1]
    assert (asked.content, asked.ended, asked.get(b"content-length")) == (b"onetwo", True, [])


def test_a_slow_upstream_pauses_the_producer() -> None:
    """No more than a window and what may wait goes out before the upstream takes it (A-39)."""
    world, producer = World(), Producer()
    answer = world.ask(method=b"POST", content_length=None)
    answer.exchange.registerProducer(producer, True)
    written = 0
    producer.calls.clear()
    while producer.calls[-1:] != ["pause"]:
        answer.exchange.write(bytes(8 * KIB))
        written += 8
        world.turn()
        assert written < 200
    assert len(world.server.streams[1].content) == 65_535
    world.server.say(window_update(10**6), window_update(10**6, 1))
    world.turn()
    assert producer.calls[-1] == "resume"
    assert len(world.server.streams[1].content) == written * KIB


def test_too_much_or_too_little_content_is_the_callers_fault() -> None:
    """Content that is not as long as was said is found out here, not by the upstream."""
    world = World()
    answer = world.ask(method=b"POST", content_length=3)
    with pytest.raises(ValueError, match="longer"):
        answer.exchange.write(b"1234")
    with pytest.raises(ValueError, match="3 bytes shorter"):
        answer.exchange.finish()
    world.turn()
    assert world.server.streams[1].code == CANCEL
    full = world.ask(method=b"POST", content_length=1)
    full.exchange.write(b"1")
    with pytest.raises(ValueError, match="behind the end"):
        full.exchange.write(b"2")
    full.exchange.finish()


def test_one_producer_that_streams() -> None:
    """The producer of the content is one, and is told when nobody reads on."""
    world, producer = World(), Producer()
    answer = world.ask(method=b"POST", content_length=None)
    with pytest.raises(RuntimeError):
        answer.exchange.registerProducer(producer, False)
    answer.exchange.registerProducer(producer, True)
    with pytest.raises(RuntimeError):
        answer.exchange.registerProducer(producer, True)
    world.server.reset(1, CANCEL)
    world.turn()
    assert producer.calls[-1] == "stop"
    late = Producer()
    answer.exchange.registerProducer(late, True)
    assert late.calls == ["stop"]


def test_an_early_answer_stops_the_content() -> None:
    """A response that is complete before the request is not lost; the rest is not sent (RFC 9113 section 8.1)."""
    world, producer = World(), Producer()
    answer = world.ask(method=b"POST", content_length=10**6)
    answer.exchange.registerProducer(producer, True)
    answer.exchange.write(b"some")
    world.server.answer(1, status=b"413", content=b"no")
    world.server.reset(1, NO_ERROR)
    world.turn()
    assert answer.events == ["head", "data", "end"]
    assert producer.calls[-1] == "stop"


def test_a_forgotten_producer_is_told_nothing() -> None:
    """After ``unregisterProducer`` the content comes from elsewhere."""
    world, producer = World(), Producer()
    answer = world.ask(method=b"POST", content_length=None)
    answer.exchange.registerProducer(producer, True)
    answer.exchange.unregisterProducer()
    producer.calls.clear()
    answer.exchange.write(b"end")
    answer.exchange.finish()
    world.server.answer(1)
    world.turn()
    assert (producer.calls, answer.events) == ([], ["head", "end"])


# --- The response.


def test_a_paused_receiver_fills_one_window_and_no_more() -> None:
    """While nobody reads, the upstream's window runs out, and other streams go on (RFC 9113 section 5.2)."""
    world = World()
    slow = world.ask(answer=Answer(head=lambda answer: answer.exchange.pauseProducing()))
    server = world.server
    server.say(server.head(1), *(data(1, bytes(16 * KIB)) for _ in range(4)))
    world.turn()
    assert (slow.events, slow.content) == (["head"], b"")
    assert not [each for each in server.frames if each.type == Kind.WINDOW_UPDATE and each.stream_id == 1]
    quick = world.ask()
    server.answer(3, content=b"quick")
    world.turn()
    assert quick.content == b"quick"
    slow.exchange.resumeProducing()
    server.say(data(1, b"", end=True))
    world.turn()
    assert len(slow.content) == 64 * KIB
    assert slow.events[-1] == "end"
    assert [each for each in server.frames if each.type == Kind.WINDOW_UPDATE and each.stream_id == 1]


def test_all_streams_may_stand_still_but_one() -> None:
    """However many receivers are paused, the connection's window is never the one that runs out."""
    world = World()
    slow = [world.ask(answer=Answer(head=lambda answer: answer.exchange.pauseProducing())) for _ in range(50)]
    server = world.server
    for number in range(50):
        server.say(server.head(2 * number + 1), *(data(2 * number + 1, bytes(16 * KIB)) for _ in range(4)))
    world.turn()
    quick = world.ask()
    server.answer(101, content=b"quick")
    world.turn()
    assert quick.events == ["head", "data", "end"]
    assert {answer.content for answer in slow} == {b""}


def test_a_complete_response_outlives_its_stream() -> None:
    """Content that waits for a paused receiver is delivered after the upstream and the connection are gone."""
    world = World()
    answer = world.ask(answer=Answer(head=lambda answer: answer.exchange.pauseProducing()))
    world.server.answer(1, content=b"all of it")
    world.turn()
    world.server.transport.loseConnection()
    world.turn()
    assert answer.events == ["head"]
    answer.exchange.resumeProducing()
    assert (answer.content, answer.events[-1]) == (b"all of it", "end")


def test_a_response_that_is_cut_looks_cut() -> None:
    """A connection that ends within a response is a failure, never an end."""
    world = World()
    answer = world.ask()
    world.server.say(world.server.head(1), data(1, b"half"))
    world.turn()
    world.server.transport.loseConnection()
    world.turn()
    assert answer.events == ["head", "data", "failed"]
    assert answer.failure == ("upstream_closed", 502)


def test_interim_responses_pass() -> None:
    """1xx come before the response, each as it is."""
    world = World()
    answer = world.ask()
    server = world.server
    server.say(server.head(1, [(b":status", b"103"), (b"link", b"</a>")]), server.head(1, [(b":status", b"100")]))
    server.answer(1)
    world.turn()
    assert [head.status for head in answer.interims] == [103, 100]
    assert answer.events == ["interim", "interim", "head", "end"]


def test_trailers_are_dropped() -> None:
    """A trailer section ends the response, and is not passed on."""
    world = World()
    answer = world.ask()
    server = world.server
    server.say(server.head(1), data(1, b"x"), server.head(1, [(b"x-sum", b"1")], end=True))
    world.turn()
    assert answer.events == ["head", "data", "end"]


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", b"200"), (b"GET", b"304")])
def test_a_length_without_content(method: bytes, status: bytes) -> None:
    """Content-Length of HEAD and 304 speaks of a content that does not come (RFC 9110 section 8.6)."""
    world = World()
    answer = world.ask(method=method)
    world.server.answer(1, (b"content-length", b"100"), status=status)
    world.turn()
    assert answer.events == ["head", "end"]
    assert answer.heads[0].content_length == 100
