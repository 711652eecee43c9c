"""Take a connection away from twisted.web: the hook that ``twisted.web.http.HTTPChannel`` does not have in public.

``takeable(request)`` finds out whether the connection of a request can be taken over, and ``take`` does it: on TCP,
TLS (also by ``startTLS``), UNIX sockets and below ``haproxy:`` endpoints, without losing a byte that the client sent
behind its request. What comes out is the connection's own transport. ``upgradegw.switching.switch`` then starts a
protocol on it.

You can use both without the rest of this package; see "Take over a connection yourself" in the documentation.

This is the only file that names private attributes of twisted.web. What it relies on is tested with the lowest and
the latest Twisted that is supported.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from twisted.internet.interfaces import IProtocol
from twisted.protocols.policies import ProtocolWrapper
from twisted.web.http import HTTPChannel

from upgradegw.interfaces import Standing, Takeable, Taken
from upgradegw.negotiation.model import Fields
from upgradegw.switching import http1_switching_head

_numbers = count(1)


def takeable(request: Any) -> Takeable | None:
    """Return the connection of a request as something that can be taken over.

    Args:
        request: A ``twisted.web.http.Request`` that is being rendered.

    Returns:
        None where there is no connection of its own, for example on an HTTP/2 stream of twisted.web, and where the
        client has left or the request has been answered.
    """
    channel = getattr(request, "channel", None)
    if hasattr(channel, "transport_to_be") and hasattr(channel, "take"):
        return channel
    return StockConnection(channel) if isinstance(channel, HTTPChannel) else None


def attach_protocol(transport: Any, protocol: IProtocol) -> None:
    """Make a protocol the receiver of a transport's events.

    Args:
        transport: The transport as the present protocol knows it: a socket, a wrapper around one (TLS, PROXY), or a
            socket on which ``startTLS`` was called and whose protocol is therefore the TLS layer.
        protocol: The new receiver. Its ``makeConnection`` is not called here.
    """
    if isinstance(transport, ProtocolWrapper):
        transport.wrappedProtocol = protocol
        return
    holder = transport.protocol
    if not isinstance(holder, ProtocolWrapper):
        transport.protocol = protocol
        return
    while isinstance(holder.wrappedProtocol, ProtocolWrapper):
        holder = holder.wrappedProtocol
    holder.wrappedProtocol = protocol


def detach_request(request: Any) -> None:
    """Finish a request whose connection no longer speaks HTTP.

    Its content is closed and ``notifyFinish`` fires; writing to it from now on raises as after ``finish``.
    """
    if request.producer is not None:
        request.unregisterProducer()
    request.startedWriting = 1
    request.finished = 1
    request.channel = None
    if request.content is not None:
        request.content.close()
    notifications, request.notifications = request.notifications, []
    for notification in notifications:
        notification.callback(None)


def is_disconnected(request: Any) -> bool:
    """Tell whether a request has no connection any more: the client has gone, or the answer is complete."""
    return bool(request._disconnected) or getattr(request, "channel", None) is None  # noqa: SLF001


class StockConnection:
    """An ``HTTPChannel`` of twisted.web as ``Takeable``.

    The channel keeps up to 16 KiB of what comes behind a request and then stops reading; so nothing is lost and
    nothing grows while an upgrade is prepared.
    """

    logs_requests = False

    def __init__(self, channel: HTTPChannel) -> None:
        """Adapt a channel.

        Args:
            channel: The channel of a request that is being rendered.
        """
        self._channel: Any = channel
        self.connection_id = f"s{next(_numbers)}"

    def transport_to_be(self) -> Any:
        """Return the transport, to be asked only."""
        return self._channel.transport

    def bytes_behind(self) -> bool:
        """Tell whether bytes came behind the request."""
        return any(self._collect())  # an empty piece is there behind content

    def _collect(self) -> list[bytes]:
        """Bring what the line parser still holds to where later bytes are kept, and return that list."""
        channel = self._channel
        rest = channel.clearLineBuffer()
        if rest:
            channel._dataBuffer.append(rest)  # noqa: SLF001
        return channel._dataBuffer  # type: ignore[no-any-return] # noqa: SLF001

    def close_after_response(self) -> None:
        """Close behind the response if bytes are there when its head is written; they are not parsed (RFC 9931)."""
        channel = self._channel
        write_headers = channel.writeHeaders

        def write(version: bytes, code: bytes, reason: bytes, headers: Any) -> None:
            vars(channel).pop("writeHeaders", None)  # one resource within another may both have asked
            if self.bytes_behind():
                channel.persistent = False
                if b"close" not in headers.getRawHeaders(b"Connection", ()):
                    headers.addRawHeader(b"Connection", b"close")
            write_headers(version, code, reason, headers)

        channel.writeHeaders = write

    def take(self, request: Any) -> Taken:
        """End HTTP here: no timer, no producer, no reference to the request is left.

        Raises:
            RuntimeError: The client has gone, or the request has been answered, if only in part.
        """
        channel = self._channel
        if is_disconnected(request) or request.channel is not channel or request.startedWriting:
            raise RuntimeError("this request is not waiting for its answer here")
        transport = channel.transport
        channel.setTimeout(None)
        leading_data = b"".join(self._collect())
        channel._dataBuffer = []  # noqa: SLF001
        reader = channel._networkProducer  # noqa: SLF001
        paused = len(leading_data) > channel._optimisticEagerReadSize or channel._waitingForTransport  # noqa: SLF001
        detach_request(request)
        reader.unregisterProducer()
        channel.requests.remove(request)
        channel.transport = None
        return Taken(
            transport=transport,
            leading_data=leading_data,
            attach=lambda protocol: attach_protocol(transport, protocol),
            write_head=lambda phrase, fields: _write_head(transport, phrase, fields),
            resume=reader.resumeProducing if paused else None,
        )

    def switched(self, going_away: Callable[[int], None]) -> Standing:  # noqa: ARG002 - the interface's
        """Nobody stops a stock Site in order."""
        return self

    def ended(self) -> None:
        """Nobody counts the connections of a stock Site."""


def _write_head(transport: Any, phrase: bytes, fields: Fields) -> None:
    transport.write(http1_switching_head(phrase, fields))
