"""One stream that we have opened: a request and its response, or a tunnel behind an extended CONNECT (RFC 8441).

Whatever arrives goes through the stream's transport: while nobody takes it there, the server's window runs out.
"""

from __future__ import annotations

from typing import Any

from h2.errors import ErrorCodes
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.http.limits import Limits
from upgradegw.http2.any_stream import AnyStream
from upgradegw.http2.client_request import ClientRequest, Hearer, Patience
from upgradegw.http2.faults import explain
from upgradegw.http2.responses import Http2Response
from upgradegw.http2.transport import reset_reason
from upgradegw.negotiation.reasons import Reason

#: Seconds for which a server may leave its side of a tunnel open that we have closed, before the stream is reset.
LINGER_SECONDS = 2.0

#: Responses without content, whatever their Content-Length says (RFC 9110 section 6.4.1).
_NO_CONTENT = frozenset((204, 304))

_FINAL, _SUCCESSFUL = 200, range(200, 300)


@implementer(IHalfCloseableProtocol)
class _Content(TwistedProtocol):
    """Takes a response's content from the stream's transport."""

    def __init__(self, stream: ClientStream) -> None:
        self._stream = stream

    def dataReceived(self, data: bytes) -> None:
        self._stream.deliver(data)

    def readConnectionLost(self) -> None:
        self._stream.deliver_end()

    def writeConnectionLost(self) -> None:
        """Our side has ended, as we wanted."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The stream is gone, which its user is told by the stream."""


class ClientStream(AnyStream):
    """A request that we have sent.

    Attributes:
        answered: Whether the final response's head has come.
        over: Whether the server has ended its side.
    """

    answered = False
    over = False
    _received = 0
    _interim = 0
    _expected: int | None = None
    _awaited_since: float | None = None
    _why: tuple[Reason, str] | None = None
    _untouched = False

    def __init__(
        self, connection: Any, stream_id: int, request: ClientRequest, hearer: Hearer, patience: Patience
    ) -> None:
        """Stand on a connection.

        Args:
            connection: The ``http2.client_connection.ClientConnection``.
            stream_id: The stream's identifier.
            request: The request.
            hearer: Gets the answer.
            patience: How long it is waited for.
        """
        super().__init__(connection, stream_id)
        self._connection = connection
        self._request = request
        self._hearer: Hearer | None = hearer
        self._patience = patience
        self._pipe = self.transport_to_be()
        self._pipe.protocol = _Content(self)
        self.connection_id = f"{connection.connection_id}/{stream_id}"

    def begin(self) -> None:
        """Send the head at once: streams must be opened in the order of their numbers (RFC 9113 section 5.1.1)."""
        request = self._request
        self._connection.session.ask(self.stream_id, request.fields, ends=request.ends)
        self._head_sent = True
        self._owner.touch()
        if request.ends:
            self.finished = True
            self._end_sent()
        elif request.switches:
            self._awaited_since = self._owner.seconds()

    # --- For whoever asked.

    def pause(self) -> None:
        """Deliver no content for now."""
        self._pipe.pauseProducing()

    def resume(self) -> None:
        """Deliver content again."""
        if self._awaited_since is not None:
            self._awaited_since = self._owner.seconds()
        self._pipe.resumeProducing()

    def cancel(self) -> None:
        """Nobody wants the answer any more."""
        self._hearer = None
        self._pipe.disconnecting = True
        if not self.gone:
            self._connection.reset(self, ErrorCodes.CANCEL)

    # --- What comes.

    def response_received(self, response: Http2Response, *, ends: bool) -> None:
        """Take a response's head.

        Args:
            response: The head.
            ends: Whether the server's side ends with it.
        """
        if response.status < _FINAL:
            self._take_interim(response, ends=ends)
        else:
            self.answered = True
            if self._request.switches and response.status in _SUCCESSFUL:
                self._switch(response)
            else:
                self._answer(response)

    def _take_interim(self, response: Http2Response, *, ends: bool) -> None:
        self._interim += 1
        if ends:
            self.malformed(f"{response.status} that ends the stream")
        elif self._interim > self._patience.max_interim:
            self.malformed(f"more than {self._patience.max_interim} interim responses")
        elif self._hearer is not None:
            self._hearer.interim(response)

    def _answer(self, response: Http2Response) -> None:
        self._awaited_since = self._owner.seconds()
        self._expected = response.content_length
        if self._request.head_only or response.status in _NO_CONTENT:
            self._expected = 0
        if self._request.switches:
            self.end()  # nothing follows on our side (RFC 8441 section 5)
        if self._hearer is not None:
            self._hearer.answered(response)

    def _switch(self, response: Http2Response) -> None:
        hearer, self._hearer = self._hearer, None
        self._awaited_since = None
        self._taken = True
        self._pipe.protocol = None
        self._pipe.pauseProducing()
        if hearer is not None:
            hearer.switched(response, self._pipe)

    def data_received(self, data: bytes, controlled: int) -> None:
        """Take content, or what comes through a tunnel."""
        self._owed += controlled
        self._received += len(data)
        expected = self._expected
        if expected is not None and self._received > expected:
            self.malformed(f"more than {expected} bytes of content")
        else:
            if self._awaited_since is not None:
                self._awaited_since = self._owner.seconds()
            self._pipe.receive(data)
            self.consumed()

    def end_received(self) -> None:
        """The server's side has ended, by whichever frame."""
        self.over = True
        if self._expected is not None and self._received != self._expected:
            self.malformed(f"{self._received} bytes of content, not {self._expected}")
        else:
            self.read_ended = True
            self._awaited_since = None
            self._pipe.end_received()

    def deliver(self, data: bytes) -> None:
        """Pass on content that is wanted now."""
        if self._hearer is not None:
            self._hearer.data(data)

    def deliver_end(self) -> None:
        """All content has been passed on; what of the request was not sent is wanted by nobody (RFC 9113 8.1)."""
        hearer, self._hearer = self._hearer, None
        if hearer is not None:
            hearer.ended()
        if not self.end_sent and not self.gone:
            self.reset_later(ErrorCodes.NO_ERROR)

    # --- What goes.

    def end_was_sent(self) -> bool:
        """Our side has ended; return whether the stream goes on, for the server may still send."""
        tunnel = self._pipe if self._taken else None
        if not self.answered:
            self._awaited_since = self._owner.seconds()
        if tunnel is not None and (tunnel.disconnecting or tunnel.read_end_told):
            self.close()
        return not self.read_ended

    def drop_producer(self) -> None:
        """Forget the producer of content: whoever owns it hears of the end from us; of a tunnel, tell it."""
        if self._taken:
            super().drop_producer()
        else:
            self.unregisterProducer()

    # --- The end.

    def malformed(self, why: str) -> None:
        """Reset the stream: what has come is no response, or beyond a bound (RFC 9113 section 8.1.1)."""
        self.blame(why)
        self._connection.stream_fault(self.stream_id, ErrorCodes.PROTOCOL_ERROR)

    def blame(self, why: str) -> None:
        """Remember what the server did wrong, if that is not known yet."""
        self._why = self._why or (Reason.UPSTREAM_BAD_RESPONSE, why)

    def refused(self, detail: str) -> None:
        """The server has not looked at the request (RFC 9113 section 8.7)."""
        self._why, self._untouched = (Reason.UPSTREAM_CLOSED, detail), True
        self._connection.reset(self, ErrorCodes.CANCEL)

    def was_reset(self, code: int) -> None:
        """The stream has been reset, by either side."""
        if self._why is None:
            name = code.name if isinstance(code, ErrorCodes) else str(code)
            self._why = Reason.UPSTREAM_CLOSED, f"it reset the stream with {name}"
            self._untouched = code == ErrorCodes.REFUSED_STREAM and not self.answered
        self.lost(reset_reason(code))

    def lost(self, reason: Failure) -> None:
        """The stream is gone; a response that is complete is delivered all the same."""
        complete = self.read_ended and not self._taken
        self._awaited_since = None
        self.give_back()
        self.stop_producing()
        if complete:
            return
        self.read_ended = True
        hearer, self._hearer = self._hearer, None
        self._pipe.lost(reason)
        if hearer is not None:
            why, detail = self._why or explain(reason)
            hearer.failed(why, detail, untouched=self._untouched)

    def release(self) -> None:
        """Nothing: the transport lives for as long as somebody has it."""

    def stop(self) -> None:
        """Nothing: whoever asked is told by whoever stops."""

    # --- Deadlines.

    @property
    def limits(self) -> Limits:
        """Those of all connections to the server."""
        return self._connection.context.limits  # type: ignore[no-any-return]

    def hasten(self) -> None:
        """Nothing: no deadline is nearer than the wheel's longest look."""

    def deadline(self) -> float | None:
        """Say when the server will have let us wait too long."""
        patience, times = self._patience, []
        if self._closed_at is not None:
            times.append(self._closed_at + LINGER_SECONDS)
        if self._pending_since is not None and not self._taken and patience.response_timeout:
            times.append(self._pending_since + patience.response_timeout)
        elif self._awaited_since is not None:
            timeout = patience.read_timeout if self.answered else patience.response_timeout
            if timeout and not (self.answered and self._pipe.waiting):
                times.append(self._awaited_since + timeout)
        return min(times, default=None)

    def expired(self) -> None:
        """The deadline has passed."""
        if self._closed_at is None:
            what = "no more of the response" if self.answered else "no response"
            if self._pending_since is not None:
                what = "nothing taken of the request"
            self._why = Reason.UPSTREAM_TIMEOUT, f"{what} in time"
        self._connection.reset(self, ErrorCodes.CANCEL)
