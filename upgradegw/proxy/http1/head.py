"""The head of a request as it goes to an upstream in HTTP/1.1 (RFC 9112 sections 2 to 6)."""

from __future__ import annotations

from upgradegw.http.content import EXPECT_CONTENT
from upgradegw.http.headers import CR, LF
from upgradegw.proxy.exchange import UpstreamRequest


def request_head(request: UpstreamRequest, target: bytes, authority: bytes, *, keep: bool = True) -> bytes:
    """Write a head, the empty line included.

    Args:
        request: The request.
        target: Its target with what the upstream's address puts before it.
        authority: What stands in Host.
        keep: Whether the connection may be used again.

    Raises:
        ValueError: A line end stands where none may, so that the upstream would see other lines than were meant.
    """
    lines = [b"%b %b HTTP/1.1" % (request.method, target), b"Host: " + authority]
    lines += [b"%b: %b" % field for field in request.fields]
    length = request.content_length
    if length is None:
        lines.append(b"Transfer-Encoding: chunked")
    elif length or request.method in EXPECT_CONTENT:
        lines.append(b"Content-Length: %d" % length)
    if request.tokens:
        lines += b"Connection: Upgrade", b"Upgrade: " + b", ".join(request.tokens)
    elif not keep:
        lines.append(b"Connection: close")
    head = b"\r\n".join((*lines, b"", b""))
    # What comes here has been read strictly, or comes from the configuration; if that should ever fail, no second
    # request is made of it.
    ends = len(lines) + 1
    if head.count(LF) != ends or head.count(CR) != ends:
        raise ValueError("a line end within a line of the request")
    return head
