"""The access event of a request that a resource has answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from upgradegw.events import access_events
from upgradegw.http.client_subject import client_subject
from upgradegw.negotiation.model import Decline, Refuse
from upgradegw.web.clients import client_of


def emit_request(request: Any, outcome: Refuse | Decline | None) -> None:
    """Emit the access event of a request that has been answered.

    Args:
        request: The request.
        outcome: Why it was not switched, if it asked to be.
    """
    channel = request.channel
    get = request.requestHeaders.getRawHeaders
    more: dict[str, str] = {}
    message = "{client} {method} {target!r}: {status}"
    if outcome is not None:
        more = {"reason": outcome.reason.value, "detail": outcome.detail, "hint": outcome.reason.hint}
        message += " ({reason} {detail}: {hint})"
    subject = client_subject(request)
    if subject is not None:
        more["client_subject"] = subject
    route = getattr(request, "upgradegw_route", None)
    if route is not None:
        more["route"] = route
    access_events.emit(
        message,
        event="request",
        connection_id=getattr(channel, "connection_id", None),
        client=client_of(request).address,
        method=request.method.decode("latin-1"),
        target=request.uri.decode("latin-1"),
        http_version=request.clientproto.decode("latin-1"),
        status=request.code,
        bytes_out=request.sentLength,
        seconds=max(0.0, request.site.reactor.seconds() - getattr(channel, "began", 0.0)),
        referer=_text(get(b"Referer")),
        user_agent=_text(get(b"User-Agent")),
        **more,
    )


def _text(values: Sequence[bytes] | None) -> str | None:
    return values[0].decode("latin-1") if values else None
