"""The sending half: order, back-pressure, both kinds of producers, and clients that do not read."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.http1.slow import Big, ask, slow
from tests.http1.wire import Later, Wire, get, make_site
from tests.producers import Producer
from upgradegw.events import access_events


class BackPressure(SynchronousTestCase):
    """A client that reads slowly, or not at all."""

    def test_a_large_response_arrives_whole(self) -> None:
        """Half a megabyte in one write arrive in order, with the small answers before and behind them."""
        root = Resource()
        root.putChild(b"big", Big())
        root.putChild(b"small", small := Later())
        wire = slow(root)
        wire.send(get(b"/small") + get(b"/big") + get(b"/small"))
        small.requests[0].finish()
        wire.turn()
        small.requests[1].write(b"end")
        small.requests[1].finish()
        first, big, last = wire.answers()
        assert (first.body, last.body) == (b"", b"end")
        assert big.body == Big.content

    def test_the_transport_gets_pieces(self) -> None:
        """The transport is given no more than it holds; the rest of a large write waits in the channel."""
        wire = slow(Big())
        ask(wire, get())
        assert wire.protocol.blocked
        assert sum(map(len, wire.protocol._queue)) > len(Big.content) - 5 * 65536

    def test_whoever_does_not_read_may_not_ask(self) -> None:
        """A-21: while answers wait, no further request is begun, and what is read is bounded."""
        wire = slow(Big())
        ask(wire, get() * 2)
        assert wire.protocol.blocked
        ask(wire, get() * 10)
        assert wire.transport not in wire.reactor.getReaders()
        assert len(wire.answers()) == 12

    def test_a_client_that_reads_nothing_is_dropped(self) -> None:
        """A-21: after write_timeout seconds without progress the connection is aborted, the request told and logged."""
        events: list[Any] = []
        self.addCleanup(access_events.subscribe(events.append))
        root = Later()
        wire = slow(root, write_timeout=30)
        ask(wire, get())
        done = root.requests[0].notifyFinish()
        root.requests[0].write(Big.content)
        wire.turn(read=False)
        wire.reactor.pump([1] * 29)
        assert wire.open
        wire.reactor.pump([1] * 2)
        assert not wire.open
        self.failureResultOf(done)
        assert wire.reactor.getDelayedCalls() == []
        assert [(event["status"], event["reason"]) for event in events] == [(200, "write_timeout")]

    def test_a_client_that_reads_slowly_is_kept(self) -> None:
        """A piece taken within write_timeout is progress, however long the whole takes."""
        wire = slow(Big(), write_timeout=30)
        ask(wire, get())
        while len(wire.received) < len(Big.content) and wire.open:
            before = len(wire.received)
            while len(wire.received) < before + 70_000 and wire._receive():
                wire.turn(read=False)
            wire.reactor.advance(20)
        assert wire.answers()[0].body == Big.content

    def test_close_waits_for_what_is_written(self) -> None:
        """A response that ends the connection is sent whole before it closes."""
        wire = slow(Big())
        ask(wire, get(b"/", b"Connection: close"))
        assert wire.protocol.blocked
        assert wire.answers()[0].body == Big.content
        assert wire.eof
        assert not wire.open

    def test_a_response_to_a_client_that_is_gone(self) -> None:
        """A-32: a client that resets the connection while it is answered costs that connection only."""
        wire = slow(Big())
        wire.socket.send(get() * 3)
        wire.close()
        assert not wire.open
        assert wire.reactor.getDelayedCalls() == []


class PushProducers(SynchronousTestCase):
    """IPushProducer."""

    def test_registered(self) -> None:
        """The channel is the transport's producer from its first request until it closes, and not before."""
        root = Later()
        wire = slow(root, timeout=5)
        assert wire.transport.producer is None
        ask(wire, get())
        assert wire.transport.producer is wire.protocol
        root.requests[0].finish()
        wire.take()
        assert wire.transport.producer is wire.protocol
        assert not wire.advance(6).open
        assert wire.transport.producer is None
        idle = slow(root, timeout=5)
        assert not idle.advance(6).open

    def test_paused_and_resumed(self) -> None:
        """The application's producer is paused while the client does not read, and resumed when it has read."""
        root, producer = Later(), Producer()
        wire = slow(root)
        ask(wire, get())
        (request,) = root.requests
        request.registerProducer(producer, True)
        request.write(b"x" * 300_000)
        assert producer.calls == ["pause"]
        assert len(wire.take()) > 300_000
        assert producer.calls == ["pause", "resume"]
        request.unregisterProducer()
        request.finish()
        assert wire.take().endswith(b"0\r\n\r\n")

    def test_registered_while_full(self) -> None:
        """A producer that is registered while the client does not read is paused at once."""
        root, producer = Later(), Producer()
        wire = slow(root)
        ask(wire, get())
        (request,) = root.requests
        request.write(b"x" * 300_000)
        request.registerProducer(producer, True)
        assert producer.calls == ["pause"]

    def test_stopped(self) -> None:
        """A producer is stopped when the connection is lost."""
        root, producer = Later(), Producer()
        wire = slow(root)
        ask(wire, get())
        root.requests[0].registerProducer(producer, True)
        wire.protocol.abort()
        wire.reactor.advance(0)
        assert producer.calls == ["stop"]

    def test_one_at_a_time(self) -> None:
        """A second producer is refused, as by HTTPChannel."""
        root = Later()
        wire = slow(root)
        ask(wire, get())
        wire.protocol.registerProducer(Producer(), True)
        with pytest.raises(RuntimeError):
            wire.protocol.registerProducer(Producer(), True)
        wire.protocol.unregisterProducer()
        wire.protocol.unregisterProducer()


class Streaming(SynchronousTestCase):
    """Responses in the application's own time."""

    def test_written_from_elsewhere(self) -> None:
        """A resource that writes later is sent at once, piece by piece."""
        root = Later()
        site, reactor = make_site(root)
        wire = Wire(site, reactor).send(get())
        (request,) = root.requests
        request.setHeader(b"content-type", b"text/event-stream")
        for number in range(3):
            request.write(b"event %d\n" % number)
            assert b"event %d\n" % number in wire.take()
            wire.advance(100)
        assert wire.open
        assert NOT_DONE_YET == 1
