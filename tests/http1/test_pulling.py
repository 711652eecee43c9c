"""Pull producers: asked by the transport for each piece, and let go of when the connection closes."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.interfaces import IPullProducer
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.static import File
from zope.interface import implementer

from tests.http1.slow import Big, ask, slow
from tests.http1.wire import Later, get, parse_answers
from tests.producers import Producer


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
