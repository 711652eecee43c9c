"""Ways to ask for the judgement of a head."""

from __future__ import annotations

from upgradegw.http.limits import Limits
from upgradegw.http1.head import BadHead, Head, parse_head

LIMITS = Limits()


def head(*lines: bytes) -> Head | BadHead:
    return parse_head(b"\r\n".join((*lines, b"", b"")), LIMITS)


def status(*lines: bytes) -> int:
    """The status of the refusal; 200 if it is a request."""
    parsed = head(*lines)
    return parsed.status if isinstance(parsed, BadHead) else 200


def request(*fields: bytes, line: bytes = b"POST / HTTP/1.1") -> int:
    return status(line, b"Host: a", *fields)
