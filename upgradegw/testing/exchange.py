"""One request and what comes of it: a response, or a switch and the bytes behind it; on either HTTP version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from upgradegw.negotiation.model import Fields
from upgradegw.testing.responses import Response


class Way(Protocol):
    """The way to the site: a connection of HTTP/1.1, or a stream of HTTP/2."""

    def send(self, data: bytes) -> None:
        """Send bytes."""

    def half_close(self) -> None:
        """End the client's side."""

    def lose(self) -> None:
        """Close in order."""

    def abort(self) -> None:
        """Break off."""

    def pause(self) -> None:
        """Read nothing more for now."""

    def resume(self) -> None:
        """Read on."""

    def turn(self) -> None:
        """Let everything happen that needs no time."""


class Exchange:
    """A request that has been sent.

    Attributes:
        way: The way to the site.
        sent: The field lines of the request.
        switches: The status that means a switch, if one does.
        half_closeable: Whether the client's side stays open when the site has ended its own.
        interim: The interim responses: 100 for example.
        head: The response as far as it has come; its content is in ``content``.
        content: The response's content so far.
        complete: Whether the response has come in full.
        switched: Whether another protocol is spoken now.
        received: The bytes behind the switch.
        ended: Whether the site has ended its side.
        closed: Whether nothing can come or go any more.
        aborted: Whether the site broke it off.
        why: How it ended, in words; empty before.
    """

    why = ""

    def __init__(
        self, way: Way, sent: Sequence[tuple[bytes, bytes]], switches: int | None, *, half_closeable: bool = False
    ) -> None:
        """Begin.

        Args:
            way: See the class.
            sent: See the class.
            switches: See the class.
            half_closeable: See the class.
        """
        self.way = way
        self.sent = tuple(sent)
        self.switches = switches
        self.half_closeable = half_closeable
        self.interim: list[Response] = []
        self.head: Response | None = None
        self.content = bytearray()
        self.complete = self.switched = self.ended = self.closed = self.aborted = False
        self.received = bytearray()
        self._on_bytes: Callable[[bytes], None] | None = None
        self._on_end: Callable[[], None] | None = None

    @property
    def response(self) -> Response | None:
        """The response as far as it has come, or None."""
        head = self.head
        return None if head is None else Response(head.status, head.fields, bytes(self.content))

    def listen(self, on_bytes: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        """Tell what comes behind the switch, and what has come already.

        Args:
            on_bytes: Called with bytes.
            on_end: Called when the site has ended its side, or all is over.
        """
        self._on_bytes, self._on_end = on_bytes, on_end
        if self.received:
            on_bytes(bytes(self.received))
        if self.ended or self.closed:
            on_end()

    def _tell_end(self) -> None:
        if self._on_end is not None:
            self._on_end()

    # --- What has come.

    def head_received(self, status: int, fields: Fields) -> None:
        """A response head has come."""
        response = Response(status, fields)
        if status == self.switches:
            self.switched = True
        elif 100 <= status < 200:  # noqa: PLR2004 - RFC 9110 section 15.2
            self.interim.append(response)
            return
        self.head = response

    def data_received(self, data: bytes) -> None:
        """Content has come, or bytes behind the switch."""
        if not self.switched:
            self.content += data
        elif data:
            self.received += data
            if self._on_bytes is not None:
                self._on_bytes(data)

    def end_received(self) -> None:
        """The site has ended its side."""
        self.ended = True
        if not self.switched:
            self.complete = self.head is not None
        else:
            self._tell_end()
            if not self.half_closeable:
                self.way.lose()

    def gone(self, *, aborted: bool, why: str = "the connection ended") -> None:
        """Nothing can come or go any more.

        Args:
            aborted: Whether it was broken off by the site.
            why: What happened, in words.
        """
        if not self.closed:
            self.closed = True
            self.why = why
            self.aborted = aborted
            if not self.ended:
                self._tell_end()
