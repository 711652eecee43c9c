"""One request to an upstream that speaks HTTP/2: it waits for a connection, and then is a stream on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.interfaces import IConsumer, IPushProducer
from zope.interface import implementer

from upgradegw.http2.client_connection import ClientConnection
from upgradegw.http2.client_request import ClientRequest, Patience
from upgradegw.http2.client_stream import ClientStream
from upgradegw.http2.responses import Http2Response
from upgradegw.http2.transport import StreamTransport
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.exchange import Receiver, ResponseHead, UpstreamError, UpstreamRequest
from upgradegw.proxy.http2_request import request_fields
from upgradegw.proxy.http2_tunnel import tunnel_on

#: How often a request is sent anew that the upstream has not looked at.
_MAX_AGAIN = 2


class Placing(Protocol):
    """The upstream as an exchange sees it."""

    def place(self, exchange: Http2Exchange) -> None:
        """Find, or make, a connection for it."""

    def leave(self, exchange: Http2Exchange) -> None:
        """It waits no more for a connection."""

    def later(self, call: Callable[[], None]) -> None:
        """Call something in the reactor's next turn."""


@implementer(IConsumer, IPushProducer)
class Http2Exchange:
    """A request under way; see ``exchange.Exchange``.

    Attributes:
        request: The request.
    """

    def __init__(self, upstream: Placing, request: UpstreamRequest, receiver: Receiver, scheme: bytes) -> None:
        """Wait for a connection.

        Args:
            upstream: Finds it.
            request: The request.
            receiver: Gets the answer.
            scheme: The connection's.

        Raises:
            ValueError: The request cannot be sent.
        """
        self.request = request
        self._upstream = upstream
        self._receiver: Receiver | None = receiver
        self._stream: ClientStream | None = None
        self._pieces: list[bytes] = []
        self._producer: Any = None
        self._paused = self._wrote = self._heard = self._pooled = False
        self._left = request.content_length
        self._sent = self._left == 0
        self._fields = request_fields(request, scheme)
        self._again = 0

    # --- The content of the request.

    def write(self, data: bytes) -> None:
        """Send a piece of the content.

        Raises:
            ValueError: It is more than was said, or comes behind the end.
        """
        if not data or not self.wanted:
            return
        if self._sent:
            raise ValueError("content behind the end of the content")
        if self._left is not None and len(data) > self._left:
            raise ValueError(f"content that is {len(data) - self._left} bytes longer than was said")
        self._wrote = True
        if self._stream is not None:
            self._stream.write(data)
        else:
            self._pieces.append(data)
        if self._left is not None:
            self._left -= len(data)
            if not self._left:
                self._complete()

    def finish(self) -> None:
        """The content is complete.

        Raises:
            ValueError: It is shorter than was said; the exchange is cancelled, for the upstream waits for the rest.
        """
        if self._left and self.wanted:
            self.cancel()
            raise ValueError(f"content that is {self._left} bytes shorter than was said")
        if self.wanted and not self._sent:
            self._complete()

    def _complete(self) -> None:
        self._wrote = self._sent = True
        if self._stream is not None:
            self._stream.end()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let the producer of the content be paused and resumed; until there is a stream it is paused.

        If the exchange ends before the content is complete, the producer is stopped: nobody reads on.

        Raises:
            RuntimeError: There is one already, or it is not streaming.
        """
        if self._producer is not None or not streaming:
            raise RuntimeError("one producer, and a streaming one")
        if not self.wanted:
            producer.stopProducing()
            return
        self._producer = producer
        if self._stream is not None:
            self._stream.registerProducer(producer, streaming)
        else:
            producer.pauseProducing()

    def unregisterProducer(self) -> None:
        """Forget the producer of the content."""
        self._producer = None
        if self._stream is not None:
            self._stream.unregisterProducer()

    # --- The response.

    def pauseProducing(self) -> None:
        """Read no more of the response."""
        self._paused = True
        if self._stream is not None:
            self._stream.pause()

    def resumeProducing(self) -> None:
        """Read on."""
        self._paused = False
        if self._stream is not None:
            self._stream.resume()

    def stopProducing(self) -> None:
        """The same as ``cancel``."""
        self.cancel()

    def cancel(self) -> None:
        """Nobody wants the answer any more: the stream is reset."""
        self._receiver = self._producer = None
        self._pieces.clear()
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.cancel()
        else:
            self._upstream.leave(self)

    # --- For the upstream.

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits for the answer."""
        return self._receiver is not None

    def begin(self, connection: ClientConnection, patience: Patience) -> None:
        """Send the request.

        Args:
            connection: A connection with room.
            patience: How long the answer is waited for.
        """
        request = self.request
        if request.tokens and (request.content_length != 0 or not connection.extended_connect):
            why = "its SETTINGS do not offer extended CONNECT (RFC 8441)"
            if request.content_length != 0:
                why = "over HTTP/2 a request with content cannot ask for a switch"
            self.fail_later(UpstreamError(Reason.UPSTREAM_NO_SWITCH, 502, why))
            return
        self._pooled = connection.used
        ends = request.content_length == 0 and not request.tokens
        asked = ClientRequest(self._fields, ends, request.method == b"HEAD", bool(request.tokens))
        self._stream = stream = connection.ask(asked, self, patience)
        if self._paused:
            stream.pause()
        pieces, self._pieces = self._pieces, []
        stream.write(b"".join(pieces))
        if self._sent and not ends and not request.tokens:
            stream.end()
        if self._producer is not None:
            stream.registerProducer(self._producer, True)
            self._producer.resumeProducing()

    def fail_later(self, error: UpstreamError) -> None:
        """Tell the receiver that there is no response, when whoever asks is done with asking."""
        self._upstream.later(lambda: self.fail(error))

    def fail(self, error: UpstreamError) -> None:
        """Tell the receiver that there is no response."""
        receiver = self._let_go()
        if receiver is not None:
            receiver.failed(error)

    def _let_go(self) -> Receiver | None:
        """Forget everything; content that is still to come is not wanted."""
        receiver, self._receiver = self._receiver, None
        producer, self._producer = self._producer, None
        self._stream = None
        self._pieces.clear()
        if producer is not None and self._sent:
            producer.resumeProducing()
        elif producer is not None:
            producer.stopProducing()
        return receiver

    # --- What the stream tells.

    def interim(self, response: Http2Response) -> None:
        """A 1xx has come."""
        self._heard = True
        if self._receiver is not None:
            self._receiver.interim(_head(response))

    def answered(self, response: Http2Response) -> None:
        """The final response's head has come."""
        self._heard = True
        if self._receiver is not None:
            self._receiver.head(_head(response))

    def data(self, data: bytes) -> None:
        """A piece of content has come."""
        if self._receiver is not None:
            self._receiver.data(data)

    def ended(self) -> None:
        """The response is complete."""
        receiver = self._let_go()
        if receiver is not None:
            receiver.end()

    def switched(self, response: Http2Response, transport: StreamTransport) -> None:
        """The upstream agrees to the switch."""
        receiver = self._let_go()
        if receiver is None:
            transport.abortConnection()
            return
        receiver.switched(_head(response), tunnel_on(transport))

    def failed(self, reason: Reason, detail: str, *, untouched: bool) -> None:
        """There is no response, or no more of it: ask anew if nothing can have been done for the request."""
        request = self.request
        lost = reason is Reason.UPSTREAM_CLOSED and request.idempotent and self._pooled and not self._heard
        self._stream = None
        # RFC 9110 section 9.2.2; content that has been sent is not kept.
        if (untouched or lost) and self._again < _MAX_AGAIN and not self._wrote:
            self._again += 1
            self._upstream.later(self._ask_again)
        else:
            self.fail(UpstreamError(reason, 504 if reason is Reason.UPSTREAM_TIMEOUT else 502, detail))

    def _ask_again(self) -> None:
        if self.wanted:
            self._upstream.place(self)


def _head(response: Http2Response) -> ResponseHead:
    return ResponseHead(response.status, b"", response.fields, b"HTTP/2", response.content_length)
