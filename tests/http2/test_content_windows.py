"""EC-09: content is let in as fast as it is read."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from tests.http1.wire import Rendered
from tests.http2.client import FLOW_CONTROL_ERROR, Client, data, fields, frame, rst
from tests.http2.reading import Streaming, length
from upgradegw.http2.frames import Kind


class Windows(SynchronousTestCase):
    """EC-09: the client may send as much as somebody reads, and no more."""

    def test_buffered(self) -> None:
        """Content that is stored is credited as it comes; a megabyte passes."""
        client = Client(Rendered(lambda request: b"%d" % len(request.content.read())))
        client.send(client.head(1, fields(b"POST"), end=False))
        for _ in range(64):
            client.send(data(1, b"x" * 16_000))
        client.send(data(1, end=True))
        assert client[1].body == b"1024000"
        credited = [each for each in client.frames if each.type == Kind.WINDOW_UPDATE]
        assert sum(each.window_increment for each in credited if each.stream_id == 1) > 900_000
        assert len(credited) < 50

    def test_unread(self) -> None:
        """H2-09: a reader that pauses lets the window run out; what exceeds it resets the stream."""
        root = Streaming()
        client = Client(root, max_content=None)
        client.send(client.head(1, fields(b"POST"), end=False))
        stream = root.requests[0].content
        stream.pauseProducing()
        client.frames.clear()
        client.send(*(data(1, b"x" * 16_384) for _ in range(4)))
        assert client.kinds() == []
        assert stream.waiting == 65_536
        stream.resumeProducing()
        client.turn()
        assert client.kinds() == [Kind.WINDOW_UPDATE]
        assert len(root.readers[0].data) == 65_536
        stream.pauseProducing()
        client.send(*(data(1, b"x" * 16_384) for _ in range(5)))
        assert (client[1].code, client.goaway) == (FLOW_CONTROL_ERROR, None)

    def test_the_connection_s(self) -> None:
        """H2-09: what exceeds the connection's window, over all streams, ends the connection."""
        root = Streaming()
        client = Client(root, max_content=None, connection_window=100_000)
        for stream_id in (1, 3):
            client.send(client.head(stream_id, fields(b"POST"), end=False))
            root.requests[-1].content.pauseProducing()
        client.send(*(data(1, b"x" * 16_384) for _ in range(4)), *(data(3, b"x" * 16_384) for _ in range(2)))
        assert client.goaway is None
        client.send(data(3, b"x" * 16_384))
        assert client.goaway is not None
        assert client.goaway[0] == FLOW_CONTROL_ERROR

    def test_read_to_the_end(self) -> None:
        """A reader gets all, and is told the end, also when it had paused when it came."""
        root = Streaming()
        client = Client(root)
        client.send(client.head(1, fields(b"POST"), end=False))
        root.requests[0].content.pauseProducing()
        client.send(data(1, b"abc", end=True))
        assert root.readers[0].end is None
        root.requests[0].content.resumeProducing()
        assert (root.readers[0].data, root.readers[0].end) == (b"abc", ResponseDone)
        root.requests[0].finish()
        client.turn()
        assert client[1].status == 200
        assert client[1].code is None

    def test_unwanted(self) -> None:
        """A response before the content's end stops the client, soon and without an error (RFC 9113 section 8.1)."""
        root = Streaming()
        client = Client(root)
        client.send(client.head(1, fields(b"POST"), end=False) + data(1, b"abc"))
        root.requests[0].write(b"enough")
        root.requests[0].finish()
        client.turn()
        assert client[1].body == b"enough"
        assert client[1].ended
        client.frames.clear()
        client.send(data(1, b"x" * 16_000) * 3)
        assert client.kinds() == []
        client.advance(4)
        assert client[1].code == 0
        assert client.connection._streams.live == {}

    def test_unwanted_and_ended(self) -> None:
        """A client that ends its request behind the response is not told to stop."""
        for end in ("data", "trailers"):
            root = Streaming()
            client = Client(root)
            client.send(client.head(1, fields(b"POST"), end=False) + data(1, b"abc"))
            root.requests[0].finish()
            client.turn()
            client.send(data(1, b"x", end=True) if end == "data" else client.head(1, [(b"x-a", b"b")]))
            assert client.connection._streams.live == {}
            client.advance(4)
            assert client[1].code is None

    def test_dropped_content_leaves_the_window(self) -> None:
        """What is dropped on one stream takes nothing away from the window that others need."""
        client = Client(Rendered(lambda request: b"%d" % len(request.content.read())), connection_window=65_535)
        for number in range(1, 61, 2):
            client.send(client.head(number, fields(b"POST", b"/", length(2**20 + 1)), end=False))
            client.send(data(number, b"x" * 16_384) + rst(number))
        client.send(client.head(61, fields(b"POST"), end=False))
        before, sent = 30 * 16_384, 0
        while sent < 500_000:
            given = sum(each.window_increment for each in client.frames if each.type == 8 and not each.stream_id)
            room = min(16_384, 65_535 + given - before - sent)
            assert room > 1000, "the connection's window has run out"
            client.send(data(61, b"x" * room))
            sent += room
        client.send(data(61, end=True))
        assert client[61].body == b"%d" % sent

    def test_padding_is_credited(self) -> None:
        """Padding costs window, and gives it back at once."""
        root = Streaming()
        client = Client(root, max_content=None)
        client.send(client.head(1, fields(b"POST"), end=False))
        for _ in range(2000):
            client.send(frame(Kind.DATA, b"\xff" + b"x" * 200 + b"\0" * 255, 0x8, 1))
        assert client.goaway is None
        assert len(root.readers[0].data) == 400_000

    def test_the_client_leaves(self) -> None:
        """A reset tells the reader that the rest will not come, and gives the connection's window back."""
        root = Streaming()
        client = Client(root, connection_window=65_535)
        for number in range(1, 41, 2):
            client.send(client.head(number, fields(b"POST"), end=False))
            root.requests[-1].content.pauseProducing()
            client.send(data(number, b"x" * 16_000) * 4 + rst(number))
            assert root.readers[-1].end in {None, PotentialDataLoss}
        assert client.goaway is None

    def test_overrun_of_a_window_of_ours(self) -> None:
        """A-22: the connection's window holds for all streams together."""
        root = Streaming()
        client = Client(root, connection_window=65_535)
        for number in (1, 3):
            client.send(client.head(number, fields(b"POST"), end=False))
            root.requests[-1].content.pauseProducing()
        client.send(data(1, b"x" * 16_000) * 4)
        client.send(data(3, b"x" * 1600))
        assert client.goaway is not None
        assert client.goaway[0] == 3
