"""One stream of HTTP/2: the way of one exchange, at the pace that the site's window allows."""

from __future__ import annotations

from typing import Protocol

from upgradegw.testing.exchange import Exchange


class Carrier(Protocol):
    """The connection as its streams see it."""

    def send_on(self, stream: Stream) -> None:
        """Send what the windows of a stream allow."""

    def reset(self, stream: Stream) -> None:
        """Break a stream off."""

    def credit(self, stream: Stream) -> None:
        """Let the site send as much as has been read."""

    def turn(self) -> None:
        """Let everything happen that needs no time."""


class Stream:
    """One stream: the way of one exchange.

    Attributes:
        number: The stream's identifier.
        exchange: The exchange.
        unsent: Bytes that wait for the site's windows.
        owed: Bytes that have come and for which the site's windows were not yet opened again.
        paused: Whether they stay closed for now.
        end_wanted: Whether the client's side ends behind ``unsent``.
        ended: Whether it has ended.
        over: Whether the stream is closed.
    """

    exchange: Exchange

    def __init__(self, connection: Carrier, number: int) -> None:
        """Stand on a connection.

        Args:
            connection: The connection.
            number: See the class.
        """
        self.number = number
        self.unsent = bytearray()
        self.owed = 0
        self.paused = self.end_wanted = self.ended = self.over = False
        self._connection = connection

    def put(self, data: bytes, *, end: bool = False) -> None:
        """Send bytes as the windows allow.

        Args:
            data: The bytes.
            end: Whether nothing comes behind them.
        """
        if not self.end_wanted:
            self.unsent += data
            self.end_wanted = end
        self._connection.send_on(self)

    def send(self, data: bytes) -> None:
        """Send bytes, and let everything happen that follows."""
        self.put(data)
        self.turn()

    def half_close(self) -> None:
        """End the client's side: END_STREAM."""
        self.put(b"", end=True)
        self.turn()

    lose = half_close

    def abort(self) -> None:
        """Break the stream off: RST_STREAM."""
        self._connection.reset(self)
        self.turn()

    def pause(self) -> None:
        """Let the site's window run out."""
        self.paused = True

    def resume(self) -> None:
        """Open it again."""
        self.paused = False
        self._connection.credit(self)
        self.turn()

    def turn(self) -> None:
        """Let everything happen that needs no time."""
        self._connection.turn()
