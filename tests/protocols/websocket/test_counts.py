"""The counts of a connection: what Autobahn's would be, whoever counts and by whatever name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autobahn.websocket.protocol import TrafficStats
from hypothesis import given
from hypothesis import strategies as st

from tests.protocols.websocket.support import BINARY, TEXT, WebSocketTestCase, frame
from upgradegw.protocols.websocket.counts import Counts, count_piece, count_received, count_sent

NAMES = sorted(vars(TrafficStats()))

Step = Callable[[Any], None]


def _add(name: str, number: int) -> Step:
    return lambda stats: setattr(stats, name, getattr(stats, name) + number)


_numbers = st.integers(0, 1 << 20)
_steps = st.one_of(
    st.builds(_add, st.sampled_from(NAMES), _numbers),
    st.builds(lambda name, number: lambda stats: setattr(stats, name, number), st.sampled_from(NAMES), _numbers),
    st.builds(lambda size, content: lambda stats: count_received(stats, size, content), _numbers, _numbers),
    st.builds(lambda size: lambda stats: count_received(stats, size, size), _numbers),
    st.builds(lambda size: lambda stats: count_piece(stats, size), st.integers(-100, 100)),
    st.builds(lambda size, content: lambda stats: count_sent(stats, size, content), _numbers, _numbers),
    st.builds(lambda size: lambda stats: count_sent(stats, size, size), _numbers),
    st.just(TrafficStats.reset),
)


@given(st.lists(_steps, max_size=20))
def test_likeness(steps: list[Step]) -> None:
    """Counting by Autobahn's names and in short can be mixed; every count is at every step what Autobahn's would be."""
    ours, theirs = Counts(), TrafficStats()
    for step in steps:
        step(ours)
        step(theirs)
        assert ours.__json__() == theirs.__json__()
        assert {name: getattr(ours, name) for name in NAMES} == vars(theirs)


class Exchanged(WebSocketTestCase):
    """An application may count with an object of its own."""

    def test_trafficStats(self) -> None:
        """Messages are counted on what it has put in the place of Autobahn's."""
        connection = self.connect(ping_interval=None).receive(frame(TEXT, b"first"))
        connection.protocol.trafficStats = stats = TrafficStats()
        connection.receive(frame(TEXT, b"second"), frame(BINARY, bytes(200)))
        connection.receive(frame(BINARY, b"third"))
        connection.protocol.sendMessage(b"answer")
        connection.flush()
        assert (stats.incomingWebSocketMessages, stats.incomingWebSocketFrames) == (3, 3)
        assert stats.incomingOctetsAppLevel == stats.incomingOctetsWebSocketLevel == 211
        assert stats.incomingOctetsWireLevel == 211 + 6 + 8 + 6
        assert (stats.outgoingWebSocketMessages, stats.outgoingWebSocketFrames) == (4, 4)  # three of them echoes
        assert stats.outgoingOctetsAppLevel == stats.outgoingOctetsWebSocketLevel == 217
        assert stats.outgoingOctetsWireLevel == 217 + 2 + 4 + 2 + 2
        self.end(connection)
