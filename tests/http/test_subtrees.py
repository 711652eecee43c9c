"""Limits of a subtree."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.http1.wire import Echo, Rendered, Wire, connect, get, make_site, post
from tests.http2.client import CANCEL, INITIAL_WINDOW_SIZE, Client, fields, window_update
from upgradegw import UpgradeResource, limit, stream
from upgradegw.http.limits import Limits
from upgradegw.http.subtrees import limits_for


def tree() -> Resource:
    root, upload, deep = Resource(), Resource(), Resource()
    root.putChild(b"up load", limit(upload, max_content=5))
    upload.putChild(b"deep", deep)
    upload.putChild(b"none", limit(Resource(), max_content=None))
    stream = Resource()
    stream.streams_content = True  # type: ignore[attr-defined]
    upload.putChild(b"stream", stream)
    leaf = Resource()
    leaf.isLeaf = True
    leaf.putChild(b"x", limit(Resource(), max_content=1))
    root.putChild(b"leaf", leaf)
    return root


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/", (9, False)),
        (b"/other/deep", (9, False)),
        (b"/up%20load", (5, False)),
        (b"/up%20load?x", (5, False)),
        (b"/up%20load/", (5, False)),
        (b"/up%20load/deep/er", (5, False)),
        (b"/up%20load/none", (None, False)),
        (b"/up%20load/stream/x", (5, True)),
        (b"/leaf/x", (9, False)),
        (b"*", (9, False)),
    ],
)
def test_policy(target: bytes, expected: tuple[int | None, bool]) -> None:
    """A-27: the deepest resource of the static tree that says something about content wins."""
    limits, streams = limits_for(tree(), target, Limits(max_content=9))
    assert (limits.max_content, streams) == expected


def test_policy_of_anything() -> None:
    """A root that is no tree has the site's limit; looking for the policy asks no resource for children."""

    class Dynamic(Resource):
        def getChild(self, _name: bytes, _request: Any) -> Resource:
            raise AssertionError

    limits = Limits()
    for root in (object(), None, Dynamic()):
        assert limits_for(root, b"/x/y", limits) == (limits, False)
        assert limits_for(root, b"/x/y", limits)[0] is limits


class OnAConnection(SynchronousTestCase):
    """Limits on a connection."""

    def test_of_a_subtree(self) -> None:
        """A-27: a subtree may take more than the site, or less."""
        root = Resource()
        root.putChild(b"small", limit(Echo(), max_content=3))
        root.putChild(b"large", limit(Echo(), max_content=300_000))
        root.putChild(b"any", limit(Echo(), max_content=None))
        root.putChild(b"default", Echo())
        for path, size, status in (
            (b"/small", 3, 200),
            (b"/small", 4, 413),
            (b"/default", 100, 200),
            (b"/default", 101, 413),
            (b"/large", 300_000, 200),
            (b"/large", 300_001, 413),
            (b"/any", 400_000, 200),
        ):
            wire = connect(root, max_content=100).send(post(b"x" * size, path))
            assert [answer.status for answer in wire.answers()] == [status], (path, size)

    def test_without_limit(self) -> None:
        """``max_content=None`` takes anything."""
        wire = connect(max_content=None).send(post(b"x" * 2_000_000))
        assert wire.answers()[0].status == 200

    def test_limits_add_up(self) -> None:
        """What is not given holds from above, or from before; what is no limit is refused where it is written."""
        root, upload = limit(Resource(), max_content=1, content_timeout=2), Resource()
        root.putChild(b"upload", limit(limit(upload, write_timeout=3), max_content=0))
        found, _ = limits_for(root, b"/upload", Limits())
        assert (found.max_content, found.content_timeout, found.write_timeout) == (0, 2, 3)
        for wrong in ({"max_content": -1}, {"content_timeout": 0}, {"write_timeout": None}, {"max_content": "1 MiB"}):
            with pytest.raises(ValueError, match="is no limit"):
                limit(Resource(), **wrong)  # type: ignore[arg-type]

    def test_through_an_upgrade_resource(self) -> None:
        """A-27: an UpgradeResource has the limits of its ``otherwise``, unless it is given its own."""
        upgrade = stream("echo", Factory.forProtocol(Protocol))
        app = limit(Echo(), max_content=3)
        root = Resource()
        root.putChild(b"app", UpgradeResource([upgrade], otherwise=app))
        root.putChild(b"own", limit(UpgradeResource([upgrade], otherwise=app), max_content=5))
        statuses = [connect(root).send(post(b"1234", path)).answers()[0].status for path in (b"/app", b"/own")]
        assert statuses == [413, 200]


def slow_tree() -> Resource:
    """Return a tree whose subtrees have more time than the site, and less."""
    root = Resource()
    for name, seconds in ((b"short", 5), (b"long", 90), (b"default", None)):
        big = Rendered(lambda _request: b"x" * 3_000_000)
        for path, resource in ((b"up-" + name, Echo()), (b"down-" + name, big)):
            given = {} if seconds is None else {"content_timeout": seconds, "write_timeout": seconds}
            root.putChild(path, limit(resource, **given))  # type: ignore[arg-type]
    root.putChild(b"up-ever", limit(Echo(), content_timeout=None))
    return root


SECONDS: Any = {"content_timeout": 30, "write_timeout": 30}


@pytest.mark.parametrize(("name", "lives", "dies"), [("short", 4, 8), ("default", 25, 35), ("long", 85, 95)])
class TestTime:
    """A-21, A-27: a subtree may give its clients more time than the site, or less."""

    def test_content(self, name: str, lives: int, dies: int) -> None:
        """Content that stalls is 408 after the subtree's time; the next request has its own."""
        wire = connect(slow_tree(), **SECONDS)
        assert wire.send(post(b"x", b"/up-ever")).answers()[0].status == 200
        wire.send(get(b"/up-" + name.encode(), b"Content-Length: 9", method=b"POST"))
        assert wire.advance(lives).answers() == []
        assert [answer.status for answer in wire.advance(dies - lives).answers()] == [408]

    def test_response(self, name: str, lives: int, dies: int) -> None:
        """A client that takes nothing of its response is cut off after the subtree's time."""
        site, reactor = make_site(slow_tree(), **SECONDS)
        wire = Wire(site, reactor, buffer=4096)
        wire.socket.send(get(b"/down-" + name.encode()))
        wire.turn(read=False)
        for seconds, alive in ((lives, True), (dies - lives, False)):
            for _ in range(seconds):
                reactor.advance(1)
                wire.turn(read=False)
            assert wire.open is alive

    def test_content_over_http_2(self, name: str, lives: int, dies: int) -> None:
        """The same on a stream of HTTP/2."""
        client = Client(slow_tree(), **SECONDS)
        block = fields(b"POST", b"/up-" + name.encode(), (b"content-length", b"9"))
        client.send(client.head(1, block, end=False))
        assert client.advance(lives)[1].heads == []
        assert client.advance(dies - lives)[1].status == 408

    def test_response_over_http_2(self, name: str, lives: int, dies: int) -> None:
        """A stream whose client opens no window is reset after the subtree's time."""
        client = Client(slow_tree(), values={INITIAL_WINDOW_SIZE: 100}, **SECONDS)
        client.send(client.head(1, fields(b"GET", b"/down-" + name.encode())))
        assert client.advance(lives)[1].code is None
        assert client.advance(dies - lives)[1].code == CANCEL

    def test_connection_over_http_2(self, name: str, lives: int, dies: int) -> None:
        """A connection on which nothing is read is cut off after the time of the most patient of its streams."""
        client = Client(slow_tree(), values={INITIAL_WINDOW_SIZE: 2**30}, buffer=8192, **SECONDS)
        head = client.head(1, fields(b"GET", b"/down-" + name.encode()))
        client.wire.socket.send(window_update(2**30) + head)
        for seconds, alive in ((lives, True), (dies - lives, False)):
            for _ in range(seconds):
                client.reactor.advance(1)
                client.wire.turn(read=False)
            assert client.wire.open is alive
