"""What is asked on a stream that we open, how long the answer is waited for, and who gets it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from upgradegw.http2.responses import Http2Response
from upgradegw.http2.transport import StreamTransport
from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.reasons import Reason


class Hearer(Protocol):
    """Who gets the answer; after ``ended``, ``switched`` and ``failed`` nothing follows."""

    def interim(self, response: Http2Response) -> None:
        """A 1xx has come."""

    def answered(self, response: Http2Response) -> None:
        """The final response's head has come."""

    def switched(self, response: Http2Response, transport: StreamTransport) -> None:
        """The server agrees to the switch; the transport is paused and has no protocol."""

    def data(self, data: bytes) -> None:
        """A piece of content has come."""

    def ended(self) -> None:
        """The response is complete."""

    def failed(self, reason: Reason, detail: str, *, untouched: bool) -> None:
        """There is no response, or no more of it; ``untouched``: the server says that it has not looked at it."""


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """What is asked on a stream.

    Attributes:
        fields: The request's fields, pseudo-header fields first.
        ends: Whether there is no content.
        head_only: Whether the method is HEAD.
        switches: Whether it is an extended CONNECT.
    """

    fields: Fields
    ends: bool
    head_only: bool = False
    switches: bool = False


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, and for how much, a server is waited for.

    Attributes:
        response_timeout: Seconds from the last byte of the request that it took to the response's head, or None.
        read_timeout: Seconds between two pieces of content, or None.
        max_head: Bytes of a response's head, each field counted with 32 more (RFC 9113 section 6.5.2).
        max_interim: Responses before the final one.
    """

    response_timeout: float | None
    read_timeout: float | None
    max_head: int
    max_interim: int
