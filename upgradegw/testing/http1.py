"""HTTP/1.1 as a client speaks it: one request at a time, and what a switch leaves of the connection."""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from upgradegw.testing.connection import Connection
from upgradegw.testing.exchange import Exchange
from upgradegw.testing.requests import Request
from upgradegw.testing.responses import Violation


class Http1Connection(Connection):
    """A connection that speaks HTTP/1.1."""

    _exchange: Exchange | None = None
    _reusable = True

    @property
    def idle(self) -> bool:
        """Whether it can take one more request."""
        return self._reusable and self._exchange is None and not self.ended and not self.closed

    def ask(self, request: Request) -> Exchange:
        """Send a request; for a switch, with Upgrade (RFC 9110 section 7.8).

        Args:
            request: The request.
        """
        first = [(b"Host", request.host)]
        if request.content or request.method in {b"POST", b"PUT"}:
            first.append((b"Content-Length", b"%d" % len(request.content)))
        if request.token is not None:
            first += [(b"Connection", b"Upgrade"), (b"Upgrade", request.token)]
        sent = request.lines(*first)
        lines = b"".join([b"%b: %b\r\n" % field for field in sent])
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (request.method, request.target, lines)
        self._exchange = exchange = Exchange(self, sent, 101, half_closeable=request.half_closeable)
        self._fields: list[tuple[bytes, bytes]] = []
        self._head_only = request.method == b"HEAD"
        self._framed = False
        self._parser = HttpResponseParser(self)
        self.send(head + request.content + request.leading)
        return exchange

    # --- What comes.

    def take(self, data: bytes) -> None:
        """Read a response, or pass on what comes behind a switch."""
        exchange = self._exchange
        if exchange is None:
            self._reusable = False  # RFC 9112 section 9.2: nothing that comes without a request is an answer
            return
        if exchange.switched:
            exchange.data_received(data)
            return
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            self._reusable = False
            exchange.data_received(data[upgrade.args[0] :])
        except HttpParserError as error:
            if exchange.switched:
                raise Violation("a 101 without Upgrade and Connection: upgrade (RFC 9110 section 7.8)") from None
            if self._exchange is not None:
                raise Violation(f"this is no HTTP/1.1 response ({error}): {self.received[-200:]!r}") from error

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field has come (called by httptools)."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """A head has come (called by httptools)."""
        exchange = self._exchange
        if exchange is None:
            self._reusable = False
            return
        status, fields = self._parser.get_status_code(), tuple(self._fields)
        self._fields.clear()
        exchange.head_received(status, fields)
        names = {name.lower() for name, _ in fields}
        self._framed = bool(names & {b"content-length", b"transfer-encoding"})
        if self._head_only and exchange.head is not None:
            self._finish(exchange)

    def on_body(self, data: bytes) -> None:
        """Content has come (called by httptools)."""
        if self._exchange is not None:
            self._exchange.data_received(data)

    def on_message_complete(self) -> None:
        """A message has come in full (called by httptools)."""
        exchange = self._exchange
        if exchange is not None and exchange.head is not None and not exchange.switched:
            self._finish(exchange)

    def _finish(self, exchange: Exchange) -> None:
        exchange.complete = True
        head = exchange.head
        options = (head.get(b"Connection") or b"") if head is not None else b""
        self._reusable = b"close" not in options.lower()
        self._exchange = None

    def end_received(self) -> None:
        """The site has ended its side: there a response without a length ends, and so does the client."""
        exchange = self._exchange
        if exchange is None:
            self.lose()
        elif exchange.switched:
            exchange.end_received()
        else:
            if exchange.head is not None and not self._framed:
                self._finish(exchange)
            self.lose()

    def gone(self) -> None:
        """The connection is gone, and what was under way with it."""
        if self._exchange is not None:
            self._exchange.gone(aborted=self.aborted, why=self.end())
