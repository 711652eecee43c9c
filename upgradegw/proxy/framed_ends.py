"""An end of a tunnel that speaks WebSocket: its frames are followed, so that a Close can be put between two of them."""

from __future__ import annotations

from collections.abc import Callable

from upgradegw.proxy.ends import End, Joint, drop
from upgradegw.proxy.frames import Frames, close_frame


class FramedEnd(End):
    """Passes on what it receives, and can put a Close in its own name behind the present frame.

    Attributes:
        frames: The frames that it sends.
    """

    def __init__(self, tunnel: Joint, *, masks: bool) -> None:
        """Belong to a tunnel.

        Args:
            tunnel: The tunnel.
            masks: Whether its frames are masked: those of the side that asked (RFC 6455 section 5.1).
        """
        super().__init__(tunnel)
        self.frames = Frames()
        self._feed: Callable[[bytes], None] = self.frames.feed
        self._masks = masks
        self._send: Callable[[bytes], None] = drop
        self._close = b""

    def dataReceived(self, data: bytes) -> None:
        """Follow the frames, and pass them on."""
        self._feed(data)
        End.dataReceived(self, data)

    def _frames(self) -> Frames:
        return self.frames

    def close(self, code: int) -> None:
        """Pass the present frame on to its end, a Close in this end's name behind it, and then nothing more.

        Args:
            code: The code of the Close frame.
        """
        if self.cut:
            return
        self.hand_back()
        self._fresh = False
        self._close = close_frame(code, masked=self._masks)
        self._socket = None
        self._feed = drop
        self._send, self._write = self._write, self._end_frame
        if self.frames.at_boundary:
            self._cut(b"")

    def _end_frame(self, data: bytes) -> None:
        end = self.frames.next_boundary(data)
        if end is None:
            self._send(data)
        else:
            self._send(data[:end])
            self._cut(data[end:])

    def _cut(self, rest: bytes) -> None:
        """Send the Close, unless this end has sent one itself; whether one comes now is looked for in what is cut."""
        self.cut = True
        if self.frames.close_code is None:
            self._send(self._close)
        self._write = drop
        self._feed = self._look_for_close
        self._look_for_close(rest)

    def _look_for_close(self, data: bytes) -> None:
        self.frames.feed(data)
        self._tunnel.answered()

    @property
    def silent(self) -> bool:
        """Whether nothing that matters is to be expected from this end."""
        return self.read_ended or self.lost or self.frames.close_code is not None
