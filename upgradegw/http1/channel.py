"""The HTTP/1.1 channel: bytes of a connection to requests of twisted.web, one after the other.

``Request`` finds here what ``twisted.web.http.HTTPChannel`` gives it. Requests that were pipelined are answered in
order, in a loop. While a request is with its resource, bytes that arrive are kept, for they are the next requests or
belong to the protocol that the client expects behind a switch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import ISSLTransport, ITCPTransport
from twisted.web.iweb import INonQueuedRequestFactory

from upgradegw.http.headers import FastHeaders
from upgradegw.http1.closing import State
from upgradegw.http1.head import BadHead, Head, judge_start, parse_head
from upgradegw.http1.securing import SecuringHalf
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.transports import plain_socket


class Channel(SecuringHalf):
    """One HTTP/1.1 connection.

    Made by ``UpgradeSite``; ``site``, ``factory``, ``requestFactory`` and ``timeOut`` are set as ``HTTPFactory`` and
    ``Site`` set them on their channels.

    Attributes:
        factory: The site; its ``log`` is called by Request.
        requestFactory: Makes the requests.
        short_switch: Switches what needs no request for that, or returns false, and nothing has happened; gets the
            channel and the head. None where every upgrade is a request.
    """

    requestFactory: Any = None
    short_switch: Callable[[Any, Head], bool] | None = None
    _running = False
    _scanned = 0

    # --- The connection.

    def connectionMade(self) -> None:
        """Begin; a connection too many is told so as soon as it asks."""
        transport = self.transport
        if ITCPTransport.providedBy(transport):
            transport.setTcpNoDelay(True)
            transport.setTcpKeepAlive(True)
        self._socket = plain_socket(transport)
        self._progress()
        if ISSLTransport.providedBy(transport):
            self._in_tls = True
            self._head_since = self._since  # until the handshake is done
        if not self._context.add(self):
            self._unwelcome = True
        self._context.wheel.enter(self)

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from the connection."""
        if self._state >= State.CLOSING:
            self._discard(data)
            return
        if self.preface and self._is_preface(data):
            return
        if not self._in:
            self._in = data
        else:
            if not isinstance(self._in, bytearray):
                self._in = bytearray(self._in)
            self._in += data
        if not self._running:
            self._run()

    def _run(self) -> None:
        """Go on as far as the bytes go: answer requests one after the other."""
        self._running = self._gathering = True
        try:
            while self._at < len(self._in):
                state = self._state
                if state == State.HEAD:
                    if self.blocked or self._queue or not self._read_head():
                        break
                elif self._left or self._chunks is not None:
                    self._read_content()
                else:
                    break
        finally:
            self._running = self._gathering = False
            if self._held:
                self.flush()
        if self._state == State.HEAD:
            if self._read_closed:
                self._after_sending(self._lose)
        elif self._state == State.ANSWERING and len(self._in) - self._at > self._limits.max_leading_data:
            self._update_reading()

    # --- Heads.

    def _read_head(self) -> bool:
        """Read the next head if it is complete; return whether to go on."""
        data, at = self._in, self._at
        while data.startswith(b"\r\n", at):
            at += 2  # RFC 9112 section 2.2: empty lines before a request line are ignored
        if at == len(data):
            self._consume(at)
            self._scanned = 0
            return False
        end = data.find(b"\r\n\r\n", max(at, self._scanned))
        if end < 0:
            self._at, self._scanned = at, max(at, len(data) - 3)
            self._wait_for_head()
            return False
        end += 4
        head = parse_head(bytes(data[at:end]), self._limits)
        self._consume(end)
        self._scanned = 0
        self._head_since = None
        if isinstance(head, BadHead):
            self._refuse_head(head)
            return False
        return self._begin(head)

    def _wait_for_head(self) -> None:
        """Part of a head is there: refuse what can be no request, and start its deadline."""
        start = self._in[self._at :]
        bad = judge_start(start, self._limits) if start != b"\r" else None
        if bad is not None:
            self._refuse_head(bad)
        elif self._unwelcome:
            self._refuse(503, Reason.TOO_MANY_CONNECTIONS)
        elif self._head_since is None:
            self._head_since = self._clock.seconds()
            self._context.wheel.hasten(self)

    def _refuse_head(self, bad: BadHead) -> None:
        silent = self._might_be_http2 and not bad.is_http
        self._refuse(bad.status, bad.reason, bad.detail, (bad.method, bad.target, ()), silent=silent)

    def _begin(self, head: Head) -> bool:
        """Begin a request; return whether it was accepted."""
        limits, context = self._limits, self._context
        about = (head.method, head.target, head.fields)
        if self._unwelcome or (
            limits.max_connections_per_client is not None and not context.count_client(self, head.fields)
        ):
            self._refuse(503, Reason.TOO_MANY_CONNECTIONS, "", about)
            return False
        if not context.serves(head.host):
            self._refuse(421, Reason.HOST_NOT_ALLOWED, "", about)
            return False
        streams = False
        if self._own_limits is not None:
            self._own_limits = None
        if head.content_length or head.chunked:
            streams = self._find_limits(head)
            most = self._limits_now().max_content
            if most is not None and head.content_length > most:
                self._refuse(413, Reason.CONTENT_TOO_LARGE, f"Content-Length: {head.content_length}", about)
                return False
        if self.tls_upgrade is not None and not self.isSecure():
            return self._begin_in_cleartext(self.tls_upgrade, head, streams)
        self._start_request(head, streams)
        return True

    def _start_request(self, head: Head, streams: bool) -> None:
        """Make the request, and hand it to its resource if nothing more is needed for that."""
        if head.upgrades and self._switches_at_once(head):
            return
        self._register_self()
        self._head = head
        self.began = self._clock.seconds()
        self.keep_alive = head.keep_alive
        if self._close_if_behind or self._might_be_http2:
            self._close_if_behind = self._might_be_http2 = False
        make = self.requestFactory
        self._request = request = make(self) if INonQueuedRequestFactory.providedBy(make) else make(self, 0)
        if isinstance(request.requestHeaders, FastHeaders):
            request.requestHeaders = FastHeaders.holding(head.by_name)
        else:
            for name, value in head.fields:
                request.requestHeaders.addRawHeader(name, value)
        request.parseCookies()
        length = head.content_length
        if length or head.chunked:
            self._start_content(head, streams)
            return
        request.gotLength(0)
        if head.expects_continue and (head.upgrades or self._tls_token is not None):
            self._continue()  # RFC 9110 section 7.8: a 100 comes before the 101
        self._answer()

    def _switches_at_once(self, head: Head) -> bool:
        """Take the short way if it is open: nothing else is wanted of us, such as a 100, HTTP/2 or TLS."""
        if self.short_switch is None or head.content_length or head.chunked or head.expects_continue:
            return False
        if self.h2c is not None or self._tls_token is not None:
            return False
        return self.short_switch(self, head) or not self.waits_for_a_request

    def expired(self) -> None:
        """The deadline has passed (the wheel says); an answer that nobody reads is logged as far as it went."""
        request = self._request
        if request is not None and request.startedWriting and (self.blocked or self.owed):
            detail = f"nothing was read for {self._limits_now().write_timeout} s"
            request.upgrade_outcome = Refuse(Reason.WRITE_TIMEOUT, request.code, (), detail)
            self.site.log(request)
        super().expired()

    def _sending_changed(self) -> None:
        if self.transport is None or self._state >= State.TAKEN:
            return
        if self.blocked:
            self._context.wheel.hasten(self)
        elif self._when_sent is not None:
            when_sent, self._when_sent = self._when_sent, None
            when_sent()
            return
        self._update_reading()
        if self._state == State.HEAD and not self.blocked and not self._running:
            self._run()

    # --- For Request.

    def requestDone(self, request: Any) -> None:
        """The response has been written (called by Request)."""
        if request != self._request:  # not by identity: a requestFactory may make proxies of requests
            raise TypeError("this request is not being answered here")
        self._request = None
        complete = not self._left and self._chunks is None
        self._stream = None
        if self._held:
            self.flush()
        if self._state != State.ANSWERING:
            return
        if not complete or not self.keep_alive or self._context.stopping:
            clean = complete and not self.bytes_behind()
            self._after_sending(self._lose if clean else self._linger)
            return
        self._state = State.HEAD
        self._progress()
        if self.blocked or self._queue or not self._reading:
            self._update_reading()
        if not self._running:
            self._run()

    def _respondToBadRequestAndDisconnect(self) -> None:
        """Refuse the request: Request calls this, under this name, for multipart content that is none."""
        self._refuse_request(400, Reason.BAD_REQUEST, "multipart/form-data that cannot be read")
