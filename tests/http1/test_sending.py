"""The sending half: order, back-pressure, both kinds of producers, and clients that do not read."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from twisted.internet.interfaces import IPullProducer
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from twisted.web.static import File
from zope.interface import implementer

from tests.http1.wire import Later, Wire, get, make_site, parse_answers
from tests.producers import Producer
from upgradegw.events import access_events


@implementer(IPullProducer)
class Pull:
    """Writes one piece each time it is asked."""

    def __init__(self, request: Any, pieces: list[bytes]) -> None:
        self.request, self.pieces, self.stopped = request, pieces, False
        request.registerProducer(self, False)

    def resumeProducing(self) -> None:
        if self.pieces:
            self.request.write(self.pieces.pop(0))
        else:
            self.request.unregisterProducer()
            self.request.finish()

    def stopProducing(self) -> None:
        self.stopped = True


class Big(Resource):
    """Answers with many bytes at once."""

    isLeaf = True
    content = bytes(range(256)) * 2000

    def render_GET(self, _request: Any) -> bytes:
        return self.content


def slow(root: Any, **kwargs: Any) -> Wire:
    """A connection whose socket takes little at a time."""
    site, reactor = make_site(root, **kwargs)
    return Wire(site, reactor, buffer=4096)


def ask(wire: Wire, data: bytes) -> None:
    """Send without reading what comes back."""
    wire.socket.send(data)
    wire.turn(read=False)


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


class PullProducers(SynchronousTestCase):
    """IPullProducer."""

    def test_asked_for_each_piece(self) -> None:
        """A pull producer is asked when the transport has sent everything, and the connection goes on behind it."""
        root = Later()
        wire = slow(root)
        ask(wire, get())
        pieces = [bytes([65 + number]) * 50_000 for number in range(8)]
        producer = Pull(root.requests[0], list(pieces))
        assert producer.pieces
        (answer,) = wire.answers()
        assert answer.body == b"".join(pieces)
        assert not producer.stopped
        wire.send(get())
        root.requests[1].finish()
        assert len(wire.answers()) == 1

    def test_behind_a_push(self) -> None:
        """What was written before a pull producer came is sent before its pieces."""
        root = Later()
        wire = slow(root)
        ask(wire, get())
        root.requests[0].write(b"a" * 300_000)
        Pull(root.requests[0], [b"b", b"c"])
        assert wire.answers()[0].body == b"a" * 300_000 + b"bc"

    def test_a_client_that_reads_nothing_is_dropped(self) -> None:
        """A-21: the write timeout holds for pull producers too; one that has nothing to write is not punished."""
        root = Later()
        wire = slow(root, write_timeout=30)
        ask(wire, get())
        producer = Pull(root.requests[0], [b"x" * 500_000])
        wire.turn(read=False)
        for _ in range(29):
            wire.reactor.advance(1)
        assert wire.open
        wire.reactor.advance(2)
        wire.reactor.advance(0)
        assert not wire.open
        assert producer.stopped

    def test_a_close_in_between(self) -> None:
        """A resource that closes the connection closes it behind what the producer has written, and asks it no more."""
        root = Later()
        wire = slow(root)
        ask(wire, get())
        producer = Pull(root.requests[0], [b"x" * 50_000 for _ in range(40)])
        wire.turn(read=False)
        root.requests[0].loseConnection()
        left = len(producer.pieces)
        assert left > 30
        wire.take()
        assert not wire.open
        assert len(producer.pieces) == left

    def test_idle_pull_producer(self) -> None:
        """A pull producer that takes its time is not taken for a client that does not read."""
        root = Later()
        wire = slow(root, write_timeout=30)
        ask(wire, get())

        @implementer(IPullProducer)
        class Idle(Producer):
            pass

        root.requests[0].registerProducer(Idle(), False)
        wire.advance(200)
        assert wire.open

    def test_static_files(self) -> None:
        """twisted.web.static.File, whole and in part."""
        directory = TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        path = Path(directory.name, "file")
        path.write_bytes(Big.content)
        root = Resource()
        root.putChild(b"file", File(str(path)))
        wire = slow(root)
        wire.send(get(b"/file"), get(b"/file", b"Range: bytes=10-19"), get(b"/file", method=b"HEAD"))
        data = wire.take()
        whole, part = parse_answers(data[: data.rindex(b"HTTP/1.1")])
        assert whole.body == Big.content
        assert (part.status, part.body) == (206, Big.content[10:20])
        (head,) = parse_answers(data[data.rindex(b"HTTP/1.1") :], heads_only=True)
        assert head.get(b"content-length") == b"%d" % len(Big.content)


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
