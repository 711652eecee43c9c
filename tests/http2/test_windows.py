"""What is sent: no more than the client's windows allow, and in turns."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Later, Rendered
from tests.http2.client import (
    FLOW_CONTROL_ERROR,
    INITIAL_WINDOW_SIZE,
    MAX_FRAME_SIZE,
    PROTOCOL_ERROR,
    Client,
    fields,
    settings,
    window_update,
)


class TheirWindows(SynchronousTestCase):
    """RFC 9113 section 6.9."""

    def test_a_stream_s_window(self) -> None:
        """H2-09: no more is sent than a stream's window allows; an update lets on exactly as much."""
        client = Client(Rendered(lambda _: b"x" * 100), values={INITIAL_WINDOW_SIZE: 10})
        client.send(client.head(1))
        assert client[1].body == b"x" * 10
        client.send(window_update(1, 1))
        assert client[1].sizes == [10, 1]
        client.send(window_update(100, 1))
        assert client[1].body == b"x" * 100
        assert client[1].ended

    def test_no_window(self) -> None:
        """A response without content needs no window, and its head needs none."""
        client = Client(Rendered(lambda request: request.uri[1:]), values={INITIAL_WINDOW_SIZE: 0})
        client.send(client.head(1), client.head(3, fields(path=b"/x")))
        assert client[1].ended
        assert client[3].status == 200
        assert client[3].sizes == []
        client.send(settings({INITIAL_WINDOW_SIZE: 1}))
        assert client[3].body == b"x"

    def test_a_negative_window(self) -> None:
        """H2-09, A-22: SETTINGS may make a window negative; sending goes on when it is positive again."""
        client = Client(Rendered(lambda _: b"x" * 100), values={INITIAL_WINDOW_SIZE: 20})
        client.send(client.head(1))
        client.send(settings({INITIAL_WINDOW_SIZE: 5}))
        for _ in range(15):
            client.send(window_update(1, 1))
        assert client[1].body == b"x" * 20
        client.send(window_update(3, 1))
        assert client[1].body == b"x" * 23
        client.send(settings({INITIAL_WINDOW_SIZE: 1000}))
        assert client[1].body == b"x" * 100

    def test_the_connection_s_window(self) -> None:
        """All streams share the connection's window, and go on in turns when it opens, whatever their order."""
        root = Rendered(lambda _: b"x" * 100_000)
        client = Client(root, values={INITIAL_WINDOW_SIZE: 200_000})
        client.send(client.head(1), client.head(3), client.head(5))
        assert len(client[1].body + client[3].body + client[5].body) == 65_535
        for _ in range(6):
            client.send(window_update(16_384))
        got = [len(client[number].body) for number in (1, 3, 5)]
        assert sum(got) == 65_535 + 6 * 16_384
        assert min(got[1:]) >= 2 * 16_384
        client.send(window_update(300_000))
        assert [len(client[number].body) for number in (1, 3, 5)] == [100_000] * 3

    def test_overflow(self) -> None:
        """A-22: an update that overflows a stream's window resets the stream, one of the connection's ends it."""
        client = Client(Later())
        client.send(client.head(1), window_update(2**31 - 1, 1))
        assert client[1].code == FLOW_CONTROL_ERROR
        assert client.goaway is None
        client.send(window_update(2**31 - 1))
        assert client.goaway is not None
        assert client.goaway[0] == FLOW_CONTROL_ERROR
        assert client.eof

    def test_overflow_by_settings(self) -> None:
        """RFC 9113 section 6.9.2: SETTINGS that overflow a window end the connection."""
        client = Client(Later())
        client.send(client.head(1), window_update(1000, 1), settings({INITIAL_WINDOW_SIZE: 2**31 - 1}))
        assert client.goaway is not None
        assert client.goaway[0] == FLOW_CONTROL_ERROR

    def test_illegal_settings(self) -> None:
        """RFC 9113 section 6.5.2: values out of their ranges end the connection, each with its code."""
        for values, code in (
            ({2: 2}, PROTOCOL_ERROR),
            ({INITIAL_WINDOW_SIZE: 2**31}, FLOW_CONTROL_ERROR),
            ({MAX_FRAME_SIZE: 16_383}, PROTOCOL_ERROR),
            ({MAX_FRAME_SIZE: 2**24}, PROTOCOL_ERROR),
            ({8: 2}, PROTOCOL_ERROR),
        ):
            client = Client().send(settings(values))
            assert client.goaway is not None
            assert client.goaway[0] == code, values

    def test_an_increment_of_nothing(self) -> None:
        """RFC 9113 section 6.9: an increment of 0 is an error of the stream, or of the connection."""
        client = Client(Later())
        client.send(client.head(1), window_update(0, 1))
        assert client[1].code == PROTOCOL_ERROR
        assert client.goaway is None
        client.send(window_update(0))
        assert client.goaway == (PROTOCOL_ERROR, 1)

    def test_frames_stay_small(self) -> None:
        """A client that takes large frames gets small ones all the same, so that its streams have their turns."""
        client = Client(Rendered(lambda _: b"x" * 60_000), values={MAX_FRAME_SIZE: 2**20})
        client.send(client.head(1))
        assert max(client[1].sizes) == 16_384

    def test_a_large_head(self) -> None:
        """A head that does not fit into a frame goes on in CONTINUATION."""

        def render(request: Any) -> bytes:
            for number in range(30):
                request.setHeader(b"X-%d" % number, b"\x01\xff\x02" * 400)
            return b"here"

        client = Client(Rendered(render))
        client.decoder.max_header_list_size = 100_000
        client.send(client.head(1))
        assert len(client[1].heads[0]) > 30
        assert client[1].body == b"here"

    def test_small_pieces_are_joined(self) -> None:
        """What a resource writes in small pieces leaves in whole frames."""
        root = Later()
        client = Client(root)
        client.send(client.head(1))
        for _ in range(1000):
            root.requests[0].write(b"0123456789")
        root.requests[0].finish()
        client.turn()
        assert client[1].sizes == [10_000]

    def test_our_table_is_bounded(self) -> None:
        """A client that allows a table of gigabytes does not get one built."""
        client = Client(values={1: 2**32 - 1})
        client.decoder.max_allowed_table_size = 2**32 - 1
        client.send(client.head(1))
        assert client.decoder.header_table_size == 4096
        assert client[1].status == 200
