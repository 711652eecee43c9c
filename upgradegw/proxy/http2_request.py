"""A request to an upstream as HTTP/2 has it: pure."""

from __future__ import annotations

from upgradegw.http.content import EXPECT_CONTENT
from upgradegw.http2.validation import CONNECTION_SPECIFIC, bad_field
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Fields
from upgradegw.proxy.exchange import UpstreamRequest

#: What HTTP/2 says by other means, or what is written here.
_NOT_FIELDS = CONNECTION_SPECIFIC | {b"host", b"content-length"}

#: HTTP/2 has no use for the key of a WebSocket handshake (RFC 8441 section 5).
_KEY = b"sec-websocket-key"


def request_fields(request: UpstreamRequest, scheme: bytes) -> Fields:
    """Return a request's header section as HTTP/2 has it (RFC 9113 section 8.3.1, RFC 8441 section 4).

    Args:
        request: The request; of its tokens the first is asked for, for a stream can ask for one only.
        scheme: That of the connection, ``b"http"`` or ``b"https"``. What the client used is in X-Forwarded-Proto or
            Forwarded: a server may answer 421 to a scheme that its connection does not have (RFC 9110 section 7.4).

    Raises:
        ValueError: A line holds what may not stand in it.
    """
    fields = [(b":method", b"CONNECT" if request.tokens else request.method)]
    if request.tokens:
        fields.append((b":protocol", request.tokens[0]))
    fields += [(b":scheme", scheme), (b":authority", request.authority), (b":path", request.target)]
    for name, value in request.fields:
        lower, stripped = name.lower(), value.strip(b" \t")
        if lower in _NOT_FIELDS or (lower == b"te" and stripped.lower() != b"trailers"):
            continue
        if lower != _KEY or not request.tokens:
            fields.append((lower, stripped))
    length = request.content_length
    if length or (length == 0 and request.method in EXPECT_CONTENT and not request.tokens):
        fields.append((b"content-length", b"%d" % length))
    for name, value in fields:
        if bad_field(name, value) is not None:
            raise ValueError(f"a request cannot hold {printable(name)}: {printable(value)}")
    return tuple(fields)
