"""A stream as ``interfaces.Takeable``: HTTP ends on it, and it becomes the transport of another protocol (RFC 8441)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IProtocol

from upgradegw.http2.fields import response_fields
from upgradegw.http2.receiving import ReceivingHalf
from upgradegw.interfaces import Standing, Taken
from upgradegw.takeover import detach_request


class TakeableHalf(ReceivingHalf):
    """The part of a stream that can be taken away from HTTP.

    Attributes:
        logs_requests: The site's log tells the outcome of upgrades.
    """

    logs_requests = True
    _going_away: Callable[[int], None] | None = None

    def bytes_behind(self) -> bool:
        """Tell whether bytes came behind the request."""
        return self._tunnel is not None and self._tunnel.waiting > 0

    def close_after_response(self) -> None:
        """Nothing: what comes behind a request belongs to its stream, which ends with the response."""

    def take(self, request: Any) -> Taken:
        """End HTTP on this stream; see ``Takeable``.

        Raises:
            RuntimeError: The request is not the one that is being answered, or is no extended CONNECT.
        """
        if request != self._request or request.startedWriting or not request.extended_connect:
            raise RuntimeError("this request is not an extended CONNECT that is being answered here")
        self._request = None
        self._taken = True
        detach_request(request)
        tunnel = self.transport_to_be()
        leading_data = tunnel.take_leading_data()
        self.consumed()
        return Taken(
            transport=tunnel,
            leading_data=leading_data,
            attach=self._attach,
            write_head=lambda _phrase, fields: self.send_head(response_fields(b"200", fields)),
            resume=None,
            read_closed=self.read_ended,
        )

    def _attach(self, protocol: IProtocol) -> None:
        self.transport_to_be().protocol = protocol

    def data_received(self, data: bytes, controlled: int) -> None:
        """Take content, or what is meant for the protocol behind the switch."""
        tunnel = self._tunnel
        if not self._taken or tunnel is None:
            super().data_received(data, controlled)
            return
        self._owed += controlled
        tunnel.receive(data)
        if self._owed:
            self.consumed()

    def take_data(self, data: bytes) -> None:
        """Pass bytes on: to the tunnel, now or when there is one, else as content."""
        head = self._head_received
        if head is not None and head.protocol is not None:
            self.transport_to_be().receive(data)
        else:
            super().take_data(data)

    def end_received(self) -> None:
        """The client's side has ended."""
        super().end_received()
        if self._tunnel is not None:
            self._tunnel.end_received()

    def end_was_sent(self) -> bool:
        """Our side has ended; return whether the stream goes on, for the client may still send.

        A client that is still sending its request when the response is complete is told to stop (RFC 9113 section
        8.1), but not at once: some clients lose a response behind which that comes. A tunnel that has been closed
        likewise waits a moment for the client to close it, too.
        """
        tunnel = self._tunnel if self._taken else None
        if tunnel is None or tunnel.disconnecting or tunnel.read_end_told:
            self.close()
        return not self.read_ended

    def release(self) -> None:
        """Let go of what refers back to this stream, so that all of it is freed at once."""
        self._tunnel = self._content = None

    def switched(self, going_away: Callable[[int], None]) -> Standing:
        """Remember how to end the protocol that speaks now; do it if the site is already stopping."""
        if self.gone or (self.end_sent and self.read_ended):
            return self  # it has ended already
        self._going_away = going_away
        if self._owner.context.stopping:
            going_away(self._owner.context.close_code)
        return self

    def ended(self) -> None:
        """The protocol behind the switch is done."""
        self._going_away = None
