"""What a route and an upstream say to one another: one request, and one response or one switch.

An upstream is asked in the same way whatever version of HTTP it speaks, alone or as one of several.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.interfaces import IProtocol

from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.reasons import Reason


class UpstreamError(Exception):
    """An upstream gave no answer that can be passed on.

    Attributes:
        reason: The stable reason, for the log.
        status: What the client is answered if no response has begun: 502, 503 or 504.
        detail: What was found, for the log only.
        retry_after: Seconds for Retry-After, with a 503.
    """

    def __init__(self, reason: Reason, status: int, detail: str = "", retry_after: int | None = None) -> None:
        """Say what went wrong."""
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A request as it goes to an upstream; how it is framed and which connection it takes is the upstream's affair.

    Attributes:
        method: For example ``b"GET"``; the method of the client also where it asked with extended CONNECT: ``GET``.
        target: In origin-form, or ``*``.
        authority: For Host or ``:authority``; ``b""`` for the upstream's own.
        fields: The end-to-end field lines, in order: no Host, no Connection and what it names, no Transfer-Encoding,
            no Content-Length.
        content_length: Bytes of content: 0 for none, None for a length that is not known.
        tokens: The upgrade tokens that are offered, in order; empty for a plain request.
        idempotent: Whether it may be sent again if a pooled connection died before a byte of the response came.
    """

    method: bytes
    target: bytes
    authority: bytes
    fields: Fields = ()
    content_length: int | None = 0
    tokens: tuple[bytes, ...] = ()
    idempotent: bool = False


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """A response without its content, as it was received.

    Attributes:
        status: The status code.
        phrase: The reason phrase; ``b""`` on HTTP/2.
        fields: All field lines, in order, hop-by-hop ones among them.
        http_version: ``b"HTTP/1.1"``, ``b"HTTP/1.0"`` or ``b"HTTP/2"``.
        content_length: Bytes of content if the response says so; None where chunks, the stream's or the connection's
            end tell. For HEAD and 304 what the field says, though there is no content.
    """

    status: int
    phrase: bytes
    fields: Fields
    http_version: bytes
    content_length: int | None = None


@dataclass(frozen=True, slots=True)
class UpstreamTunnel:
    """An upstream's connection, or stream, that has stopped speaking HTTP.

    Attributes:
        transport: Its transport: ``ITCPTransport``-like, with ``loseWriteConnection``, ``abortConnection`` and
            ``registerProducer``. Reading is paused until ``resume``.
        leading_data: Bytes that came behind the 101.
        attach: Makes a protocol the receiver of the transport's events (``makeConnection`` is the caller's).
        resume: Starts reading.
    """

    transport: Any
    leading_data: bytes
    attach: Callable[[IProtocol], None]
    resume: Callable[[], None]


class Receiver(Protocol):
    """Who gets the answer: ``interim`` any number of times, then ``head``, ``data``…, ``end``, or ``switched``.

    ``failed`` may come at any time before ``end`` or ``switched``, and is the last call. None comes from within
    ``ask`` itself, and none after ``cancel``.
    """

    def interim(self, head: ResponseHead) -> None:
        """A 1xx other than 101 has come; 100 among them."""

    def head(self, head: ResponseHead) -> None:
        """The head of the final response has come."""

    def data(self, data: bytes) -> None:
        """A piece of its content has come, without framing."""

    def end(self) -> None:
        """The response is complete."""

    def switched(self, head: ResponseHead, tunnel: UpstreamTunnel) -> None:
        """The upstream has answered 101, or 2xx to extended CONNECT, to a request with ``tokens``.

        Nothing but the status has been judged: whether it was asked for is the receiver's to say, and if it was not,
        to abort the transport. A 101 to a request without tokens is ``failed``.
        """

    def failed(self, error: UpstreamError) -> None:
        """There is no response, or no more of it."""


class Exchange(Protocol):
    """One request under way; an ``IConsumer`` of its content and the ``IPushProducer`` of its response.

    ``registerProducer`` takes the producer of the content, streaming, which is paused and resumed as the upstream
    takes it. ``write`` may be called before the connection is there: what is written waits, and the producer is paused.
    If the exchange ends before the content is complete, the producer's ``stopProducing`` is called.
    """

    def write(self, data: bytes) -> None:
        """Send a piece of the content, as much as ``content_length`` says in all.

        Raises:
            ValueError: It is more than that; none of it is sent.
        """

    def finish(self) -> None:
        """The content is complete; not to be called for a request without content.

        Raises:
            ValueError: It is less than ``content_length`` says; the exchange is cancelled.
        """

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let the producer of the content be paused and resumed."""

    def unregisterProducer(self) -> None:
        """Forget the producer of the content."""

    def pauseProducing(self) -> None:
        """Read no more of the response."""

    def resumeProducing(self) -> None:
        """Read on."""

    def stopProducing(self) -> None:
        """The same as ``cancel``."""

    def cancel(self) -> None:
        """Nobody wants the answer any more: the connection or stream is aborted, and the receiver hears nothing."""


class Asked(Protocol):
    """What can be asked: one upstream, or a choice among several.

    Attributes:
        http_version: What is spoken to it: ``b"HTTP/1.1"`` or ``b"HTTP/2"``.
    """

    http_version: bytes

    def ask(self, request: UpstreamRequest, receiver: Receiver) -> Exchange:
        """Send a request.

        Args:
            request: The request.
            receiver: Gets the answer, later.
        """

    def close(self) -> None:
        """Take no more requests in hand: close idle connections, and others behind their last response."""
