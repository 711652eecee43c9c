"""Receiving: the short way for common frames.

A common frame is a whole message, text or binary, masked, within the limits, and compressed only if that was
negotiated. Here it is parsed, unmasked, validated and given to ``onMessage``, in one loop over what was read. Whatever
is not common is left to Autobahn's state machine, from its first byte on, and the loop goes on behind it.

What can be seen of a connection is the same either way: every call, every byte written, every counter at every call,
how a wrong frame ends it and when. ``observing`` says where nobody looks at the steps between.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.protocols.websocket.compression import Deflate
from upgradegw.protocols.websocket.counts import count_piece, count_received
from upgradegw.protocols.websocket.framing import BINARY, COMPRESSED, FIN, MIDDLE, SHORT, TEXT
from upgradegw.protocols.websocket.inflating import Inflating
from upgradegw.protocols.websocket.masking import mask_content
from upgradegw.protocols.websocket.observing import Observed
from upgradegw.protocols.websocket.one_frame import with_frames
from upgradegw.protocols.websocket.partial import PartialFrame
from upgradegw.protocols.websocket.reading import Reading
from upgradegw.protocols.websocket.watch import CLOSED, OPEN, Watch

_log = Logger(namespace="upgradegw.websocket")

_TEXT, _BINARY = FIN | TEXT, FIN | BINARY

#: A frame's second octet: its highest bit says that there is a mask, 126 and 127 that two or eight octets of length
#: follow (RFC 6455 section 5.2).
_MASKED, _MIDDLE = 0x80, 126

#: Bytes of a head with its mask.
_SHORT_HEAD, _MIDDLE_HEAD, _LONG_HEAD = 6, 8, 14

#: What a frame was found to be: its content as the application gets it, or None if there is nothing to give; its first
#: octet without the bit for compression; its size on the wire without the head; where it ends.
_Found = tuple[Any, int, int, int]


class ShortReceiving(Inflating, Reading, Observed):
    """The short way, over a class that receives as Autobahn does."""

    @with_frames
    def dataReceived(self, data: bytes) -> None:
        """Work off what was read, and write once; here where nothing is left from earlier reads."""
        watch = self.upgradegw_watch
        if watch.attributes != len(watch.names):
            self._upgradegw_look()
        if not (watch.between and watch.receiving_settled and self.state == OPEN):
            super().dataReceived(data)
            return
        gathered: list[bytes] = []
        watch.gathered = gathered
        watch.between = False
        try:
            self.trafficStats.incomingOctetsWireLevel += len(data)
            try:
                self._upgradegw_loop(watch, data, 0)
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

    def _upgradegw_receive(self, data: bytes) -> None:
        """Take what was read; leave in ``data``, or as a partial frame, what cannot be worked off yet."""
        if self.state == OPEN:
            self.trafficStats.incomingOctetsWireLevel += len(data)
        if self.logOctets and data:
            self.logRxOctets(data)
        watch = self.upgradegw_watch
        if watch.attributes != len(watch.names):
            self._upgradegw_look()
        at = 0
        if watch.partial is not None and data:
            at = self._upgradegw_go_on(watch, watch.partial, data)
        if self.data:
            data, self.data = self.data + data[at:], b""
            at = 0
        if self.current_frame is None and not self.inside_message:
            self._upgradegw_loop(watch, data, at)
        else:
            self.data = data
        while self.data and self._upgradegw_step():
            data, self.data = self.data, b""
            self._upgradegw_loop(watch, data, 0)

    def _upgradegw_receive_within(self, data: bytes) -> None:
        """Take bytes that are delivered while others are worked off: behind those."""
        self.trafficStats.incomingOctetsWireLevel += len(data)
        self.data += data

    def _upgradegw_step(self) -> bool:
        """Let Autobahn go on to the end of a message or of a control frame; tell whether there may be more."""
        while self.state != CLOSED and not self.failedByMe and self.processData():
            if self.current_frame is None and not self.inside_message:
                self._upgradegw_look()
                return True
        return False

    def _upgradegw_loop(self, watch: Watch, data: bytes, at: int) -> None:
        """Work off common frames, and leave in ``data`` what begins with another or is less than a head.

        Where the connection is gone already, nothing is left.
        What ``_upgradegw_deliver`` does stands here once more: one call less a message.
        """
        end, known = len(data), watch.attributes
        try:
            while (
                at + _SHORT_HEAD <= end
                and self.state == OPEN
                and (watch.receiving_settled or self._upgradegw_receives())
            ):
                first, size = data[at], data[at + 1] - _MASKED
                stop = at + _SHORT_HEAD + size
                if (
                    (first == _BINARY or first == _TEXT)  # noqa: PLR1714, SIM109 - half the time of making a tuple
                    and 0 <= size <= watch.max_short
                    and stop <= end
                ):
                    content = mask_content(data[at + 6 : stop], data[at + 2 : at + 6])
                    if first == _TEXT and not content.isascii() and not self._upgradegw_is_text(content):
                        break
                else:
                    found = self._upgradegw_find(watch, data, at)
                    if found is None:
                        break
                    content, first, size, stop = found
                at = stop
                if content is None:
                    break
                count_received(self.trafficStats, size, len(content))
                if self.autoPingTimeoutCall and self.autoPingRestartOnAnyTraffic:
                    self._cancelAutoPingTimeoutCall()
                result = self.onMessage(content, first == _BINARY)
                if result is not None:
                    self._upgradegw_watch_result(result)
                if len(watch.names) != known:
                    known = self._upgradegw_look_again(watch, content, first)
        finally:
            if at < end and not watch.lost:
                self.data = data[at:] + self.data

    def _upgradegw_deliver(self, content: bytes, first: int, size: int) -> None:
        """Count a message as Autobahn does, and give it to the application.

        Args:
            content: The message.
            first: The first octet of its frame, without the bit for compression.
            size: Bytes that it had on the wire, without the head.
        """
        count_received(self.trafficStats, size, len(content))
        if self.autoPingTimeoutCall and self.autoPingRestartOnAnyTraffic:
            self._cancelAutoPingTimeoutCall()
        known = len(self.__dict__)
        result = self.onMessage(content, first == _BINARY)
        if result is not None:
            self._upgradegw_watch_result(result)
        if len(self.__dict__) != known:
            self._upgradegw_look_again(self.upgradegw_watch, content, first)

    def _upgradegw_look_again(self, watch: Watch, content: bytes, first: int) -> int:
        """See what has changed while the application had a message; return how many attributes there are now.

        Whoever has begun to listen to messages meanwhile gets this one, for Autobahn tells them behind ``onMessage``.
        """
        self._upgradegw_look()
        attributes = self.__dict__
        if "_listeners" in attributes or "fire" in attributes:
            told = self.fire("message", content, is_binary=first == _BINARY)
            if isinstance(told, Deferred):
                told.addErrback(lambda why: _log.failure("a listener failed", failure=why))
        return watch.attributes

    # --- Frames that are longer, compressed, or not complete.

    def _upgradegw_find(self, watch: Watch, data: bytes, at: int) -> _Found | None:
        """Read a frame that is not short, plain and whole; return None if it is none of the common ones."""
        first, size = data[at], data[at + 1] - _MASKED
        head = at + _SHORT_HEAD
        if size >= SHORT:
            head, size = _longer(data, at, size)
        compressed = bool(first & COMPRESSED) and type(self._perMessageCompress) is Deflate
        if compressed:
            first ^= COMPRESSED
        if (
            size < 0
            or (first != _BINARY and first != _TEXT)  # noqa: PLR1714
            or size > watch.max_size
        ):
            return None
        stop = head + size
        if stop > len(data):
            if compressed or not self._upgradegw_begin(watch, data, (at, head), size):
                return None
            return None, first, 0, len(data)
        content = mask_content(data[head:stop], data[head - 4 : head])
        if compressed:
            return self._upgradegw_inflate(content, data[at:head]), first, size, stop
        if first == _TEXT and not content.isascii() and not self._upgradegw_is_text(content):
            return None
        return content, first, size, stop

    def _upgradegw_begin(self, watch: Watch, data: bytes, head: tuple[int, int], size: int) -> bool:
        """Keep a frame whose rest has not come; return whether it is right as far as it has."""
        at, start = head
        is_text = data[at] == _TEXT and self.utf8validateIncoming
        partial = PartialFrame(data[at:start], size, text=is_text)
        content = data[start:]
        if not partial.add(content):
            return False
        watch.partial = partial
        count_piece(self.trafficStats, len(content))
        return True

    def _upgradegw_go_on(self, watch: Watch, partial: PartialFrame, data: bytes) -> int:
        """Take more of a frame that had begun; return where in ``data`` what is behind it begins."""
        at = min(partial.missing, len(data))
        if self.state != OPEN or not self._upgradegw_receives():
            self._upgradegw_hand_over(watch)
            return 0
        count_piece(self.trafficStats, at)
        if not partial.add(data[:at]):
            self._upgradegw_hand_over(watch)
        elif not partial.missing:
            watch.partial = None
            count_piece(self.trafficStats, -partial.received)
            try:
                self._upgradegw_deliver(partial.content(), partial.first, partial.received)
            except BaseException:
                self.data = data[at:] + self.data
                raise
        return at

    def _upgradegw_hand_over(self, watch: Watch) -> None:
        """Let Autobahn read a frame anew that had begun."""
        partial, watch.partial = watch.partial, None
        if partial is not None:
            if self.state == OPEN:
                count_piece(self.trafficStats, -partial.received)  # Autobahn will
            self.data = partial.as_received() + self.data


def _longer(data: bytes, at: int, code: int) -> tuple[int, int]:
    """Read the length of a frame that has its own octets; return where its content begins, and its size.

    The size is negative if the head is not complete, or not as short as it could be.
    """
    if code == _MIDDLE:
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        right = at + _MIDDLE_HEAD <= len(data) and size >= SHORT
        return at + _MIDDLE_HEAD, size if right else -1
    size = int.from_bytes(data[at + 2 : at + 10], "big")
    right = at + _LONG_HEAD <= len(data) and MIDDLE <= size < 1 << 63
    return at + _LONG_HEAD, size if right else -1
