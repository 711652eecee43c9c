"""The channel's way to TLS by an Upgrade field (RFC 2817): the request waits, and is answered in TLS.

Which offer is accepted, and what TLS is, the site says; here the connection stops for a handshake and goes on.
"""

from __future__ import annotations

from typing import Any, Protocol

from upgradegw.http.headers import CANONICAL, canonical_name
from upgradegw.http1.closing import State
from upgradegw.http1.head import Head
from upgradegw.http1.leaving import LeavingHalf
from upgradegw.http1.refusals import refusal
from upgradegw.interfaces import Taken
from upgradegw.negotiation.fields import get_all, printable
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.tls_upgrade import inside_tls
from upgradegw.switching import http1_switching_head
from upgradegw.takeover import attach_protocol

#: The fields that differ between a request and the same one in TLS.
_OF_THE_OFFER = [CANONICAL.get(name) or canonical_name(name) for name in (b"Connection", b"Upgrade", b"HTTP2-Settings")]


class TlsOffers(Protocol):
    """What a site says to offers of TLS.

    Attributes:
        tokens: What may be offered, the highest version first.
        required: Whether nothing is answered without TLS.
    """

    tokens: tuple[bytes, ...]
    required: bool

    def choose(self, channel: Any, head: Head) -> bytes | None:
        """Return the token that the 101 names, or None if the request offers nothing that is accepted."""

    def start(self, channel: Any, head: Head, token: bytes, taken: Taken) -> None:
        """Write the 101 and start TLS; it calls ``secured`` with its transport and attaches the channel to it."""


class SecuringHalf(LeavingHalf):
    """The part of the channel that can go on in TLS.

    Attributes:
        tls_upgrade: Judges offers of TLS; None to take none.
    """

    tls_upgrade: TlsOffers | None = None
    # What the present request's 101 will name, once its content is there.
    _tls_token: bytes | None = None

    @property
    def securing(self) -> bool:
        """Whether a request waits for TLS."""
        return self._state == State.SECURING

    def _begin_in_cleartext(self, tls: TlsOffers, head: Head, streams: bool) -> bool:
        """Begin a request that may offer TLS; return whether to go on.

        Its content has to be kept until TLS is there. Where it would be streamed, there may be no end to it, and only
        as much is kept as of what comes behind a request.
        """
        fits = not streams or (not head.chunked and head.content_length <= self._limits.max_leading_data)
        token = tls.choose(self, head) if head.upgrades and fits and not self._read_closed else None
        if token is not None:
            self._tls_token = token
            head, streams = _inside(head), False
        elif tls.required:
            return self._demand_tls(tls, head)
        self._start_request(head, streams)
        return True

    def _start_request(self, head: Head, streams: bool) -> None:
        """Make the request."""
        raise NotImplementedError

    def _demand_tls(self, tls: TlsOffers, head: Head) -> bool:
        """Answer 426 (RFC 2817 section 4.2); return whether the client may offer TLS on this connection.

        Not behind content, which would have to be read, nor with bytes behind an offer, which nobody can tell (RFC
        9931).
        """
        has_content = bool(head.content_length) or head.chunked
        unclear = has_content or (head.upgrades and self.bytes_behind())
        closes = unclear or not head.keep_alive or self._context.stopping
        fields = ((b"Upgrade", b", ".join(tls.tokens)), (b"Connection", b"Upgrade"))
        now, has_body = self._clock.seconds(), head.method != b"HEAD"
        answer = refusal(426, now, body=has_body, fields=fields, closes=closes)
        offers = b", ".join(get_all(head.fields, b"upgrade"))
        about, why = (
            (head.method, head.target, head.fields),
            (426, Reason.TLS_REQUIRED, f"Upgrade: {printable(offers)}"),
        )
        self._context.log_refusal(self, about, why, len(answer.partition(b"\r\n\r\n")[2]))
        if not closes:
            self._register_self()
        self.write(answer)
        self._progress()
        if closes:
            self._after_sending(self._linger if unclear else self._lose)
        return not closes

    def _answer(self) -> None:
        """Hand the request to its resource, or keep it until there is TLS."""
        token, self._tls_token = self._tls_token, None
        if token is None:
            super()._answer()
        else:
            self._secure(token)

    def _secure(self, token: bytes) -> None:
        """Say 101 and stop; the bytes behind the request are the client's first of TLS."""
        tls, head, transport = self.tls_upgrade, self._head, self.transport
        assert tls is not None  # noqa: S101 - for the type checker
        assert head is not None  # noqa: S101 - for the type checker
        self._state = State.SECURING
        self._progress()
        self._give_all()
        self._unregister_self()
        leading_data, self._in, self._at = bytes(self._in[self._at :]), b"", 0
        taken = Taken(
            transport=transport,
            leading_data=leading_data,
            attach=lambda protocol: attach_protocol(transport, protocol),
            write_head=lambda phrase, fields: transport.write(http1_switching_head(phrase, fields)),
            resume=None if self._reading else self._resume_taken,
        )
        self._context.wheel.hasten(self)
        tls.start(self, head, token, taken)

    def secured(self, transport: Any) -> None:
        """TLS has begun.

        Args:
            transport: Its transport.
        """
        self.transport = transport
        self._in_tls = True
        if self._request is not None:
            self._request.transport = transport
        self._register_self()

    def cut(self, reason: Any) -> None:
        """The connection is gone; nothing happens where TLS itself has said so.

        Args:
            reason: The Failure.
        """
        if self._state != State.GONE:
            self.connectionLost(reason)

    def handshakeCompleted(self) -> None:
        """The TLS handshake is done; a request that waits for it is answered."""
        if self._state == State.SECURING:
            self._progress()
            super()._answer()
        else:
            super().handshakeCompleted()

    def _patience(self) -> float | None:
        return self._limits.head_timeout if self._state == State.SECURING else super()._patience()

    def expired(self) -> None:
        """The deadline has passed (the wheel says)."""
        if self._state == State.SECURING:
            self.abort()
        else:
            super().expired()


def _inside(head: Head) -> Head:
    """Return the head as it is answered in TLS."""
    fields, by_name = inside_tls(head.fields), dict(head.by_name)
    for name in _OF_THE_OFFER:
        values = get_all(fields, name.lower())
        if values:
            by_name[name] = values
        else:
            by_name.pop(name, None)
    method, target, version, _, _, host, keep_alive, length, chunked, continues, _ = head
    upgrades = b"Upgrade" in by_name
    return Head(method, target, version, fields, by_name, host, keep_alive, length, chunked, continues, upgrades)
