"""Streamed content: read as it comes, with back-pressure."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.http1.wire import chunked, connect, get, post, splits
from upgradegw.http.content import ContentStream, deliver_content


class Reader(Protocol):
    """Collects content."""

    def __init__(self) -> None:
        self.data = b""
        self.end: Any = None

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.end = reason.type


class Streaming(Resource):
    """Reads its content as it comes."""

    isLeaf = True
    streams_content = True

    def __init__(self, *, read: bool = True) -> None:
        super().__init__()
        self.requests: list[Any] = []
        self.readers: list[Reader] = []
        self.read = read

    def render(self, request: Any) -> int:
        self.requests.append(request)
        if self.read:
            self.deliver()
        return NOT_DONE_YET

    def deliver(self) -> Reader:
        self.readers.append(Reader())
        deliver_content(self.requests[-1], self.readers[-1])
        return self.readers[-1]


class Streams(SynchronousTestCase):
    """Content that is read as it comes."""

    def test_rendered_with_the_head(self) -> None:
        """The resource is rendered when the head is there, and content passes as it arrives."""
        root = Streaming()
        wire = connect(root).send(get(b"/", b"Content-Length: 6", method=b"POST"))
        (reader,) = root.readers
        wire.send(b"abc")
        assert (reader.data, reader.end) == (b"abc", None)
        wire.send(b"def")
        assert (reader.data, reader.end) == (b"abcdef", ResponseDone)
        root.requests[0].finish()
        assert wire.send(get()).open
        assert len(wire.answers()) == 1

    def test_every_split(self) -> None:
        """Streamed content, and the request behind it, are the same in every split."""
        data = get(b"/1", b"Transfer-Encoding: chunked", method=b"PUT") + chunked(b"some content") + post(b"two", b"/2")
        for segments in splits(data):
            root = Streaming()
            wire = connect(root).send(*segments)
            assert root.readers[0].data == b"some content"
            root.requests[0].finish()
            assert root.readers[1].data == b"two"
            root.requests[1].finish()
            assert len(wire.answers()) == 2
            wire.close()

    def test_a_form_is_left_alone(self) -> None:
        """Streamed content is not parsed as a form."""
        root = Streaming()
        connect(root).send(post(b"a=1", b"/", b"Content-Type: application/x-www-form-urlencoded"))
        assert root.requests[0].args == {}
        assert root.readers[0].data == b"a=1"

    def test_continue_when_wanted(self) -> None:
        """RFC 9110 section 10.1.1: the 100 is sent when the resource wants the content, not before."""
        root = Streaming(read=False)
        wire = connect(root).send(get(b"/", b"Content-Length: 3", b"Expect: 100-continue", method=b"PUT"))
        assert wire.take() == b""
        reader = root.deliver()
        assert wire.take() == b"HTTP/1.1 100 Continue\r\n\r\n"
        wire.send(b"abc")
        assert reader.data == b"abc"

    def test_refused_unread(self) -> None:
        """A resource that answers without wanting the content costs no 100; the connection closes."""
        root = Streaming(read=False)
        wire = connect(root).send(get(b"/", b"Content-Length: 3", b"Expect: 100-continue", method=b"PUT"))
        root.requests[0].setResponseCode(403)
        root.requests[0].finish()
        assert [answer.status for answer in wire.answers()] == [403]
        assert wire.eof

    def test_back_pressure(self) -> None:
        """A reader that pauses stops the reading from the connection, and starts it again; nothing is lost."""
        root = Streaming()
        wire = connect(root, max_content=None)
        wire.send(get(b"/", b"Content-Length: 500000", method=b"POST"))
        stream, reader = root.requests[0].content, root.readers[0]
        stream.pauseProducing()
        sent = 0
        wire.socket.setblocking(False)
        for _ in range(1000):
            try:
                sent += wire.socket.send(b"x" * min(10_000, 500_000 - sent))
            except BlockingIOError:
                break
            wire.turn()
        assert wire.transport not in wire.reactor.getReaders()
        assert stream.waiting < 200_000
        stream.resumeProducing()
        wire.turn()
        wire.send(b"x" * (500_000 - sent))
        assert len(reader.data) == 500_000
        assert reader.end is ResponseDone
        root.requests[0].finish()
        assert wire.answers()[0].status == 200

    def test_no_deadline_while_the_reader_pauses(self) -> None:
        """A-27: the client is not blamed for a reader that is slow; one that stalls is told to the reader."""
        root = Streaming()
        wire = connect(root, content_timeout=20, max_content=None)
        wire.send(get(b"/", b"Content-Length: 1000000", method=b"POST"))
        root.requests[0].content.pauseProducing()
        wire.send(b"x" * 70_000)
        wire.advance(100)
        assert root.readers[0].end is None
        root.requests[0].content.resumeProducing()
        wire.advance(22)
        assert root.readers[0].end is PotentialDataLoss
        root.requests[0].finish()
        assert wire.answers()[0].get(b"connection") == b"close"

    def test_the_client_leaves(self) -> None:
        """Content that does not come to its end is told as PotentialDataLoss."""
        root = Streaming()
        wire = connect(root).send(get(b"/", b"Content-Length: 6", method=b"POST"), b"abc")
        wire.close()
        assert root.readers[0].end is PotentialDataLoss

    def test_bad_chunks(self) -> None:
        """A-08: faulty chunks end the stream, and the connection behind the answer of the resource."""
        root = Streaming()
        wire = connect(root).send(get(b"/", b"Transfer-Encoding: chunked", method=b"POST") + b"3\r\nabcx" + get())
        assert root.readers[0].end is PotentialDataLoss
        root.requests[0].finish()
        assert len(wire.answers()) == 1
        assert wire.eof
        assert len(root.requests) == 1

    def test_past_the_limit(self) -> None:
        """A-27: max_content holds for streams."""
        root = Streaming()
        connect(root, max_content=5).send(
            get(b"/", b"Transfer-Encoding: chunked", method=b"POST"), chunked(b"0123456789")
        )
        assert root.readers[0].end is PotentialDataLoss

    def test_content_that_is_there(self) -> None:
        """``deliver_content`` works for requests whose content was buffered, in any site."""
        reader = Reader()
        deliver_content(SimpleNamespace(content=BytesIO(b"buffered")), reader)
        assert (reader.data, reader.end) == (b"buffered", ResponseDone)

    def test_requests_without_content(self) -> None:
        """A streaming resource gets requests without content with an empty one."""
        root = Streaming()
        connect(root).send(get())
        assert (root.readers[0].data, root.readers[0].end) == (b"", ResponseDone)


class Stream(SynchronousTestCase):
    """ContentStream by itself."""

    def make(self) -> tuple[ContentStream, list[Any]]:
        said: list[Any] = []
        return ContentStream(lambda: said.append("wanted"), said.append), said

    def test_one_reader(self) -> None:
        """A second reader is refused, and one that comes after the end of the request."""
        stream, said = self.make()
        stream.deliverBody(Reader())
        assert said == ["wanted"]
        with pytest.raises(RuntimeError):
            stream.deliverBody(Reader())
        stream, _ = self.make()
        stream.close()
        with pytest.raises(RuntimeError):
            stream.deliverBody(Reader())

    def test_a_reader_that_pauses_within(self) -> None:
        """A reader that pauses in the middle of what waits gets the rest when it resumes, and the end behind it."""
        stream, _ = self.make()
        reader = Reader()
        take = reader.dataReceived
        reader.dataReceived = lambda data: (take(data), stream.pauseProducing())  # type: ignore[method-assign,assignment,return-value]
        for piece in (b"a", b"b"):
            stream.receive(piece)
        stream.finish()
        stream.deliverBody(reader)
        assert (reader.data, reader.end) == (b"a", None)
        stream.resumeProducing()
        assert (reader.data, reader.end) == (b"ab", None)
        stream.resumeProducing()
        assert reader.end is ResponseDone

    def test_a_reader_that_stops_within(self) -> None:
        """A reader that wants no more hears no more, and what comes is dropped."""
        stream, said = self.make()
        reader = Reader()
        reader.dataReceived = lambda _data: stream.stopProducing()  # type: ignore[method-assign]
        stream.deliverBody(reader)
        stream.receive(b"x")
        stream.receive(b"y" * 100_000)
        stream.fail()
        assert (reader.end, stream.waiting, said) == (None, 0, ["wanted"])

    def test_it_is_no_file(self) -> None:
        """Whoever reads a stream as a file is told so."""
        stream, _ = self.make()
        assert (stream.tell(), stream.seek(0)) == (0, 0)
        with pytest.raises(OSError, match="deliver_content"):
            stream.read()
