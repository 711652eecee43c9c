"""What a protocol behind a switch writes, in its turn or at once."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.http2.client import INITIAL_WINDOW_SIZE, Client, connect_fields, window_update
from tests.http2.talking import Switching, Talker, tunnel


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from([0, 1, 40, 1024, 1025, 20_000, 70_000]) | st.just(-1), max_size=12),
    st.sampled_from([0, 1, 100, 2000, 65_535]),
)
def test_bytes_come_in_their_order(writes: list[int], window: int) -> None:
    """A little goes at once unless something stands before it; whatever the sizes and windows, the order holds."""
    client, _, talker = tunnel(values={INITIAL_WINDOW_SIZE: window})
    sent = b""
    for number, size in enumerate(writes):
        if size < 0:
            client.turn()
            continue
        piece = bytes([number]) * size
        sent += piece
        talker.transport.write(piece)
    talker.transport.loseConnection()
    client.turn()
    for _ in range(20):
        client.send(window_update(40_000, 1) + window_update(40_000))
    assert client[1].body == sent
    assert client[1].ended


def test_a_little_at_once() -> None:
    """What is written in many pieces in one turn goes in their order, and all in that turn."""
    client, _, talker = tunnel()
    for number in range(10):
        talker.transport.write(b"%d" % number)
    client.turn()
    assert client[1].body == b"0123456789"


def test_not_before_the_head() -> None:
    """A protocol that writes as soon as it is connected writes behind the head of the response."""

    class Eager(Talker):
        def connectionMade(self) -> None:
            assert self.transport is not None
            self.transport.write(b"hello")

    client = Client(Switching(Eager))
    client.send(client.head(1, connect_fields(), end=False))
    assert client[1].status == 200
    assert client[1].body == b"hello"
