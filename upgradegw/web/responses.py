"""What a client reads when it is not switched: a status, the fields that go with it, and a short text.

The texts are fixed. Nothing that the client sent is repeated to it, and no reason beyond the status is given: that is
in the log.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from upgradegw.http.content import ContentStream
from upgradegw.negotiation.model import Fields, Refuse
from upgradegw.web.outcomes import note_outcome

_TEXTS = {
    400: "The request is malformed.",
    401: "Log in first.",
    403: "You may not switch protocols here.",
    404: "There is nothing here.",
    405: "This method is not served here.",
    408: "The request did not arrive in time.",
    413: "The request's content is too large.",
    426: "This resource is served over another protocol only: see the Upgrade field of this response.",
    429: "You have too many connections already. Try again later.",
    500: "The server failed.",
    501: "The server cannot do that on this connection.",
    502: "The server behind this gateway has given no valid answer.",
    503: "The server cannot take this connection now. Try again later.",
    504: "The server behind this gateway has not answered in time.",
}

#: Answer to a plain HTTP/2 request, which could not be told with a 426: Upgrade does not exist there (RFC 9113
#: section 8.6).
EXTENDED_CONNECT_TEXT = "This resource is served over another protocol only. On HTTP/2, ask with extended CONNECT."


def _phrase(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode("ascii")
    except ValueError:
        return b"Unknown"


def write_refusal(request: Any, status: int, fields: Fields = (), body: bytes = b"", text: str | None = None) -> bytes:
    """Put status and fields on a request and return the content.

    Fields that were set on the request before stay, so that cookies set by ``authorize`` reach the client.

    Args:
        request: The request to answer.
        status: The status code.
        fields: Fields of this response; a name given here replaces what was set before.
        body: The content; the standard text for the status if empty.
        text: Another text instead of the standard one.
    """
    request.setResponseCode(status, _phrase(status))
    headers = request.responseHeaders
    headers.setRawHeaders(b"Cache-Control", [b"no-store"])
    if not body:
        headers.setRawHeaders(b"Content-Type", [b"text/plain; charset=utf-8"])
        body = (text or _TEXTS.get(status, "The request was not accepted.")).encode() + b"\n"
    elif not headers.hasHeader(b"Content-Type"):
        # An application that means HTML says so; twisted.web would say it for any content.
        headers.setRawHeaders(b"Content-Type", [b"text/plain; charset=utf-8"])
    by_name: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        by_name.setdefault(name.lower(), []).append(value)
    for name, values in by_name.items():
        if name == b"set-cookie":
            request.cookies.extend(values)
        elif name == b"connection" and b"close" in headers.getRawHeaders(name, ()):
            headers.setRawHeaders(name, [*values, b"close"])  # the client asked for it, and is told so
        else:
            headers.setRawHeaders(name, values)
    return body


def answer_refusal(request: Any, refuse: Refuse, body: bytes = b"", text: str | None = None) -> None:
    """Answer a request with a refusal, in full, and remember why for the log.

    Args:
        request: The request to answer.
        refuse: Status, fields and reason.
        body: As for ``write_refusal``.
        text: As for ``write_refusal``.
    """
    note_outcome(request, refuse)
    content = write_refusal(request, refuse.status, refuse.fields, body, text)
    request.setHeader(b"Content-Length", b"%d" % len(content))
    request.write(content)
    request.finish()


def add_fields(request: Any, fields: Fields) -> None:
    """Add fields to a response, beside those that are there.

    Args:
        request: The request to answer.
        fields: The fields.
    """
    for name, value in fields:
        if name.lower() == b"set-cookie":
            request.cookies.append(value)
        else:
            request.responseHeaders.addRawHeader(name, value)


def say_close_if_cut_short(request: Any) -> None:
    """Announce that the connection closes, if the response begins while the request's content is still to come.

    Args:
        request: The request.
    """
    content = request.content
    if isinstance(content, ContentStream) and not content.complete and request.clientproto == b"HTTP/1.1":
        request.responseHeaders.addRawHeader(b"Connection", b"close")
