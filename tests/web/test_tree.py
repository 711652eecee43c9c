"""UpgradeResource in a tree of resources: at the root, as a child, beside files, WSGI and Klein."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from klein import Klein
from twisted.python.threadpool import ThreadPool
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.static import Data, File
from twisted.web.wsgi import WSGIResource

from tests.memory import Memory, content_of, fields_of, upgrade_request
from tests.protocols_for_tests import RecorderFactory
from tests.web.support import GET, OnEachSite, Where
from upgradegw import limit
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource


class _OnEachSite(OnEachSite):
    """Tests that run on both kinds of site."""

    def test_root(self) -> None:
        """As the root it answers every path, and gives plain requests to ``otherwise`` with the path right."""
        memory = self.connect(otherwise=Where())
        assert content_of(memory.send(GET.replace(b"/ HTTP", b"/a/b HTTP"))) == b"|a/b"
        memory.send(upgrade_request(path=b"/deep/down"))
        assert self.factory.only.info.head.target == b"/deep/down"

    def test_child(self) -> None:
        """As a child it answers its path and all below it; its own children come first."""
        root = Resource()
        self.factory = RecorderFactory()
        ws = UpgradeResource([stream("echo", self.factory)], otherwise=Where())
        root.putChild(b"ws", ws)
        ws.putChild(b"static", Where())
        for path, where in [
            (b"/ws", b"ws|"),
            (b"/ws/", b"ws|"),
            (b"/ws/x/y", b"ws|x/y"),
            (b"/ws/static/x", b"ws/static|x"),
        ]:
            memory = self.serve(root)
            assert content_of(memory.send(GET.replace(b"/ HTTP", path + b" HTTP"))) == where
        for path in (b"/ws", b"/ws/", b"/ws/x"):
            self.serve(root).send(upgrade_request(path=path))
        assert [p.info.head.target for p in self.factory.built] == [b"/ws", b"/ws/", b"/ws/x"]
        memory = self.serve(root)
        memory.send(upgrade_request(path=b"/ws/static/x"))
        assert memory.status == 200

    def test_unknown_path(self) -> None:
        """WS-12: an offer for a path that is not there gets 404."""
        memory = self.serve(Resource())
        memory.send(upgrade_request(path=b"/nothing"))
        assert memory.status == 404

    def test_plain_resource(self) -> None:
        """UP-07: a resource that knows nothing of upgrades answers an offer as a plain request."""
        root = Resource()
        root.putChild(b"", Data(b"plain", "text/plain"))
        memory = self.serve(root)
        memory.send(upgrade_request())
        assert memory.send(GET).count(b"HTTP/1.1 200") == 2

    def test_beside_files(self) -> None:
        """With static files as ``otherwise`` the files are found below the path."""
        directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, directory)  # type: ignore[attr-defined]
        Path(directory, "page.txt").write_text("a page")
        memory = self.connect(otherwise=File(directory))
        memory.send(GET.replace(b"/ HTTP", b"/page.txt HTTP").replace(b"GET", b"HEAD"))
        assert memory.status == 200
        assert fields_of(memory.received)[b"content-length"] == b"6"
        memory.transport.clear()
        memory.send(GET.replace(b"/ HTTP", b"/none.txt HTTP").replace(b"GET", b"HEAD"))
        assert memory.status == 404
        memory.send(upgrade_request(path=b"/page.txt"))
        assert self.factory.built

    def test_in_place_of_wsgi_root(self) -> None:
        """With a WSGI application as ``otherwise`` the application gets the whole path."""

        class Immediate(ThreadPool):
            def callInThread(self, func: Any, *args: Any, **kw: Any) -> None:
                func(*args, **kw)

        def application(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [environ["SCRIPT_NAME"].encode() + b"|" + environ["PATH_INFO"].encode()]

        upgrades = [stream("echo", RecorderFactory())]
        root = UpgradeResource(upgrades)
        memory = self.serve(root)
        memory.clock.callFromThread = lambda f, *a, **kw: f(*a, **kw)
        root.otherwise = WSGIResource(memory.clock, Immediate(), application)
        response = memory.send(GET.replace(b"/ HTTP/1.1", b"/a/b HTTP/1.0"))
        assert content_of(response) == b"|/a/b"

    def test_klein(self) -> None:
        """As what a Klein route returns, with and without ``branch=True``."""
        app = Klein()
        self.factory = factory = RecorderFactory()
        resource = UpgradeResource([stream("echo", factory)], otherwise=Where())

        @app.route("/leaf")
        def leaf(request: Any) -> Any:
            return resource

        @app.route("/branch/", branch=True)
        def branch(request: Any) -> Any:
            return resource

        for path in (b"/leaf", b"/branch/", b"/branch/x/y"):
            memory = self.serve(app.resource())
            memory.send(upgrade_request(path=path))
            assert memory.status == 101, path
            assert content_of(self.serve(app.resource()).send(GET.replace(b"/ HTTP", path + b" HTTP")))
        assert [p.info.head.target for p in factory.built] == [b"/leaf", b"/branch/", b"/branch/x/y"]


class StockSiteTests(_OnEachSite, SynchronousTestCase):
    """In ``twisted.web.server.Site``."""

    stock = True


class UpgradeSiteTests(_OnEachSite, SynchronousTestCase):
    """In ``UpgradeSite``."""

    stock = False


class Upload(Resource):
    """Says how much it got."""

    def render_POST(self, request: Any) -> bytes:
        return b"%d" % len(request.content.read())


class ContentPolicyTests(SynchronousTestCase):
    """The limits on content that a tree below ``otherwise`` sets."""

    def post(self, root: Any, path: bytes, size: int) -> Memory:
        memory = Memory(root, max_content=10)
        memory.send(b"POST %b HTTP/1.1\r\nHost: a.example\r\nContent-Length: %d\r\n\r\n" % (path, size) + b"x" * size)
        return memory

    def test_otherwise(self) -> None:
        """A-27: they hold for the paths that ``otherwise`` answers, at its root and below it, and nowhere else."""
        app = limit(Upload(), max_content=20)
        app.putChild(b"big", limit(Upload(), max_content=30))
        root = Resource()
        root.putChild(b"app", UpgradeResource([stream("echo", RecorderFactory())], otherwise=app))
        root.putChild(b"other", Upload())
        for path, most in [(b"/app", 20), (b"/app/big", 30), (b"/other", 10)]:
            assert content_of(self.post(root, path, most).received) == b"%d" % most
            assert self.post(root, path, most + 1).status == 413, path

    def test_content_for_a_protocol_is_whole(self) -> None:
        """UP-12: a protocol that takes content gets it whole, also beside an ``otherwise`` that reads a stream."""
        other = Upload()
        other.streams_content = True  # type: ignore[attr-defined]
        factory = RecorderFactory()
        upgrade = stream("tcp", factory, methods=("POST",), content=True)
        root = Resource()
        root.putChild(b"", UpgradeResource([upgrade], otherwise=other))
        memory = Memory(root)
        memory.send(upgrade_request(b"tcp", b"Content-Length: 5", method=b"POST"), b"he", b"llo")
        assert memory.status == 101
        assert factory.only.info.content == b"hello"
