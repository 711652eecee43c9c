"""Content that has come in full before anybody is asked: in a stock Site, and below resources that are found late."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.http1.wire import Wire, chunked, get, make_site, post
from tests.memory import Memory
from tests.proxy.recorded import RecordedUpstream
from upgradegw.http.subtrees import limit
from upgradegw.proxy.resource import ProxyResource


class StockSite(SynchronousTestCase):
    """In a ``twisted.web.server.Site``, which has the content in full before it asks."""

    def test_content(self) -> None:
        """The content is sent in pieces, as the upstream takes it."""
        memory = Memory(ProxyResource(upstream := RecordedUpstream()), stock=True)
        content = bytes(range(256)) * 1000
        memory.send(post(content))
        exchange = upstream.only
        assert (exchange.request.content_length, exchange.content) == (len(content), content)
        assert exchange.finished
        exchange.answer(content=b"done")
        assert memory.received.endswith(b"\r\n\r\ndone")
        assert b"Server: Twisted" not in memory.received

    def test_an_upstream_that_pauses(self) -> None:
        """Content that lies in a file waits there."""
        memory = Memory(ProxyResource(upstream := RecordedUpstream()), stock=True)
        content = b"x" * 300_000
        upstream.slow = True
        memory.send(post(content))
        sizes = [len(upstream.only.content)]
        while not upstream.only.finished:
            upstream.only.producer.resumeProducing()
            sizes.append(len(upstream.only.content))
        assert sizes[:2] == [65536, 131072]
        assert upstream.only.content == content
        upstream.only.answer()

    def test_an_upstream_that_has_enough(self) -> None:
        """Content that lies in a file is read no further than somebody wants it."""
        memory = Memory(ProxyResource(upstream := RecordedUpstream()), stock=True)
        upstream.slow = True
        memory.send(post(b"x" * 300_000))
        exchange = upstream.only
        exchange.producer.stopProducing()
        exchange.producer.resumeProducing()
        assert len(exchange.content) == 65536
        exchange.answer(413)
        assert memory.status == 413

    def test_absolute_form(self) -> None:
        """A-38: a target in absolute form is not passed on; only our own site resolves it."""
        memory = Memory(ProxyResource(upstream := RecordedUpstream()), stock=True)
        memory.send(b"GET http://169.254.169.254/ HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert memory.status == 400
        assert not upstream.exchanges


def test_content_below_a_resource_that_buffers() -> None:
    """A resource that is found only when it is asked gets its content in full, and passes it on all the same."""
    upstream = RecordedUpstream()

    class Finder(Resource):
        def getChild(self, path: bytes, request: Any) -> Any:
            return ProxyResource(upstream)

    site, reactor = make_site(limit(Finder(), max_content=None))
    wire = Wire(site, reactor)
    wire.send(get(b"/a/b", b"Transfer-Encoding: chunked", method=b"PUT") + chunked(b"content"))
    assert (upstream.only.request.content_length, upstream.only.content) == (7, b"content")
    assert upstream.only.request.target == b"/a/b"
    upstream.only.answer()
    assert [answer.status for answer in wire.answers()] == [200]
