"""One request under way to an upstream over HTTP/1.1: its content, its second try, and its end."""

from __future__ import annotations

from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.exchange import Receiver, ResponseHead, UpstreamError, UpstreamRequest, UpstreamTunnel
from upgradegw.proxy.http1.connection import Http1Connection
from upgradegw.proxy.paced import Paced

_log = Logger(namespace="upgradegw")


class Source(Protocol):
    """Where an exchange gets its connection from."""

    def take(self) -> Http1Connection | None:
        """Return an idle connection, if there is one."""

    def connect(self) -> Deferred[Http1Connection]:
        """Make a connection."""

    def soon(self, call: Any, *args: Any) -> None:
        """Call something, but not at once."""


@implementer(IConsumer, IPushProducer)
class Http1Exchange(Paced):
    """See ``upgradegw.proxy.exchange.Exchange``.

    If the exchange ends before the content is complete, its producer's ``stopProducing`` is called: nobody reads on.

    Attributes:
        receiver: Gets the answer.
        sent: Whether the request is complete.
        has_head: Whether the head of the response has come.
    """

    __slots__ = (
        "_asking",
        "_connecting",
        "_connection",
        "_head",
        "_left",
        "_over",
        "_paused",
        "_pending",
        "_request",
        "_source",
        "_wrote",
        "has_head",
        "receiver",
        "sent",
    )

    def __init__(self, source: Source, request: UpstreamRequest, head: bytes, receiver: Receiver) -> None:
        """Have not begun.

        Args:
            source: Gives connections.
            request: The request.
            head: Its head as it is sent.
            receiver: Gets the answer.
        """
        super().__init__()
        self.receiver = receiver
        self.sent = request.content_length == 0
        self.has_head = False
        self._source = source
        self._request = request
        self._head = head
        self._left = request.content_length
        self._pending: list[bytes] = []
        self._wrote = False
        self._connection: Http1Connection | None = None
        self._connecting: Deferred[Http1Connection] | None = None
        self._paused = False
        self._over = False
        self._asking = False

    def start(self) -> None:
        """Send the request on an idle connection, or on a new one; the receiver hears nothing yet."""
        connection = self._source.take()
        if connection is not None:
            self._use(connection)
            return
        self._asking = True
        self._connect()
        self._asking = False

    def _connect(self) -> None:
        self._connecting = connecting = self._source.connect()
        connecting.addCallbacks(self._use, self._not_connected)
        connecting.addErrback(lambda failure: _log.failure("an upstream's connection", failure))

    def _use(self, connection: Http1Connection) -> None:
        self._connecting = None
        self._connection = connection
        connection.start(self, self._request.method == b"HEAD")
        if self._paused:
            connection.pause(True)
        if not self._wrote and self.sent:
            connection.send_at_once(self._head)
            return
        pending, self._pending = self._pending, []
        connection.send(b"".join((self._head, *pending)))
        if self._producer is not None:
            connection.produce(True)
            self.flow(not connection.blocked)

    def _not_connected(self, failure: Failure) -> None:
        self._connecting = None
        error = failure.value
        if not isinstance(error, UpstreamError):
            error = UpstreamError(Reason.UPSTREAM_UNREACHABLE, 502, failure.getErrorMessage())
        if self._asking:
            self._source.soon(self.failed, error)
        else:
            self.failed(error)

    # --- For the connection.

    def answered(self, head: ResponseHead) -> None:
        """Pass the head on."""
        self.has_head = True
        self.receiver.head(head)

    def ended(self) -> None:
        """Tell of the end."""
        self._finish()
        self.receiver.end()

    def failed(self, error: UpstreamError) -> None:
        """Tell of the failure, unless nobody wants to hear of it."""
        if not self._over:
            self._finish()
            self.receiver.failed(error)

    def lost(self, error: UpstreamError, *, unheard: bool) -> None:
        """Try once more where RFC 9110 section 9.2.2 allows it, else tell of the failure."""
        if unheard and self._request.idempotent and not self._wrote:
            self._connection = None
            self.flow(False)
            self._connect()
        else:
            self.failed(error)

    def wrong_switch(self) -> str | None:
        """Say why a 101 cannot be right whatever it says."""
        if not self._request.tokens:
            return "it switched protocols (101), and was not asked to"
        if not self.sent:
            # The rest of the content would be taken for the first bytes of the new protocol (RFC 9110 section 7.8).
            return "it switched protocols (101) before the request was complete"
        return None

    def switched(self, head: ResponseHead, tunnel: UpstreamTunnel) -> None:
        """Hand the connection over."""
        self._finish()
        self.receiver.switched(head, tunnel)

    def _finish(self) -> None:
        """Let go of everything; content that is still to come is not wanted."""
        self._over = True
        connection, self._connection = self._connection, None
        self._pending = []
        self._dismiss_producer(complete=self.sent)
        if connection is not None:
            connection.produce(False)

    # --- For whoever asks: the content.

    def write(self, data: bytes) -> None:
        """Send a piece of the content.

        Raises:
            ValueError: It is more than was said, or comes behind the end.
        """
        if self._over or not data:
            return
        if self.sent:
            raise ValueError("content behind the end of the content")
        if self._left is None:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        elif len(data) > self._left:
            raise ValueError(f"content that is {len(data) - self._left} bytes longer than was said")
        else:
            self._left -= len(data)
            self.sent = self._left == 0
        self._send(data)

    def finish(self) -> None:
        """The content is complete.

        Raises:
            ValueError: It is shorter than was said; the exchange is cancelled, for the upstream waits for the rest.
        """
        if self._over or (self.sent and self._left is not None):
            return
        if self._left:
            self.cancel()
            raise ValueError(f"content that is {self._left} bytes shorter than was said")
        if not self.sent:
            self.sent = True
            self._send(b"0\r\n\r\n")

    def _send(self, data: bytes) -> None:
        self._wrote = True
        if self._connection is None:
            self._pending.append(data)
        else:
            self._connection.send(data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let the producer of the content be paused and resumed.

        Raises:
            RuntimeError: There is one already, or it is not streaming.
        """
        if not self._take_producer(producer, streaming, wanted=not self._over):
            return
        if self._connection is not None:
            self._connection.produce(True)
            self.flow(not self._connection.blocked)
        else:
            self.flow(False)

    def unregisterProducer(self) -> None:
        """Forget the producer of the content."""
        self._producer = None
        if self._connection is not None:
            self._connection.produce(False)

    # --- And the response.

    def pauseProducing(self) -> None:
        """Read no more of the response."""
        self._paused = True
        if self._connection is not None:
            self._connection.pause(True)

    def resumeProducing(self) -> None:
        """Read on."""
        self._paused = False
        if self._connection is not None:
            self._connection.pause(False)

    def stopProducing(self) -> None:
        """The same as ``cancel``."""
        self.cancel()

    def cancel(self) -> None:
        """Nobody wants the answer any more."""
        if self._over:
            return
        self._over = True
        self._producer = None
        self._pending = []
        connection, self._connection = self._connection, None
        connecting, self._connecting = self._connecting, None
        if connection is not None:
            connection.give_up()
        if connecting is not None:
            connecting.cancel()
