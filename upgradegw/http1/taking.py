"""The channel as ``interfaces.Takeable``: HTTP ends, and the transport goes to another protocol."""

from __future__ import annotations

from collections.abc import Callable
from socket import socket
from typing import Any

from upgradegw.http1.closing import ClosingHalf, State
from upgradegw.interfaces import Taken
from upgradegw.switching import http1_switching_head
from upgradegw.takeover import attach_protocol, detach_request


class TakeableHalf(ClosingHalf):
    """The part of the channel that can be taken away from HTTP.

    Attributes:
        logs_requests: The site's log tells the outcome of upgrades.
    """

    logs_requests = True
    _close_if_behind = False

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
        transport = self.transport
        self._state = State.TAKEN
        self._request = self._head = None
        self._context.wheel.forget(self)
        detach_request(request)
        at_once = self._socket if not self._queue and not self._held else None
        self._give_all()
        self._unregister_self()
        leading_data = bytes(self._in[self._at :])
        self._in, self._at = b"", 0
        return Taken(
            transport=transport,
            leading_data=leading_data,
            attach=lambda protocol: attach_protocol(transport, protocol),
            write_head=lambda phrase, fields: self._announce(at_once, http1_switching_head(phrase, fields)),
            resume=None if self._reading or self._read_closed else self._resume_taken,
            read_closed=self._read_closed,
        )

    def _announce(self, at_once: socket | None, head: bytes) -> None:
        if at_once is not None:
            self._send_at_once(at_once, head)
        else:
            self.transport.write(head)

    def _resume_taken(self) -> None:
        self._reading = True
        self.transport.resumeProducing()

    def switched(self, going_away: Callable[[int], None]) -> None:
        """Remember how to end the protocol that speaks now; do it if the site is already stopping."""
        if self._state != State.TAKEN:
            return  # it has ended already
        self._going_away = going_away
        if self._context.stopping:
            going_away(self._context.close_code)

    def ended(self) -> None:
        """The switched connection is gone."""
        self._state = State.GONE
        self._going_away = None
        self._forget()
