"""Autobahn's counts of a connection, of which a common message moves three a direction and not five.

A message that is one frame, uncompressed, adds the same to what went as octets of frames and of messages, and one to
frames and to messages. So one of each two is kept, and by how much the other differs. Whoever reads or sets a count by
Autobahn's name sees no difference.
"""

from __future__ import annotations

from typing import Any

from autobahn.websocket.protocol import TrafficStats


class Counts(TrafficStats):  # type: ignore[misc]
    """The counts of one connection.

    Attributes:
        messages_in: Data messages received.
        octets_in: Octets of their frames' contents.
        messages_out: Data messages sent.
        octets_out: Octets of their frames' contents.
    """

    __slots__ = (
        "_more_content_in",
        "_more_content_out",
        "_more_frames_in",
        "_more_frames_out",
        "incomingOctetsWireLevel",
        "messages_in",
        "messages_out",
        "octets_in",
        "octets_out",
        "outgoingOctetsWireLevel",
    )

    preopenOutgoingOctetsWireLevel = preopenIncomingOctetsWireLevel = 0

    def __init__(self) -> None:
        """Begin at 0."""
        self.incomingOctetsWireLevel = self.messages_in = self.octets_in = 0
        self.outgoingOctetsWireLevel = self.messages_out = self.octets_out = 0
        self._more_content_in = self._more_content_out = self._more_frames_in = self._more_frames_out = 0


def _leading(slot: str, more: str) -> property:
    """Return a count by which another one is kept, which does not change with it."""

    def get(self: Any) -> Any:
        return getattr(self, slot)

    def put(self: Any, value: Any) -> None:
        setattr(self, more, getattr(self, more) + getattr(self, slot) - value)
        setattr(self, slot, value)

    return property(get, put)


def _following(slot: str, more: str) -> property:
    """Return a count that is kept as what it has more than another one."""

    def get(self: Any) -> Any:
        return getattr(self, slot) + getattr(self, more)

    def put(self: Any, value: Any) -> None:
        setattr(self, more, value - getattr(self, slot))

    return property(get, put)


for _direction, _way in (("incoming", "in"), ("outgoing", "out")):
    setattr(Counts, f"{_direction}OctetsWebSocketLevel", _leading(f"octets_{_way}", f"_more_content_{_way}"))
    setattr(Counts, f"{_direction}OctetsAppLevel", _following(f"octets_{_way}", f"_more_content_{_way}"))
    setattr(Counts, f"{_direction}WebSocketMessages", _leading(f"messages_{_way}", f"_more_frames_{_way}"))
    setattr(Counts, f"{_direction}WebSocketFrames", _following(f"messages_{_way}", f"_more_frames_{_way}"))


def count_received(stats: TrafficStats, size: int, content: int) -> None:
    """Count a message that came as one frame; not what went over the wire.

    Args:
        stats: A connection's ``trafficStats``, which an application may have exchanged.
        size: Octets of the frame's content.
        content: Octets of the message, which differ if it was compressed.
    """
    if type(stats) is Counts:
        stats.octets_in += size
        stats.messages_in += 1
        if content != size:
            stats.incomingOctetsAppLevel += content - size
    else:
        stats.incomingOctetsWebSocketLevel += size
        stats.incomingOctetsAppLevel += content
        stats.incomingWebSocketFrames += 1
        stats.incomingWebSocketMessages += 1


def count_piece(stats: TrafficStats, size: int) -> None:
    """Count octets of a frame that is not complete, which is not compressed; likewise."""
    if type(stats) is Counts:
        stats.octets_in += size
    else:
        stats.incomingOctetsWebSocketLevel += size
        stats.incomingOctetsAppLevel += size


def count_sent(stats: TrafficStats, size: int, content: int) -> None:
    """Count a message that goes as one frame; not what goes over the wire.

    Args:
        stats: A connection's ``trafficStats``.
        size: Octets of the frame's content.
        content: Octets of the message.
    """
    if type(stats) is Counts:
        stats.octets_out += size
        stats.messages_out += 1
        if content != size:
            stats.outgoingOctetsAppLevel += content - size
    else:
        stats.outgoingOctetsWebSocketLevel += size
        stats.outgoingOctetsAppLevel += content
        stats.outgoingWebSocketFrames += 1
        stats.outgoingWebSocketMessages += 1
