"""The channel as ``interfaces.Takeable``: HTTP ends, and the transport goes to another protocol."""

from __future__ import annotations

from collections.abc import Callable
from socket import socket
from typing import Any

from twisted.internet.interfaces import IProtocol, ISSLTransport

from upgradegw.http.context import Context
from upgradegw.http1.closing import ClosingHalf, State
from upgradegw.interfaces import Standing, Taken
from upgradegw.negotiation.model import Fields
from upgradegw.switching import http1_switching_head
from upgradegw.takeover import attach_protocol, detach_request
from upgradegw.transports import abort_transport


class TakeableHalf(ClosingHalf):
    """The part of the channel that can be taken away from HTTP.

    Attributes:
        logs_requests: The site's log tells the outcome of upgrades.
    """

    logs_requests = True
    _close_if_behind = False
    # Where the 101 goes if nothing waits in the transport.
    _at_once: socket | None = None

    def transport_to_be(self) -> Any:
        """Return the transport; only to be asked."""
        return self.transport

    def bytes_behind(self) -> bool:
        """Tell whether bytes came behind the request."""
        return self._at < len(self._in)

    def close_after_response(self) -> None:
        """Close if bytes are behind the request when its answer begins (RFC 9931): who offered may have sent them.

        Only where a switch was offered, be it without ``Connection: upgrade``, which some resources do not demand;
        pipelined requests behind a plain one are answered.
        """
        head = self._head
        self._close_if_behind = head is not None and head.http_version == b"HTTP/1.1" and b"Upgrade" in head.by_name

    def _goes_on(self) -> bool:
        if self._close_if_behind and self.bytes_behind():
            self.keep_alive = False
        return self.keep_alive and not self._context.stopping

    def take(self, request: Any) -> Taken:
        """End HTTP here; see ``Takeable``.

        Raises:
            RuntimeError: The request is not the one that is being answered.
        """
        if request != self._request or self._state != State.ANSWERING:
            raise RuntimeError("this request is not being answered here")
        return self._end_http(request)

    @property
    def waits_for_a_request(self) -> bool:
        """Whether no request has been made of what was read, and the connection has not ended."""
        return self._state == State.HEAD

    def take_at_once(self) -> Taken:
        """End HTTP behind the head that has just been read, of which no request was made."""
        return self._end_http(None)

    def _end_http(self, request: Any) -> Taken:
        transport = self.transport
        self._state = State.TAKEN
        self._request = self._head = None
        self._context.wheel.leave(self)
        if request is not None:
            detach_request(request)
        self._at_once = self._socket if not self._queue and not self._held else None
        self._give_all()
        self._unregister_self()
        leading_data = bytes(self._in[self._at :])
        self._in, self._at = b"", 0
        return Taken(
            transport=transport,
            leading_data=leading_data,
            attach=self._attach,
            write_head=self._announce,
            resume=None if self._reading or self._read_closed else self._resume_taken,
            read_closed=self._read_closed,
        )

    def _attach(self, protocol: IProtocol) -> None:
        attach_protocol(self.transport, protocol)

    def _announce(self, phrase: bytes, fields: Fields) -> None:
        head = http1_switching_head(phrase, fields)
        if self._at_once is not None:
            self._send_at_once(self._at_once, head)
        else:
            self.transport.write(head)

    def _resume_taken(self) -> None:
        self._reading = True
        self.transport.resumeProducing()

    def switched(self, going_away: Callable[[int], None]) -> Standing:
        """Remember how to end the protocol that speaks now; do it if the site is already stopping."""
        if self._state != State.TAKEN:
            return self  # it has ended already
        self._state = State.GONE
        standing = SwitchedConnection(self, self._context, going_away)
        self._context.replace(self, standing)
        if self._context.stopping:
            standing.stop()
        return standing

    def ended(self) -> None:
        """The switched connection is gone, before anything stood in this one's place."""
        self._state = State.GONE
        self._forget()


class SwitchedConnection:
    """What is kept of a channel whose connection speaks another protocol.

    Attributes:
        connection_id: The channel's name for the logs.
        counted_as: The context's: the client for which the connection counts.
        site: The channel's: where the connection came in.
        transport: The connection's.
    """

    __slots__ = ("_context", "_going_away", "connection_id", "counted_as", "site", "transport")

    def __init__(self, channel: TakeableHalf, context: Context, going_away: Callable[[int], None]) -> None:
        """Stand in a channel's place.

        Args:
            channel: The channel.
            context: What the site's connections share.
            going_away: Ends the protocol in order.
        """
        self.connection_id = channel.connection_id
        self.site = channel.site
        self.counted_as: str | None = None
        self.transport = channel.transport
        self._context = context
        self._going_away = going_away

    def getPeer(self) -> Any:
        """Return the address of the connection's other end."""
        return self.transport.getPeer()

    def isSecure(self) -> bool:
        """Tell whether the connection is encrypted by us."""
        return bool(ISSLTransport.providedBy(self.transport))

    def stop(self) -> None:
        """End in order."""
        self._going_away(self._context.close_code)

    def abort(self) -> None:
        """End at once."""
        abort_transport(self.transport)

    def ended(self) -> None:
        """The connection is gone."""
        self._context.remove(self)
