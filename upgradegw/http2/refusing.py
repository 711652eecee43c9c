"""Which valid requests are answered without asking a resource, by the limits and in the order of HTTP/1.1."""

from __future__ import annotations

from typing import Any

from upgradegw.http.context import Context
from upgradegw.http.limits import Limits
from upgradegw.http2.validation import Http2Head
from upgradegw.negotiation.reasons import Reason

#: Status, reason and detail.
Refused = tuple[int, Reason, str]


def refuse(head: Http2Head, connection: Any, *, welcome: bool) -> Refused | None:
    """Say how a valid request is refused without asking a resource, if it is.

    Args:
        head: The head.
        connection: The connection on which it came.
        welcome: Whether there is room for the connection.
    """
    context: Context = connection.context
    refused = _refuse_head(head, context.limits)
    if refused is not None:
        return refused
    return _refuse_client(head, connection, context) if welcome else (503, Reason.TOO_MANY_CONNECTIONS, "")


def _refuse_head(head: Http2Head, limits: Limits) -> Refused | None:
    if len(head.target) > limits.max_target:
        return 414, Reason.TARGET_TOO_LONG, f"more than {limits.max_target} bytes"
    if len(head.fields) > limits.max_fields:
        return 431, Reason.TOO_MANY_FIELDS, f"{len(head.fields)} field lines"
    if head.size > limits.max_head:
        return 431, Reason.HEAD_TOO_LARGE, f"more than {limits.max_head} bytes"
    if head.method == b"CONNECT" and head.protocol is None:
        return 405, Reason.CONNECT, ""  # RFC 9110 section 9.3.6: this is no forward proxy
    return None


def _refuse_client(head: Http2Head, connection: Any, context: Context) -> Refused | None:
    """Judge where a request comes from and what it is meant for.

    A scheme that is not the connection's is believed from a trusted proxy alone (RFC 9110 section 7.4).
    """
    if context.limits.max_connections_per_client is not None and not context.count_client(connection, head.fields):
        return 503, Reason.TOO_MANY_CONNECTIONS, ""
    if not context.serves(head.host):
        return 421, Reason.HOST_NOT_ALLOWED, ""
    scheme = b"https" if connection.isSecure() else b"http"
    if head.scheme != scheme and not context.trusts(context.find_client(connection, head.fields).peer):
        return 421, Reason.SCHEME_MISMATCH, f":scheme {head.scheme.decode()}"
    return None
