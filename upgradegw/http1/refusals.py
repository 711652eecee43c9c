"""The answers that the channel gives itself, when it will not read on: short, fixed and closing."""

from __future__ import annotations

from http import HTTPStatus

from twisted.web.http import datetimeToString

from upgradegw.http.refusals import refusal_parts
from upgradegw.negotiation.model import Fields


def refusal(status: int, now: float, *, body: bool = True, fields: Fields = (), closes: bool = True) -> bytes:
    """Return a whole response.

    Args:
        status: One that ``refusal_parts`` knows.
        now: The time, in seconds since the epoch.
        body: Whether the content is sent; not behind HEAD (RFC 9110 section 9.3.2).
        fields: More fields, for those whose values are not always the same.
        closes: Whether the connection is closed behind it.
    """
    own, text = refusal_parts(status)
    lines = [*(((b"Connection", b"close"),) if closes else ()), *own, *fields]
    head = b"HTTP/1.1 %d %b\r\nDate: %b\r\n%b\r\n" % (
        status,
        HTTPStatus(status).phrase.encode(),
        datetimeToString(now),
        b"".join([name + b": " + value + b"\r\n" for name, value in lines]),
    )
    return head + text if body else head
