"""A frame that somebody else has taken apart: the reactor, where it reads from many connections at once.

It is one whole short message that is all that was read. A reactor finds ``receive_frame`` on the function to which it
would give what was read, so that whoever stands in between, or overrides that function, gets everything instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.python.failure import Failure

from upgradegw.protocols.websocket.counts import Counts, count_received
from upgradegw.protocols.websocket.framing import FIN, TEXT
from upgradegw.protocols.websocket.watch import OPEN

_TEXT = FIN | TEXT

#: Bytes of the frame's head and its mask.
_HEAD = 6

F = TypeVar("F", bound=Callable[..., Any])


def receive_frame(self: Any, first: int, content: bytes) -> bool:
    """Take a message, and do what ``ShortReceiving.dataReceived`` would with it, in fewer calls.

    Args:
        self: The protocol.
        first: The first octet of the frame: text or binary, FIN.
        content: The message.

    Returns:
        Whether it is common; otherwise nothing has been done.
    """
    watch = self.upgradegw_watch
    if watch.attributes != len(watch.names):
        self._upgradegw_look()
    size = len(content)
    if not (watch.between and watch.receiving_settled and self.state == OPEN and size <= watch.max_short) or (
        first == _TEXT and not content.isascii() and not self._upgradegw_is_text(content)
    ):
        return False
    gathered: list[bytes] = []
    watch.gathered, watch.between = gathered, False
    try:
        try:
            stats = self.trafficStats
            stats.incomingOctetsWireLevel += size + _HEAD
            if type(stats) is Counts:
                stats.octets_in += size
                stats.messages_in += 1
            else:
                count_received(stats, size, size)
            if self.autoPingTimeoutCall and self.autoPingRestartOnAnyTraffic:
                self._cancelAutoPingTimeoutCall()
            known = watch.attributes
            result = self.onMessage(content, first != _TEXT)
            if result is not None:
                self._upgradegw_watch_result(result)
            if len(watch.names) != known:
                self._upgradegw_look_again(watch, content, first)
        except Exception:  # noqa: BLE001 - the application's
            self._upgradegw_failed(Failure())
            self._upgradegw_look_after(watch)
        if self.data or watch.partial is not None or self.state != OPEN:
            self._upgradegw_work_off(watch, b"")
        else:
            watch.incomplete = None
            watch.between = True
    finally:
        watch.gathered = None
    if gathered:
        watch.write(gathered[0] if len(gathered) == 1 else b"".join(gathered))
    return True


def with_frames(received: F) -> F:
    """Let a reactor give frames to a protocol that has this as its ``dataReceived``."""
    received.upgradegw_frame = receive_frame  # type: ignore[attr-defined]
    return received
