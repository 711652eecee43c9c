"""The content of requests on streams: limits, Content-Length, streaming, and the windows that let it in."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.http import PotentialDataLoss
from twisted.web.resource import Resource

from tests.http1.wire import Echo, Later
from tests.http2.client import END, END_HEADERS, PROTOCOL_ERROR, Client, data, fields, frame
from tests.http2.reading import Streaming, length
from upgradegw import limit
from upgradegw.http2.frames import Kind


class Lengths(SynchronousTestCase):
    """A-09, H2-03: Content-Length is what DATA adds up to, on every way to the end of a request."""

    def ways(self, client: Client, said: int, content: bytes) -> dict[str, bytes]:
        """Return the ways to send so much content."""
        head = fields(b"POST", b"/", length(said))

        ways = {
            "one frame": lambda: client.head(1, head, end=False) + data(1, content, end=True),
            "an empty last frame": lambda: client.head(1, head, end=False) + data(1, content) + data(1, end=True),
            "byte by byte": lambda: b"".join(
                [client.head(1, head, end=False), *(data(1, bytes([each])) for each in content), data(1, end=True)]
            ),
            "trailers": lambda: (
                client.head(1, head, end=False)
                + data(1, content)
                + frame(Kind.HEADERS, client.encoder.encode([(b"x-a", b"b")]), END_HEADERS | END, 1)
            ),
        }
        if not content:
            ways["the head"] = lambda: client.head(1, head)
        return ways  # type: ignore[return-value]

    def test_right(self) -> None:
        """Content of the length that was told is served, whichever frame ends it."""
        for content in (b"", b"abcde"):
            for way in self.ways(Client(), 0, content):
                client = Client()
                client.send(self.ways(client, len(content), content)[way]())  # type: ignore[operator]
                assert client[1].body == b"POST / " + content, way

    def test_wrong(self) -> None:
        """Any other length resets the stream, no resource sees the request, and the others go on."""
        for said, content in ((5, b""), (5, b"abcd"), (5, b"abcdef"), (0, b"a")):
            for way in self.ways(Client(), 0, content):
                root = Later()
                client = Client(root)
                client.send(self.ways(client, said, content)[way]())  # type: ignore[operator]
                assert client[1].code == PROTOCOL_ERROR, (said, content, way)
                assert client[1].heads == []
                assert root.requests == []
                client.send(client.head(3))
                assert len(root.requests) == 1

    def test_wrong_on_a_stream(self) -> None:
        """A resource that reads along is told that content is missing, and its request is over."""
        root = Streaming()
        client = Client(root)
        client.send(client.head(1, fields(b"POST", b"/", length(5)), end=False) + data(1, b"abc", end=True))
        assert root.readers[0].data == b"abc"
        assert root.readers[0].end is PotentialDataLoss
        assert client[1].code == PROTOCOL_ERROR

    def test_a_second_head(self) -> None:
        """RFC 9113 section 8.1: HEADERS behind content that do not end a stream are malformed; so are bad trailers."""
        client = Client()
        client.send(client.head(1, fields(b"POST"), end=False) + client.head(1, [(b"x-a", b"b")], end=False))
        assert client[1].code == PROTOCOL_ERROR
        client.send(client.head(3, fields(b"POST"), end=False) + client.head(3, [(b":path", b"/")]))
        assert client[3].code == PROTOCOL_ERROR
        client.send(client.head(5, fields(b"GET", b"/still")))
        assert client[5].body == b"GET /still "


class Limits(SynchronousTestCase):
    """A-27, A-28: the limits are those of HTTP/1.1."""

    def test_told(self) -> None:
        """Content that is told to be too large is refused before it comes."""
        client = Client(max_content=10)
        client.send(client.head(1, fields(b"POST", b"/", length(11)), end=False))
        assert client[1].status == 413
        assert client[1].ended
        assert client[1].code is None
        client.advance(4)
        assert client[1].code == 0

    def test_untold(self) -> None:
        """Content that turns out to be too large is refused, and the request dropped."""
        root = Later()
        client = Client(root, max_content=10)
        client.send(client.head(1, fields(b"POST"), end=False) + data(1, b"x" * 10) + data(1, b"x"))
        assert client[1].status == 413
        assert root.requests == []

    def test_of_a_subtree(self) -> None:
        """A resource may take more or less."""
        root = Resource()
        root.putChild(b"small", limit(Echo(), max_content=3))
        client = Client(root)
        client.send(client.post(1, b"abcd", path=b"/small"), client.post(3, b"abc", path=b"/small"))
        assert [client[1].status, client[3].status] == [413, 200]

    def test_head(self) -> None:
        """A head that is too large, a target that is too long and too many fields are told, on their streams."""
        client = Client(max_head=1000, max_target=50, max_fields=10)
        client.send(
            client.head(1, fields(b"GET", b"/" + b"x" * 50)),
            client.head(3, fields(b"GET", b"/", (b"x-a", b"y" * 900))),
            client.head(5, fields(b"GET", b"/", *((b"x-a", b"%d" % number) for number in range(10)))),
            client.head(7, fields(b"GET", b"/", *((b"x-a", b"%d" % number) for number in range(9)))),
        )
        assert [client[number].status for number in (1, 3, 5, 7)] == [414, 431, 431, 200]

    def test_hosts_and_schemes(self) -> None:
        """A-13, EC-10: a host or scheme that is not ours is misdirected; a trusted proxy's scheme is believed."""
        client = Client(allowed_hosts=["b.example"])
        client.send(client.head(1))
        assert client[1].status == 421
        client = Client()
        client.send(client.head(1, fields(scheme=b"https")))
        assert client[1].status == 421
        client = Client(trusted_proxies=["192.0.2.0/24"])
        client.send(client.head(1, fields(scheme=b"https")))
        assert client[1].status == 200

    def test_connect(self) -> None:
        """EC-07: a plain CONNECT is refused, and nothing is tunnelled."""
        client = Client()
        client.send(client.head(1, [(b":method", b"CONNECT"), (b":authority", b"a.example:443")], end=False))
        assert client[1].status == 405

    def test_too_slow(self) -> None:
        """A-25: content that stops coming is answered with 408; the other streams go on."""
        root = Later()
        client = Client(root, content_timeout=20)
        client.send(client.head(1, fields(b"POST"), end=False) + data(1, b"abc"), client.head(3))
        client.advance(15)
        client.send(data(1, b"d"))
        client.advance(15)
        assert client[1].heads == []
        client.advance(8)
        assert client[1].status == 408
        root.requests[0].finish()
        client.turn()
        assert client[3].status == 200
        assert client.goaway is None

    def test_bad_form(self) -> None:
        """Multipart content that cannot be read is refused with 400."""
        client = Client()
        client.send(client.post(1, b"x", (b"content-type", b"multipart/form-data; boundary=a")))
        assert client[1].status in {200, 400}
        client.send(client.post(3, b"--a\r\nx", (b"content-type", b"multipart/form-data")))
        assert client[3].status == 400
