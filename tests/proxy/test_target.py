"""The request target as the upstream gets it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upgradegw.proxy.target import leaves_its_place, upstream_target


@pytest.mark.parametrize(
    ("target", "strip", "expected"),
    [
        (b"/", 0, b"/"),
        (b"/a/b?c=/../d", 0, b"/a/b?c=/../d"),
        (b"/a%2Fb/%41", 0, b"/a%2Fb/%41"),
        (b"/docker", 1, b"/"),
        (b"/docker/", 1, b"/"),
        (b"/docker?x", 1, b"/?x"),
        (b"/docker/v1/e%20f/start", 1, b"/v1/e%20f/start"),
        (b"/a/b/c", 2, b"/c"),
        (b"/a//b", 1, b"//b"),
        (b"/...", 0, b"/..."),
        (b"/a.b/.c/d..", 0, b"/a.b/.c/d.."),
        (b"/%2e%2ea", 0, b"/%2e%2ea"),
    ],
)
def test_passed(target: bytes, strip: int, expected: bytes) -> None:
    """A target passes as it was written, without the segments of the route where these are to be taken off."""
    assert upstream_target(target, strip) == expected


@pytest.mark.parametrize(
    "target",
    [
        b"http://192.0.2.1/",
        b"",
        b"x",
        b"//../x".replace(b"//", b"/"),
        b"/a/../b",
        b"/a/.",
        b"/a/%2e%2E/b",
        b"/a/.%2e/b",
        b"/a/..;x=1/b",
        b"/a/..%2fb",
        b"/a%5c..%5cb",
        b"/a\\..\\b",
        b"/..",
        b"/./a?b",
        b"/a/..%00/b",
        b"/a%00.txt",
    ],
)
def test_refused(target: bytes) -> None:
    """A-38: what is no path, or might lead out of the route at the upstream, is not passed on."""
    assert upstream_target(target, 0) is None


@given(st.lists(st.sampled_from([b"a", b"..", b".", b"%2e", b"%2E%2e", b"", b"b;c"]), min_size=1))
def test_every_dot_segment_is_found(segments: list[bytes]) -> None:
    """A path stays in its place exactly if no segment is one or two dots, however written."""
    dots = {b".", b"..", b"%2e", b"%2E%2e"}
    assert leaves_its_place(b"/" + b"/".join(segments)) == bool(dots & set(segments))
