"""What is left of an exchange behind a switch: bytes both ways."""

from __future__ import annotations

from typing import Any

from upgradegw.testing.exchange import Exchange
from upgradegw.testing.responses import Response


class Tunnel:
    """Bytes both ways, behind a 101 or on an HTTP/2 stream."""

    def __init__(self, exchange: Exchange) -> None:
        """Stand behind a switch.

        Args:
            exchange: The exchange.
        """
        self._exchange = exchange
        self._taken = 0

    def _now(self) -> Exchange:
        """Return the exchange as it is when everything has happened."""
        self._exchange.way.turn()
        return self._exchange

    @property
    def response(self) -> Response:
        """The response that announced the switch."""
        response = self._exchange.response
        assert response is not None  # noqa: S101 - for the type checker: there is no tunnel without it
        return response

    @property
    def connection(self) -> Any:
        """The connection on HTTP/1.1, the stream on HTTP/2."""
        return self._exchange.way

    @property
    def received(self) -> bytes:
        """All bytes that the site has sent behind the switch."""
        return bytes(self._now().received)

    def receive(self) -> bytes:
        """Return the bytes that have come since the last time."""
        found = self.received[self._taken :]
        self._taken += len(found)
        return found

    @property
    def ended(self) -> bool:
        """Whether the site has ended its side."""
        return self._now().ended

    @property
    def closed(self) -> bool:
        """Whether nothing can come or go any more."""
        return self._now().closed

    @property
    def aborted(self) -> bool:
        """Whether the site broke it off."""
        return self._now().aborted

    def send(self, data: bytes) -> None:
        """Send bytes.

        Args:
            data: The bytes.
        """
        self._exchange.way.send(data)

    def half_close(self) -> None:
        """End the client's side and read on: a FIN, TLS's close_notify, or END_STREAM."""
        self._exchange.way.half_close()

    def lose(self) -> None:
        """Close in order."""
        self._exchange.way.lose()

    def abort(self) -> None:
        """Break off: what a client does whose process was killed; RST_STREAM on HTTP/2."""
        self._exchange.way.abort()

    def pause(self) -> None:
        """Read nothing more for now, so that the site must hold back what it sends."""
        self._exchange.way.pause()

    def resume(self) -> None:
        """Read on."""
        self._exchange.way.resume()
