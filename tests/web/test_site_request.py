"""UpgradeRequest does what server.Request does."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import EncodingResourceWrapper, Resource
from twisted.web.server import NOT_DONE_YET, GzipEncoderFactory, Request

from tests.http1.wire import Rendered, Wire, connect, get, make_site, parse_answers
from upgradegw.web.request import SERVER, UpgradeRequest


class Page(Resource):
    isLeaf = True

    def render_GET(self, _request: Any) -> bytes:
        return b"page " * 100


class Encoding(SynchronousTestCase):
    """Encoders, such as gzip."""

    def wrapped(self, root: Resource) -> Wire:
        return connect(EncodingResourceWrapper(root, [GzipEncoderFactory()]))

    def test_gzip(self) -> None:
        """What a resource behind GzipEncoderFactory returns is compressed if the client can read that."""
        wire = self.wrapped(Page())
        plain, packed = wire.send(get(), get(b"/", b"Accept-Encoding: gzip")).answers()
        assert plain.body == b"page " * 100
        assert packed.get(b"content-encoding") == b"gzip"
        assert gzip.decompress(packed.body) == b"page " * 100

    def test_gzip_in_pieces(self) -> None:
        """The same for a resource that writes piece by piece."""

        def render(request: Any) -> int:
            for _ in range(3):
                request.write(b"piece ")
            request.finish()
            return NOT_DONE_YET

        (answer,) = self.wrapped(Rendered(render)).send(get(b"/", b"Accept-Encoding: gzip")).answers()
        assert gzip.decompress(answer.body) == b"piece piece piece "

    def test_head(self) -> None:
        """HEAD has no content, encoded or not."""
        wire = self.wrapped(Page()).send(get(b"/", b"Accept-Encoding: gzip", method=b"HEAD"))
        (answer,) = parse_answers(wire.take(), heads_only=True)
        assert answer.status == 200
        assert wire.open


EFFECTS: dict[bytes, Any] = {
    b"cookie": lambda request: request.addCookie(b"k", b"v"),
    b"redirect": lambda request: request.redirect(b"/elsewhere"),
    b"etag": lambda request: request.setETag(b'"x"'),
    b"server": lambda request: request.setHeader(b"server", b"own"),
    b"a b": lambda _request: None,
}


def render(request: Any) -> bytes:
    EFFECTS[request.prepath[0]](request)
    return b"%r %r" % (request.prepath, request.postpath)


def ask(factory: Any, data: bytes) -> tuple[Any, bytes | None]:
    """Return what a request class answers, and its Server field."""
    root = Resource()
    root.putChild(b"page", Page())
    root.putChild(b"text", Rendered(lambda _request: "no bytes"))
    for name in EFFECTS:
        root.putChild(name, Rendered(render))
    site, reactor = make_site(root, requestFactory=factory)
    (answer,) = parse_answers(Wire(site, reactor).send(data).take(), heads_only=data.startswith(b"HEAD"))
    fields = {name: value for name, value in answer.fields if name not in (b"Date", b"Server")}
    return (answer.status, fields, answer.body), answer.get(b"server")


PATHS = (b"/page", b"/cookie", b"/redirect", b"/etag", b"/server/x", b"/a%20b/%2F", b"/a%20b/", b"/none")


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"BREW"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.filterwarnings("ignore:twisted.web.resource._Unsafe:DeprecationWarning")
def test_same_answers(path: bytes, method: bytes) -> None:
    """Responses are those of server.Request, but for the Server field, which a resource may set."""
    data = get(path, b'If-None-Match: "x"', method=method)
    ours, server = ask(UpgradeRequest, data)
    stock, _ = ask(Request, data)
    assert ours == stock
    assert server == (b"own" if path.startswith(b"/server") else SERVER)
