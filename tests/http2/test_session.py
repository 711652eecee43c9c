"""What both ends agree on."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.http1.wire import Later
from tests.http2 import client as wire
from tests.http2.client import ACK, HEADER_TABLE_SIZE, INITIAL_WINDOW_SIZE, Client
from upgradegw.http2.frames import Kind


def test_tables_change_behind_the_acknowledgement() -> None:
    """RFC 7541 section 4.2: a table that the client lets grow grows when it has read that we know."""
    client = Client()
    client.send(client.head(1))
    for size, stream_id in ((0, 3), (100, 5), (4096, 7), (2**20, 9)):
        client.frames.clear()
        client.decoder.max_allowed_table_size = size
        client.send(wire.settings({HEADER_TABLE_SIZE: size}) + client.head(stream_id))
        kinds = [(each.type, "ACK" in each.flags) for each in client.frames]
        assert kinds.index((Kind.SETTINGS, True)) < kinds.index((Kind.HEADERS, False))
        assert client[stream_id].status == 200
        assert client.decoder.header_table_size == min(size, 4096)
        assert client.goaway is None


def test_each_ping_is_acknowledged_once() -> None:
    """RFC 9113 section 6.7: in the order in which they came, and an acknowledgement not at all."""
    client = Client()
    client.frames.clear()
    client.send(wire.ping(b"aaaaaaaa") + wire.ping(b"bbbbbbbb") + wire.ping(flags=ACK))
    assert [each.opaque_data for each in client.frames] == [b"aaaaaaaa", b"bbbbbbbb"]


_statuses = st.sampled_from([200, 204, 404, 500])
_fields = st.lists(
    st.tuples(
        st.sampled_from([b"X-A", b"ETag", b"Content-Length-Of-Old", b"Cache-Control"]),
        st.text("abcdefgh0123456789", max_size=9) | st.just("v" * 900),
    ),
    max_size=5,
    unique_by=lambda field: field[0],
)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(_statuses, _fields, st.none() | st.integers(0, 5000)), max_size=12))
def test_heads_arrive_as_they_were_sent(
    responses: list[tuple[int, list[tuple[bytes, str]], int | None]],
) -> None:
    """Whatever came before, and however large the client's table is: a response's fields are its own."""
    root = Later()
    client = Client(root, values={INITIAL_WINDOW_SIZE: 0})
    for number, (status, fields, size) in enumerate(responses):
        if size is not None:
            client.decoder.max_allowed_table_size = size
            client.send(wire.settings({HEADER_TABLE_SIZE: size}))
        stream_id = 2 * number + 1
        client.send(client.head(stream_id))
        request = root.requests[-1]
        request.setResponseCode(status)
        for name, value in fields:
            request.setHeader(name, value.encode())
        request.finish()
        client.turn()
        answer = client[stream_id]
        assert answer.status == status
        assert [answer.get(name.lower()) for name, _ in fields] == [value.encode() for _, value in fields]
