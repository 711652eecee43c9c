"""An upstream's response on its way to the client, piece by piece, no faster than the client reads.

What the gateway has to say itself — that there is no response, or only part of one — is said here as well: with a short
page as long as nothing has been sent, and then by breaking off, for a response that was cut must not look complete.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.web.http import HTTPChannel
from twisted.web.server import version

from upgradegw.negotiation.model import Fields, Refuse, UpgradeProtocol
from upgradegw.proxy.exchange import Exchange, ResponseHead, UpstreamError
from upgradegw.proxy.fields import response_fields
from upgradegw.takeover import is_disconnected
from upgradegw.web.outcomes import note_outcome
from upgradegw.web.request import SERVER
from upgradegw.web.responses import answer_refusal, say_close_if_cut_short

#: The status by which a client is told to send its content (RFC 9110 section 15.2.1).
CONTINUE = 100

#: Fields of which each sender adds lines, so that the upstream's do not stand in place of ours or ours of theirs.
_ADDED = frozenset({b"connection", b"link", b"vary"})

#: What Server says before anybody has said anything about the response: ours, and that of a stock Site.
_DEFAULT_SERVERS = ([SERVER], [version])


class ResponseWriter:
    """Writes what an upstream answers as the response to a request: all of a ``Receiver`` but ``switched``.

    Attributes:
        begun: Whether the head of a final response has been written.
        over: Whether nothing more is to be written: the response is complete or cut, or the client has left.
    """

    begun = False
    over = False
    _exchange: Exchange | None = None
    _produces = False

    def __init__(self, request: Any, tokens: Sequence[UpgradeProtocol] = ()) -> None:
        """Answer a request.

        Args:
            request: The request.
            tokens: What may be tunnelled, and may therefore stand in the response's Upgrade.
        """
        self.request = request
        self._tokens = tokens

    def begin(self, exchange: Exchange) -> None:
        """Bind the exchange to the client: one that leaves cancels it.

        Args:
            exchange: What ``Asked.ask`` returned.
        """
        self._exchange = exchange
        if is_disconnected(self.request):
            self._client_left()
        else:
            self.request.notifyFinish().addErrback(self._client_left)

    def _client_left(self, _reason: object = None) -> None:
        if not self.over:
            exchange = self._exchange
            self._end()
            if exchange is not None:
                exchange.cancel()

    def _end(self) -> None:
        """Write nothing more, and let go of the exchange, which knows of us: a circle would outlive the request."""
        self.over = True
        self._exchange = None

    # --- Receiver.

    def interim(self, head: ResponseHead) -> None:
        """Pass an interim response on (RFC 9110 section 15.2); 100 is the connection's own affair."""
        request = self.request
        if self.begun or self.over or head.status == CONTINUE or request.clientproto == b"HTTP/1.0":
            return
        write = getattr(request.channel, "write_interim", None)
        if write is not None:
            write(head.status, head.phrase, response_fields(head, (), b""))

    def head(self, head: ResponseHead) -> None:
        """Write the head at once: what follows may take its time."""
        if self.over:
            return
        self.begun = True
        request = self.request
        request.defaultContentType = None
        request.setResponseCode(head.status, head.phrase or None)
        set_response_fields(request, response_fields(head, self._tokens, request.clientproto))
        say_close_if_cut_short(request)
        if self._exchange is not None:
            self._produces = True
            request.registerProducer(self._exchange, True)
        request.write(b"")

    def data(self, data: bytes) -> None:
        """Write a piece of content."""
        if not self.over:
            self.request.write(data)

    def end(self) -> None:
        """The response is complete."""
        if not self.over:
            self._end()
            self._stop_producing()
            self.request.finish()

    def failed(self, error: UpstreamError) -> None:
        """Say that there is no response, or cut it."""
        if self.over:
            return
        if self.begun:
            self._cut(error)
            return
        fields: Fields = ()
        if error.retry_after is not None:
            fields = ((b"Retry-After", b"%d" % error.retry_after),)
        self.refuse(Refuse(error.reason, error.status, fields, error.detail))

    # --- What the gateway says itself.

    def refuse(self, refuse: Refuse, body: bytes = b"") -> None:
        """Answer in the upstream's place, where no response has begun.

        Args:
            refuse: Status, fields and reason.
            body: The content; the standard text for the status if empty.
        """
        self._end()
        request = self.request
        say_close_if_cut_short(request)
        answer_refusal(request, refuse, body)

    def give_up(self, refuse: Refuse) -> None:
        """End an exchange that cannot go on, because of the request: refuse it, or cut the response.

        Args:
            refuse: Status, fields and reason.
        """
        if self.over:
            return
        if self._exchange is not None:
            self._exchange.cancel()
        if self.begun:
            self._cut(UpstreamError(refuse.reason, refuse.status, refuse.detail))
        else:
            self.refuse(refuse)

    def _cut(self, error: UpstreamError) -> None:
        """Break off, and log the response as far as it went."""
        self._end()
        self._stop_producing()
        request = self.request
        note_outcome(request, Refuse(error.reason, request.code, (), error.detail))
        request.site.log(request)
        break_off(request)

    def _stop_producing(self) -> None:
        if self._produces:
            self._produces = False
            self.request.unregisterProducer()


def set_response_fields(request: Any, fields: Fields) -> None:
    """Put a response's fields on a request.

    What somebody has set there before stays, and stands in place of the upstream's: a route's own fields, or those of a
    resource around this one.

    Args:
        request: The request.
        fields: The response's.
    """
    headers = request.responseHeaders
    if headers.getRawHeaders(b"Server") in _DEFAULT_SERVERS:
        headers.removeHeader(b"Server")
    if any(name.lower() == b"date" for name, _ in fields):
        headers.removeHeader(b"Date")
    before = {name.lower() for name, _ in headers.getAllRawHeaders()} - _ADDED
    for name, value in fields:
        lower = name.lower()
        if lower == b"set-cookie":
            request.cookies.append(value)
        elif lower not in before:
            headers.addRawHeader(name, value)


def break_off(request: Any) -> None:
    """Close the connection, or reset the stream, so that the client cannot take what it has for all there is.

    Chunks and Content-Length show by themselves that something is missing. Where the connection's end is the content's
    end, only a reset tells (RFC 9112 section 8).

    Args:
        request: A request whose response has begun.
    """
    channel = request.channel
    if request.clientproto == b"HTTP/1.0" and not request.responseHeaders.hasHeader(b"Content-Length"):
        abort = getattr(channel, "abort", None) if not isinstance(channel, HTTPChannel) else None
        abort = abort or getattr(request.transport, "abortConnection", None)
        if abort is not None:
            abort()
            return
    request.loseConnection()
