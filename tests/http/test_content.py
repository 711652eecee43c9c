"""Content: limits by subtree, and streams with back-pressure."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.http1.wire import Echo, connect, post
from upgradegw.http.content import content_policy, limit_content


def tree() -> Resource:
    root, upload, deep = Resource(), Resource(), Resource()
    root.putChild(b"up load", limit_content(upload, 5))
    upload.putChild(b"deep", deep)
    upload.putChild(b"none", limit_content(Resource(), None))
    stream = Resource()
    stream.streams_content = True  # type: ignore[attr-defined]
    upload.putChild(b"stream", stream)
    leaf = Resource()
    leaf.isLeaf = True
    leaf.putChild(b"x", limit_content(Resource(), 1))
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
    assert content_policy(tree(), target, 9) == expected


def test_policy_of_anything() -> None:
    """A root that is no tree has the site's limit; looking for the policy asks no resource for children."""

    class Dynamic(Resource):
        def getChild(self, _name: bytes, _request: Any) -> Resource:
            raise AssertionError

    assert content_policy(object(), b"/x", 9) == (9, False)
    assert content_policy(None, b"/x", 9) == (9, False)
    assert content_policy(Dynamic(), b"/x/y", 9) == (9, False)


class Limits(SynchronousTestCase):
    """Limits on a connection."""

    def test_of_a_subtree(self) -> None:
        """A-27: a subtree may take more than the site, or less."""
        root = Resource()
        root.putChild(b"small", limit_content(Echo(), 3))
        root.putChild(b"large", limit_content(Echo(), 300_000))
        root.putChild(b"any", limit_content(Echo(), None))
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
