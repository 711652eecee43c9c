"""Watching how a connection ends: why, within which time, and with nothing left behind."""

from __future__ import annotations

from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.websocket.watch import CLOSED, OPEN, Watched

_log = Logger(namespace="upgradegw.websocket")

#: Close codes (RFC 6455 section 7.4.1) and what they say about the end, where nothing more precise is known.
_REASONS = {
    1002: Reason.PROTOCOL_ERROR,
    1007: Reason.PROTOCOL_ERROR,
    1009: Reason.MESSAGE_TOO_BIG,
    1011: Reason.APPLICATION_ERROR,
}


class Closing(Watched):
    """Hooks in where Autobahn fails, closes and drops a connection."""

    def _fail_connection(self, code: int = 1001, reason: str = "going away") -> None:
        self.upgradegw_watch.note(_REASONS.get(code))
        super()._fail_connection(code, reason)

    def _protocol_violation(self, reason: str) -> bool:
        super()._protocol_violation(reason)
        return True  # parse no further

    def _invalid_payload(self, reason: str) -> bool:
        super()._invalid_payload(reason)
        return True

    def onCloseFrame(self, code: int | None, reasonRaw: bytes | None) -> bool | None:
        """Take the client's Close; if it is wrong itself, there is nothing more to wait for."""
        result: bool | None = super().onCloseFrame(code, reasonRaw)
        if result:
            self.wasNotCleanReason = "the client's Close frame is malformed"
            self.dropConnection(abort=False)
        return result

    def onAutoPingTimeout(self) -> None:
        """Drop a client that does not answer, unless it is us who do not read its answers."""
        watch = self.upgradegw_watch
        if watch.writes is not None and watch.writes.reading_stopped and self.state == OPEN:
            self.autoPingTimeoutCall = self.factory._batched_timer.call_later(  # noqa: SLF001
                self.autoPingTimeout, self.onAutoPingTimeout
            )
            return
        watch.note(Reason.PING_TIMEOUT)
        super().onAutoPingTimeout()

    def drop_slow_reader(self, what: str) -> None:
        """Reset the connection of a client that does not read: it would not read a Close either."""
        self.upgradegw_watch.note(Reason.SLOW_READER)
        self.wasClean = False
        self.wasNotCleanReason = f"the client does not read: {what}"
        self.dropConnection(abort=True)

    def close_slow_reader(self) -> None:
        """Say Close 1008 behind what is unsent: whoever reads on finds it there, all others are dropped in time."""
        if self.send_state == self.SEND_STATE_INSIDE_MESSAGE_FRAME:
            self.drop_slow_reader("and a Close would be taken for a piece of the frame that is being sent")
            return
        writes = self.upgradegw_watch.writes
        if writes is not None:
            writes.allow_close()
        self._upgradegw_refuse(1008, "the client does not read", Reason.SLOW_READER)
        if not self.closeHandshakeTimeout and writes is not None:
            writes.linger()  # Autobahn has no deadline then

    def sendCloseFrame(self, code: int | None = None, reasonUtf8: bytes | None = None, isReply: bool = False) -> None:
        """Send a Close, and read on for the client's."""
        super().sendCloseFrame(code, reasonUtf8, isReply)
        if self.droppedByMe:
            # While the frame was sent: the client does not read. Autobahn has not noticed.
            self.state = CLOSED
            self._upgradegw_cancel_close_timer()
        writes = self.upgradegw_watch.writes
        if writes is not None:
            writes.keep_reading()

    def _upgradegw_cancel_close_timer(self) -> None:
        if self.closeHandshakeTimeoutCall is not None:
            self.closeHandshakeTimeoutCall.cancel()
            self.closeHandshakeTimeoutCall = None

    def dropConnection(self, abort: bool = False) -> None:
        """Close the connection; without a reset if both sides have said goodbye."""
        was_closed = self.state == CLOSED
        abort = abort and not self.wasClean
        super().dropConnection(abort)
        writes = self.upgradegw_watch.writes
        if writes is not None and not was_closed and not abort:
            writes.linger()

    def connectionLost(self, reason: Failure) -> None:
        """Tell the application; leave no timer behind."""
        watch = self.upgradegw_watch
        watch.lost = True
        watch.names, watch.attributes = (), -1  # the protocol's own: without this circle it goes at once
        watch.pending = None
        watch.opened.pop(id(self), None)
        try:
            self._upgradegw_lose(reason)
        except Exception:  # noqa: BLE001 - the application's
            _log.failure("the application failed in connectionLost")
        self._upgradegw_stop_waiting(watch)
        self._upgradegw_cancel_close_timer()
        if watch.writes is not None:
            watch.writes.cancel()
            watch.writes = None
        watch.skipper = watch.partial = None
        self.data = b""
        del self.is_closed  # its result is the protocol itself
