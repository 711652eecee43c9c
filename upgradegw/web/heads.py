"""The head of a twisted.web request as the values that a negotiation works on."""

from __future__ import annotations

from typing import Any

from upgradegw.negotiation.model import RequestHead
from upgradegw.web.clients import client_of


def request_head(request: Any) -> RequestHead:
    """Return the head of a request.

    Args:
        request: A ``twisted.web.http.Request`` whose content has been received.
    """
    headers = request.requestHeaders
    fields = tuple([(name, value) for name, values in headers.getAllRawHeaders() for value in values])
    has_content = headers.hasHeader(b"Transfer-Encoding")
    if not has_content:
        lengths = headers.getRawHeaders(b"Content-Length")
        has_content = lengths is not None and any(length.strip(b"0") for length in lengths)
    return RequestHead(
        request.method,
        request.uri,
        request.clientproto,
        fields,
        has_content,
        client_of(request, fields),
        getattr(request, "extended_connect", None),
    )
