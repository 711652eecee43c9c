"""One stream: the channel of one request of twisted.web, and a connection that another protocol can take.

``Request`` finds here what it finds on our HTTP/1.1 channel. A request is judged by the same limits in the same order,
and a refusal is an ordinary response on this stream alone.
"""

from __future__ import annotations

from typing import IO, Any

from h2.errors import ErrorCodes
from twisted.internet.error import ConnectionAborted
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import datetimeToString

from upgradegw.http.headers import FastHeaders
from upgradegw.http.limits import Limits
from upgradegw.http.refusals import refusal_parts
from upgradegw.http.subtrees import limits_for
from upgradegw.http2.fields import response_fields
from upgradegw.http2.taking import TakeableHalf
from upgradegw.http2.transport import reset_reason
from upgradegw.http2.validation import Http2Head
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.reasons import Reason

_log = Logger(namespace="upgradegw")

#: Seconds for which a client may go on sending on a stream that we have closed, before it is told to stop.
LINGER_SECONDS = 2.0


class Stream(TakeableHalf):
    """A request and its response, or a tunnel.

    Attributes:
        site: The site: its ``resource`` is asked for limits.
        factory: The same; its ``log`` is called by Request.
        transport: The connection's transport.
        connection_id: The connection's name and the stream's identifier, for the logs.
        began: When the request's head was complete, by the site's clock.
        counted_as: The context's; streams are not counted.
    """

    counted_as: str | None = None
    _own_limits: Limits | None = None

    def __init__(self, connection: Any, stream_id: int) -> None:
        """Stand on a connection.

        Args:
            connection: The ``http2.connection.Connection``.
            stream_id: The stream's identifier.
        """
        super().__init__(connection, stream_id)
        self._connection = connection
        self.site = self.factory = connection.site
        self.transport = connection.transport
        self.connection_id = f"{connection.connection_id}/{stream_id}"
        self.began = connection.seconds()

    def isSecure(self) -> bool:
        """Tell whether the connection is encrypted by us."""
        return bool(self._connection.isSecure())

    # --- The request.

    def begin(self, head: Http2Head, *, ends: bool, refused: tuple[int, Reason, str] | None) -> None:
        """Begin a request.

        Args:
            head: Its head.
            ends: Whether the client's side ends with it.
            refused: Status, reason and detail if the connection refuses it.
        """
        self._head_received = head
        self.urgency = head.urgency
        self.read_ended = ends
        streams = False
        if refused is None and not ends and head.protocol is None:
            streams = self._find_limits()
            length, most = head.content_length, self.limits.max_content
            if length is not None and most is not None and length > most:
                refused = 413, Reason.CONTENT_TOO_LARGE, f"Content-Length: {length}"
        if refused is not None:
            self._refuse(*refused)
            return
        if ends and head.content_length:
            self.malformed(f"no content, Content-Length: {head.content_length}")
            return
        self._make_request(head)
        if head.protocol is not None and not hasattr(self._request, "extended_connect"):
            # Made by a requestFactory that does not know extended CONNECT: a resource would see a plain CONNECT.
            self._request = None
            self._refuse(501, Reason.NO_TAKEOVER, f":protocol: {printable(head.protocol)}")
            return
        if ends or head.protocol is not None:
            self._request.gotLength(0)
            self.answer()
        else:
            self.start_content(streams=streams, length=head.content_length)

    def begin_upgraded(self, head: Http2Head, content: IO[bytes]) -> None:
        """Begin a request that came over HTTP/1.1 and has been judged there.

        Args:
            head: Its head.
            content: Its content, complete.
        """
        self._head_received = head
        self.read_ended = True
        self._make_request(head)
        self._request.content = content
        self.answer()

    def _make_request(self, head: Http2Head) -> None:
        make = self._connection.request_factory
        self._request = request = make(self, 0) if self._connection.queues_requests else make(self)
        if isinstance(request.requestHeaders, FastHeaders):
            request.requestHeaders = FastHeaders.holding({name: values[:] for name, values in head.by_name.items()})
        else:
            for name, value in head.fields:
                request.requestHeaders.addRawHeader(name, value)
        if head.protocol is not None and hasattr(request, "extended_connect"):
            request.extended_connect = head.protocol
        request.parseCookies()

    def answer(self) -> None:
        """Hand the request to its resource."""
        head = self._head_received
        assert head is not None  # noqa: S101 - for the type checker
        self._request.requestReceived(head.method, head.target, b"HTTP/2")

    # --- Limits.

    @property
    def limits(self) -> Limits:
        """Those of the request: of the site, or of a part of its tree."""
        if self._own_limits is None:
            self._find_limits()
        assert self._own_limits is not None  # noqa: S101 - for the type checker
        return self._own_limits

    def _find_limits(self) -> bool:
        """Find the limits; return whether content is to be streamed."""
        head, context = self._head_received, self._connection.context
        root, target = getattr(self.site, "resource", None), b"" if head is None else head.target
        self._own_limits, streams = limits_for(root, target, context.limits, self._authority)
        return streams

    def _authority(self) -> bytes | None:
        """Return the authority that the client used, as ``client_of`` finds it."""
        head = self._head_received
        return None if head is None else self._connection.context.find_client(self._connection, head.fields).authority

    def hasten(self) -> None:
        """Begin to wait for the client: the deadline may be nearer than all others if the limits are the request's."""
        context = self._connection.context
        if self.limits is not context.limits and not self.gone:
            context.wheel.hasten(self._connection)

    # --- Refusing.

    def _refuse(self, status: int, reason: Reason, detail: str = "") -> None:
        """Answer without a resource."""
        fields, text = refusal_parts(status)
        head = self._head_received
        self._log_refusal(status, reason, detail, len(text))
        fields = ((b"Date", datetimeToString(self._owner.seconds())), *fields)
        self._awaited_since = None
        self.send_head(response_fields(b"%d" % status, fields))
        if head is None or head.method != b"HEAD":
            self.write(text)
        self.end()

    def _log_refusal(self, status: int, reason: Reason, detail: str, sent: int) -> None:
        head = self._head_received
        about: tuple[bytes, bytes, Fields] = (head.method, head.target, head.fields) if head else (b"", b"", ())
        self._connection.context.log_refusal(self, about, (status, reason, detail), sent, "HTTP/2")

    def refuse_content(self, status: int, reason: Reason, detail: str = "") -> None:
        """Refuse a request whose content will not be read on; if it is streamed, its resource has the last word."""
        self._awaited_since = None
        content, self._content = self._content, None
        if content is not None:
            content.fail((status, reason, detail))
            return
        self._drop_request(Failure(ConnectionAborted()))
        self._refuse(status, reason, detail)

    def malformed(self, why: str) -> None:
        """Reset the stream of a request that turns out to be none (RFC 9113 section 8.1.1)."""
        self._log_refusal(400, Reason.MALFORMED_REQUEST, why, 0)
        self._connection.stream_fault(self.stream_id, ErrorCodes.PROTOCOL_ERROR)

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Refuse the request: Request calls this, under this name, for multipart content that is none."""
        self._drop_request(Failure(ConnectionAborted()))
        self._refuse(400, Reason.BAD_REQUEST, "multipart/form-data that cannot be read")

    # --- The end.

    def requestDone(self, request: Any) -> None:
        """The response has been written (called by Request)."""
        if request != self._request:
            raise TypeError("this request is not being answered here")
        self._request = None
        self._awaited_since = None
        self.end()

    def loseConnection(self) -> None:
        """Give the response up (called by Request); what is missing must not look like its end."""
        self.reset_later(ErrorCodes.INTERNAL_ERROR)

    def lost(self, reason: Failure) -> None:
        """The stream is gone: tell whoever reads, writes or waits."""
        self.read_ended = True
        self._awaited_since = None
        self.give_back()
        content, tunnel = self._content, self._tunnel
        self._content = None
        for told in (
            self.stop_producing,
            lambda: content.fail() if content is not None else None,
            lambda: self._drop_request(reason),
            lambda: tunnel.lost(reason) if tunnel is not None else None,
        ):
            try:
                told()
            except Exception:  # noqa: BLE001 - the application's; the others are told all the same
                _log.failure("an application failed at the end of stream {id}", id=self.connection_id)
        self.release()

    def was_reset(self, code: int) -> None:
        """The stream has been reset, by either side."""
        self.lost(reset_reason(code))

    def _drop_request(self, reason: Failure) -> None:
        request, self._request = self._request, None
        if request is not None:
            self._connection.unfinished(request)
            request.connectionLost(reason)

    def stop(self) -> None:
        """The site stops: a protocol behind a switch is told."""
        if self._going_away is not None:
            self._going_away(self._owner.context.close_code)

    # --- Deadlines.

    def deadline(self) -> float | None:
        """Say when the client will have let us wait too long."""
        times = []
        if self._pending_since is not None and self._must_be_read():
            times.append(self._pending_since + self.limits.write_timeout)
        if self._awaited_since is not None and self.limits.content_timeout and not self.waiting_bytes():
            times.append(self._awaited_since + self.limits.content_timeout)
        if self._closed_at is not None:
            times.append(self._closed_at + LINGER_SECONDS)
        return min(times, default=None)

    def _must_be_read(self) -> bool:
        """Whether the client must take what waits: of a tunnel its protocol knows, unless it has been closed."""
        return not self._taken or (self._tunnel is not None and self._tunnel.disconnecting)

    def expired(self) -> None:
        """The deadline has passed."""
        now = self._owner.seconds()
        if self._closed_at is not None and self._closed_at + LINGER_SECONDS <= now:
            self.reset_later(ErrorCodes.NO_ERROR)
        elif (
            self._pending_since is not None
            and self._must_be_read()
            and self._pending_since + self.limits.write_timeout <= now
        ):
            self.reset_later(ErrorCodes.CANCEL)
        else:
            self.refuse_content(408, Reason.CONTENT_TIMEOUT)
