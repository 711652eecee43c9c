"""Token buckets."""

from __future__ import annotations

from twisted.internet.task import Clock

from upgradegw.http2.meters import Bucket


def test_bucket() -> None:
    """H2-10: a bucket gives its burst at once, then what time earns, and never more than its burst."""
    clock = Clock()
    bucket = Bucket(3, 2.0, clock.seconds)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    clock.advance(0.4)
    assert not bucket.take()
    clock.advance(0.1)
    assert [bucket.take(), bucket.take()] == [True, False]
    clock.advance(1000)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
