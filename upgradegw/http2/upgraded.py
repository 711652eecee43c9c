"""The request of HTTP/1.1 that asked for HTTP/2 with an Upgrade field (RFC 7540 section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

from upgradegw.http2.validation import CONNECTION_SPECIFIC, Http2Head, Malformed, validate_request
from upgradegw.negotiation.model import Fields


@dataclass(frozen=True, slots=True)
class UpgradedRequest:
    """A request that is answered on stream 1, which its client has already ended.

    Attributes:
        settings: The value of HTTP2-Settings; ``negotiation.http2_settings`` has judged it.
        head: The request as HTTP/2 has it.
        content: Its content, complete.
    """

    settings: bytes
    head: Http2Head
    content: IO[bytes]


def upgraded_head(method: bytes, target: bytes, host: bytes, fields: Fields) -> Http2Head | None:
    """Return the head of a request of HTTP/1.1 as HTTP/2 has it, or None if it would be malformed there.

    What speaks of the connection alone is left out (RFC 9110 section 7.6.1).

    Args:
        method: The method.
        target: The target in origin-form, or ``*``.
        host: The value of Host.
        fields: The field lines.
    """
    control = [(b":method", method), (b":scheme", b"http"), (b":path", target), (b":authority", host)]
    lines = [(name.lower(), value.strip(b" \t")) for name, value in fields]
    kept = [(name, value) for name, value in lines if name not in CONNECTION_SPECIFIC and name not in _OF_THE_OFFER]
    head = validate_request([*control, *kept], extended_connect=False)
    return None if isinstance(head, Malformed) else head


#: Named in Connection, or meant for the next hop: not part of the request on the stream.
_OF_THE_OFFER = frozenset((b"http2-settings", b"te", b"trailer", b"expect"))
