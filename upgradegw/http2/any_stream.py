"""What every stream has, whichever side opened it: windows that are given back, and a transport that is closed."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from upgradegw.http.limits import Limits
from upgradegw.http2.sending import SendingHalf
from upgradegw.http2.transport import SecureStreamTransport, StreamTransport

#: Bytes that are worth no turn.
_LITTLE = 1024


class AnyStream(SendingHalf):
    """A stream as its connection sees it.

    Attributes:
        connection_id: The connection's name and the stream's identifier, for the logs.
        read_ended: Whether the peer's side has ended.
        closed: Whether our side has ended and nobody wants what the peer still sends.
    """

    connection_id = ""
    read_ended = False
    closed = False
    _tunnel: StreamTransport | None = None
    _taken = False
    _closed_at: float | None = None
    # Bytes that count against the peer's windows and that nobody has taken yet.
    _owed = 0

    def getPeer(self) -> Any:
        """Return the address of the connection's other end."""
        return self._owner.getPeer()

    def getHost(self) -> Any:
        """Return the address of this end of the connection."""
        return self._owner.getHost()

    def transport_to_be(self) -> StreamTransport:
        """Return the transport of a protocol on this stream, now or later; until then only to be asked."""
        if self._tunnel is None:
            secure = self._owner.isSecure()
            self._tunnel = SecureStreamTransport(self, self._owner.transport) if secure else StreamTransport(self)
        return self._tunnel

    def write(self, data: bytes) -> None:
        """Take content; a little of it from a protocol behind a switch goes at once if nothing stands before it."""
        if (
            self._taken
            and not (self._size or self._pulling or self.finished or self.gone or self._reset_with is not None)
            and type(data) is bytes
            and 0 < len(data) <= _LITTLE
            and self._head_sent
            and self._owner.has_room()
            and self._session.room(self.stream_id) >= len(data)
        ):
            self._session.send_data(self.stream_id, data, ends=False)
            self._owner.touch()
        else:
            super().write(data)

    # --- What has arrived, and counts against the windows until somebody takes it.

    def consumed(self) -> None:
        """Give the windows back for what has been taken."""
        waiting = self.waiting_bytes()
        if self._owed > waiting:
            taken, self._owed = self._owed - waiting, waiting
            if self._session.consumed(self.stream_id, taken):
                self._owner.touch()

    def give_back(self) -> None:
        """The stream is gone: what was not taken counts against the connection's window no longer."""
        if self._owed:
            owed, self._owed = self._owed, 0
            if self._session.consumed(0, owed):
                self._owner.touch()

    def waiting_bytes(self) -> int:
        """Return how many bytes have arrived that nobody has taken."""
        return self._tunnel.waiting if self._tunnel is not None else 0

    # --- A transport that is closed.

    def close(self) -> None:
        """Our side has ended, and whoever used the stream is done; the peer has a moment to end its own."""
        self.closed = True
        self._closed_at = self._owner.seconds()
        if self._taken and self._tunnel is not None:
            self._tunnel.lost(Failure(ConnectionDone()))

    def close_behind_end(self) -> None:
        """Our side had ended before; now it is closed: in this stream's next turn, as a socket would say it later."""
        self._owner.wake(self)

    def send_some(self) -> bool:
        """Send what there is, or end a tunnel whose side had ended before it was closed."""
        tunnel = self._tunnel
        if self.end_sent and not self.closed and not self.gone and tunnel is not None and tunnel.disconnecting:
            self._owner.sent_all(self)
            return False
        return super().send_some()

    # --- What the connection tells.

    @property
    def limits(self) -> Limits:
        """Those that hold for it."""
        raise NotImplementedError

    def data_received(self, data: bytes, controlled: int) -> None:
        """Take what a DATA frame carries.

        Args:
            data: The bytes.
            controlled: How many count for flow control: they and their padding.
        """
        raise NotImplementedError

    def end_received(self) -> None:
        """The peer's side has ended, by whichever frame."""
        raise NotImplementedError

    def end_was_sent(self) -> bool:
        """Our side has ended; return whether the stream goes on, for the peer may still send."""
        raise NotImplementedError

    def was_reset(self, code: int) -> None:
        """The stream has been reset, by either side."""
        raise NotImplementedError

    def lost(self, reason: Failure) -> None:
        """The stream is gone."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go of what refers back to this stream, so that all of it is freed at once."""
        raise NotImplementedError

    def malformed(self, why: str) -> None:
        """What the peer has sent is no message (RFC 9113 section 8.1.1)."""
        raise NotImplementedError

    def stop(self) -> None:
        """The connection ends in order."""
        raise NotImplementedError

    def hasten(self) -> None:
        """Begin to wait for the peer."""
        raise NotImplementedError

    def deadline(self) -> float | None:
        """Say when the peer will have let us wait too long."""
        raise NotImplementedError

    def expired(self) -> None:
        """The deadline has passed."""
        raise NotImplementedError
