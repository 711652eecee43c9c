"""The channel's ways to HTTP/2: agreed on by TLS, by prior knowledge, or by an Upgrade field.

What the HTTP/2 connection is, the site says; here the transport changes hands, with the bytes that have come.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IHandshakeListener
from zope.interface import implementer

from upgradegw.http1.closing import State
from upgradegw.http1.head import Head
from upgradegw.http1.receiving import ReceivingHalf
from upgradegw.takeover import attach_protocol, detach_request

_SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"


def _agreed_on(transport: Any) -> bytes | None:
    """Return what TLS agreed on; where ``startTLS`` was called on a socket, its layer is the socket's protocol."""
    agreed: bytes | None = getattr(transport, "negotiatedProtocol", None)
    if agreed is None:
        agreed = getattr(getattr(transport, "protocol", None), "negotiatedProtocol", None)
    return agreed


@implementer(IHandshakeListener)
class LeavingHalf(ReceivingHalf):
    """The part of the channel that can become an HTTP/2 connection.

    Attributes:
        http2: Makes the HTTP/2 connection that takes the place of this one, or None.
        h2c: Judges the offer of a request whose content has been read in full: makes the connection that answers it on
            its stream 1 (RFC 7540 section 3.2), or returns None; gets the channel, the head and the content.
        preface: What a client that knows of HTTP/2 may begin with on a connection without TLS (RFC 9113 section 3.3);
            empty if it may not.
    """

    http2: Callable[[Any], Any] | None = None
    h2c: Callable[[Any, Head, Any], Any] | None = None
    preface: bytes = b""
    # Whether the connection could have begun with the preface, and did not.
    _might_be_http2 = False

    def handshakeCompleted(self) -> None:
        """The TLS handshake is done; now the connection may lie idle, or speaks what was agreed on."""
        if self.http2 is not None and _agreed_on(self.transport) == b"h2":
            self._hand_over(self.http2(self), b"")
            return
        if self._state == State.HEAD and not self._in:
            self._head_since = None
            self._progress()

    def _is_preface(self, data: bytes) -> bool:
        """Tell whether a connection's first bytes are HTTP/2's preface, or may become it; then they are seen to."""
        start, size = bytes(self._in) + data if self._in else data, len(self.preface)
        if self.http2 is None or self._in_tls or not self.preface.startswith(start[:size]):
            self._might_be_http2 = not self._in_tls
            self.preface = b""
            return False
        if len(start) >= size:
            self._hand_over(self.http2(self), start)
            return True
        self._in = start
        if self._head_since is None:
            self._head_since = self._clock.seconds()
            self._context.wheel.hasten(self)
        return True

    def _answer(self) -> None:
        """Hand the request to its resource, or let HTTP/2 do so if the client would have that.

        Content of unknown length, or that somebody reads as it comes, is none to switch behind: nobody knows yet
        where it ends.
        """
        head = self._head
        if self.h2c is not None and head is not None and head.upgrades and not head.chunked and self._stream is None:
            connection = self.h2c(self, head, self._request.content)
            if connection is not None:
                self._switch_to_http2(connection)
                return
        super()._answer()

    def _switch_to_http2(self, connection: Any) -> None:
        """Say 101; the request's content goes on to its stream."""
        request, self._request = self._request, None
        request.content = None  # it is not closed with this request
        detach_request(request)
        self.write(_SWITCHING)
        self._give_all()
        self._hand_over(connection, bytes(self._in[self._at :]))

    def _hand_over(self, connection: Any, data: bytes) -> None:
        """Let an HTTP/2 connection have the transport, and the bytes that have come."""
        self._state = State.TAKEN
        self._in, self._at, self._socket, self._head = b"", 0, None, None
        self._context.wheel.forget(self)
        self._unregister_self()
        transport = self.transport
        self._context.replace(self, connection)
        attach_protocol(transport, connection)
        connection.makeConnection(transport)
        if data:
            connection.dataReceived(data)
