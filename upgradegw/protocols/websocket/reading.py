"""Watching what is read: limits on frames, a deadline for messages, and no parsing behind a failure."""

from __future__ import annotations

from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.websocket.gathering import Gathering
from upgradegw.protocols.websocket.skipping import FrameSkipper
from upgradegw.protocols.websocket.timing import call_later, seconds
from upgradegw.protocols.websocket.watch import CLOSED, OPEN, Watch

_log = Logger(namespace="upgradegw.websocket")


#: RFC 6455 section 5.2: opcodes with the highest bit set are control frames.
_FIRST_CONTROL_OPCODE = 8


class Reading(Gathering):
    """Hooks in where Autobahn takes bytes, begins a message or a frame, and has a control frame."""

    def dataReceived(self, data: bytes) -> None:
        """Work off what was read, and write once; what Autobahn or the application raises does not leave this."""
        watch = self.upgradegw_watch
        if watch.gathered is not None:
            self._upgradegw_receive_within(data)
            return
        gathered: list[bytes] = []
        watch.gathered = gathered
        watch.between = False
        try:
            self._upgradegw_work_off(watch, data)
        finally:
            watch.gathered = None
        if gathered:
            watch.write(b"".join(gathered))

    def _upgradegw_work_off(self, watch: Watch, data: bytes) -> None:
        if self.failedByMe or self.state == CLOSED:
            self.trafficStats.incomingOctetsWireLevel += len(data)
            self._upgradegw_skip(watch, data)
            return
        if self.state != OPEN:
            self.trafficStats.incomingOctetsWireLevel += len(data)
        try:
            self._upgradegw_receive(data)
        except Exception:  # noqa: BLE001 - the application's
            self._upgradegw_failed(Failure())
        self._upgradegw_look_after(watch)

    def _upgradegw_look_after(self, watch: Watch) -> None:
        """See to what is left: of a failure the client's Close, of a message its rest."""
        if self.failedByMe or self.state == CLOSED:
            self._upgradegw_skip(watch, b"")
        elif self.inside_message or self.current_frame is not None or self.data or watch.partial is not None:
            self._upgradegw_await_rest(watch)
        else:
            watch.incomplete = None
            watch.between = True

    def _upgradegw_receive_within(self, data: bytes) -> None:
        """Take bytes that are delivered while others are worked off; Autobahn is not made for that."""
        self._upgradegw_receive(data)

    def _upgradegw_hand_over(self, watch: Watch) -> None:
        """Let ``data`` have what was kept elsewhere."""

    def consumeData(self) -> None:
        """Parse until there is too little for a step, or nothing may be parsed any more (RFC 6455 section 7.1.7)."""
        while self.state != CLOSED and not self.failedByMe and self.processData():
            pass

    def _upgradegw_skip(self, watch: Watch, data: bytes) -> None:
        """Look for the client's Close only."""
        self._upgradegw_hand_over(watch)
        pending, self.data = self.data, b""
        self._upgradegw_stop_waiting(watch)
        if self.state == CLOSED:
            return
        if watch.skipper is None:
            frame = self.current_frame
            watch.skipper = FrameSkipper(frame.length - self.current_frame_masker.pointer() if frame else 0)
            self.current_frame = self.message_data = self.frame_data = None
        content = watch.skipper.feed(pending + data)
        if content is None:
            return
        code = int.from_bytes(content[:2], "big") if len(content) > 1 else None
        try:
            self.onCloseFrame(code, content[2:] or None)
        except Exception:  # noqa: BLE001 - the application's
            _log.failure("the application failed in onCloseFrame")
            self.dropConnection(abort=False)

    def _upgradegw_await_rest(self, watch: Watch) -> None:
        """Give a message that has begun its deadline.

        The timer stays when the message is complete, and looks what there is when it fires: most messages that come
        in pieces are complete soon.
        """
        timeout = watch.policy.message_timeout
        if timeout is None:
            return
        message = self.trafficStats.incomingWebSocketMessages
        if message != watch.incomplete:
            watch.incomplete = message
            watch.incomplete_since = seconds()
        if watch.timer is None:
            watch.timer = call_later(timeout, self._upgradegw_message_late, watch, timeout)

    def _upgradegw_message_late(self, watch: Watch, timeout: float) -> None:
        watch.timer = None
        if watch.incomplete is None:
            return
        left = watch.incomplete_since + timeout - seconds()
        if left > 0:
            watch.timer = call_later(left, self._upgradegw_message_late, watch, timeout)
        else:
            self._upgradegw_refuse(1008, f"the message is incomplete after {timeout} seconds", Reason.MESSAGE_TIMEOUT)

    @staticmethod
    def _upgradegw_stop_waiting(watch: Watch) -> None:
        watch.incomplete = None
        if watch.timer is not None:
            watch.timer.cancel()
            watch.timer = None

    # --- Limits on frames.

    def _onMessageBegin(self, isBinary: bool) -> None:
        self.upgradegw_watch.fragments = 0
        self.onMessageBegin(isBinary)

    def _onMessageFrameBegin(self, length: int) -> None:
        watch = self.upgradegw_watch
        watch.fragments += 1
        limit = watch.policy.max_fragments
        if limit is not None and watch.fragments > limit:
            self._upgradegw_refuse(1008, f"the message has more than {limit} frames", Reason.TOO_MANY_FRAGMENTS)
        elif self._isMessageCompressed:
            self._upgradegw_begin_compressed_frame(length)
        else:
            self.onMessageFrameBegin(length)

    def _upgradegw_begin_compressed_frame(self, length: int) -> None:
        """Hold a compressed frame against the limits with what deflate may add to incompressible content.

        The limits are about content. Autobahn counts a frame's bytes on the wire here and corrects that as it
        inflates; so they are taken back, and counted with the piece that brings them.
        """
        message, frame = self.maxMessagePayloadSize, self.maxFramePayloadSize
        self.maxMessagePayloadSize, self.maxFramePayloadSize = _with_overhead(message), _with_overhead(frame)
        try:
            self.onMessageFrameBegin(length)
        finally:
            self.maxMessagePayloadSize, self.maxFramePayloadSize = message, frame
        self.message_data_total_length -= length

    def onFrameData(self, payload: bytes) -> bool | None:
        """Take a piece of a frame."""
        if self.current_frame.opcode < _FIRST_CONTROL_OPCODE and self._isMessageCompressed:
            self.message_data_total_length += len(payload)
        return super().onFrameData(payload)  # type: ignore[no-any-return]

    def processControlFrame(self) -> bool:
        """Process a Ping, Pong or Close, unless there are too many of them."""
        watch = self.upgradegw_watch
        if not watch.take_control_frame():
            self._upgradegw_refuse(1008, "too many control frames", Reason.CONTROL_FLOOD)
            return False
        return super().processControlFrame()  # type: ignore[no-any-return]


def _with_overhead(limit: int) -> int:
    """Return the most bytes that deflate makes of ``limit`` bytes; 0 stays 0, no limit.

    zlib's ``deflateBound`` allows a 32nd and a 128th more where the window is not the default one.
    """
    return limit and limit + (limit >> 4) + 64
