"""The answers that the channel gives itself, when it will not read on: short, fixed and closing.

Nothing that the client sent is repeated to it, and no cache may keep them.
"""

from __future__ import annotations

from http import HTTPStatus

from twisted.web.http import datetimeToString

_TEXTS = {
    400: b"The request is malformed.",
    405: b"This method is not served here.",
    408: b"The request did not arrive in time.",
    413: b"The request's content is too large.",
    414: b"The request's target is too long.",
    421: b"This server does not answer for that host.",
    431: b"The request's head is too large.",
    501: b"The request's transfer coding is not known here.",
    503: b"There are too many connections. Try again later.",
    505: b"Only HTTP/1.1 and HTTP/1.0 are spoken here.",
}

# Required fields: RFC 9110 section 15.5.6 (405), and advice to come back (RFC 9110 section 10.2.3).
_FIELDS = {405: b"Allow: GET, HEAD, POST, OPTIONS\r\n", 503: b"Retry-After: 5\r\n"}


def refusal(status: int, now: float, *, body: bool = True) -> bytes:
    """Return a whole response.

    Args:
        status: 400, 405, 408, 413, 414, 421, 431, 501, 503 or 505.
        now: The time, in seconds since the epoch.
        body: Whether the content is sent; not behind HEAD (RFC 9110 section 9.3.2).
    """
    text = _TEXTS[status] + b"\n"
    head = (
        b"HTTP/1.1 %d %b\r\nServer: upgradegw\r\nDate: %b\r\nConnection: close\r\nCache-Control: no-store\r\n"
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n%b\r\n"
        % (status, HTTPStatus(status).phrase.encode(), datetimeToString(now), len(text), _FIELDS.get(status, b""))
    )
    return head + text if body else head
