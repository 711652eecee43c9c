"""The producer of a request's content hears each thing once, and at the end what is still true."""

from __future__ import annotations

import pytest

from tests.producers import Producer
from upgradegw.proxy.paced import Paced


def test_each_thing_is_told_once() -> None:
    """Pausing what is paused, or resuming what runs, says nothing; nor does anything without a producer."""
    paced, producer = Paced(), Producer()
    paced.flow(False)
    assert paced._take_producer(producer, True, wanted=True)
    for more in (True, False, False, True, True):
        paced.flow(more)
    assert producer.calls == ["pause", "resume"]


@pytest.mark.parametrize(
    ("complete", "paused", "calls"),
    [
        (False, False, ["stop"]),
        (False, True, ["pause", "stop"]),
        (True, True, ["pause", "resume"]),
        (True, False, []),
    ],
)
def test_the_end(complete: bool, paused: bool, calls: list[str]) -> None:
    """Content that is not wanted is stopped; who has sent all is not left paused; then it is forgotten."""
    paced, producer = Paced(), Producer()
    paced._take_producer(producer, True, wanted=True)
    paced.flow(not paused)
    for _ in range(2):
        paced._dismiss_producer(complete=complete)
    assert producer.calls == calls


def test_who_is_not_taken() -> None:
    """A second one, one that waits to be asked, and one that comes behind the end."""
    paced, late = Paced(), Producer()
    with pytest.raises(RuntimeError, match="streaming"):
        paced._take_producer(Producer(), False, wanted=True)
    assert not paced._take_producer(late, True, wanted=False)
    assert late.calls == ["stop"]
    assert paced._take_producer(Producer(), True, wanted=True)
    with pytest.raises(RuntimeError, match="one producer"):
        paced._take_producer(Producer(), True, wanted=True)
