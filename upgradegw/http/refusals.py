"""What a client reads when a connection answers by itself, without a resource: short and fixed.

Nothing that the client sent is repeated to it, and no cache may keep it.
"""

from __future__ import annotations

from upgradegw.negotiation.model import Fields

_TEXTS = {
    400: b"The request is malformed.",
    405: b"This method is not served here.",
    408: b"The request did not arrive in time.",
    413: b"The request's content is too large.",
    414: b"The request's target is too long.",
    421: b"This server does not answer for that host and scheme.",
    426: b"Only TLS is spoken here: see the Upgrade field of this response.",
    431: b"The request's head is too large.",
    501: b"The request's transfer coding is not known here.",
    503: b"There are too many connections. Try again later.",
    505: b"Only HTTP/1.1 and HTTP/1.0 are spoken here.",
}

# Required fields: RFC 9110 section 15.5.6 (405), and advice to come back (RFC 9110 section 10.2.3).
_FIELDS = {405: ((b"Allow", b"GET, HEAD, POST, OPTIONS"),), 503: ((b"Retry-After", b"5"),)}


def refusal_parts(status: int) -> tuple[Fields, bytes]:
    """Return the fields and the content of a refusal; Date and what frames the content is the connection's to add.

    Args:
        status: 400, 405, 408, 413, 414, 421, 426, 431, 501, 503 or 505.
    """
    text = _TEXTS[status] + b"\n"
    fields = (
        (b"Server", b"upgradegw"),
        (b"Cache-Control", b"no-store"),
        (b"Content-Type", b"text/plain; charset=utf-8"),
        (b"Content-Length", b"%d" % len(text)),
        *_FIELDS.get(status, ()),
    )
    return fields, text
