"""A client's request as it goes to the upstream: target, host, fields and length, by the rules of a route."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from twisted.web.http import NOT_ALLOWED

from upgradegw.http.content import ContentStream
from upgradegw.negotiation.authority import split_authority
from upgradegw.negotiation.client import NOBODY
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Refuse, RequestHead, UpgradeProtocol
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.exchange import UpstreamRequest
from upgradegw.proxy.fields import request_fields
from upgradegw.proxy.forwarded import STYLES, Sender, sender_of
from upgradegw.proxy.target import upstream_target
from upgradegw.web.clients import peer_of

#: Methods that may be asked for twice and mean the same (RFC 9110 section 9.2.2).
_IDEMPOTENT = frozenset({b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PUT"})

#: The words for ``host`` that are no name.
KEEP, UPSTREAM = "keep", "upstream"


@dataclass(frozen=True, slots=True)
class Rules:
    """How the requests of a route are passed on.

    Attributes:
        tokens: The tokens that may be tunnelled.
        host: ``"keep"`` for the client's Host, ``"upstream"`` for the upstream's own, or a host that stands for both.
        strip_path: Whether the path of the route is taken off.
        forwarded: Which fields tell the upstream of the client: ``"x-forwarded"``, ``"forwarded"`` or ``"both"``.
    """

    tokens: tuple[UpgradeProtocol, ...] = ()
    host: str = KEEP
    strip_path: bool = False
    forwarded: str = "x-forwarded"

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: One of them is none; the text says what to write.
        """
        if self.forwarded not in STYLES:
            raise ValueError(f"forwarded={self.forwarded!r} must be one of {', '.join(map(repr, STYLES))}")
        if self.host not in {KEEP, UPSTREAM} and split_authority(self.host.encode("ascii", "replace")) is None:
            raise ValueError(f"host={self.host!r} must be 'keep', 'upstream' or a host such as 'app.example:8080'")


def upstream_request(
    request: Any, head: RequestHead, rules: Rules, tokens: tuple[bytes, ...] = ()
) -> UpstreamRequest | Refuse:
    """Make the request for the upstream; the address it goes to is never the client's to say.

    Args:
        request: The client's request, whose content is still to be delivered.
        head: Its head.
        rules: The route's.
        tokens: The tokens that are offered to the upstream.

    Returns:
        Refuse if the request must not be passed on.
    """
    if head.method == b"TRACE":  # it would show the client what proxies have added (RFC 9110 section 9.3.8)
        return Refuse(Reason.METHOD_NOT_ALLOWED, NOT_ALLOWED, ((b"Allow", b"GET, HEAD, POST, OPTIONS"),), "TRACE")
    target: bytes | None = head.target
    if target != b"*":
        target = upstream_target(head.target, len(request.prepath) if rules.strip_path else 0)
    if target is None:
        return Refuse(Reason.BAD_TARGET, 400, detail=f"target {printable(head.target)}")
    sender = _sender(request, head)
    fields = request_fields(head, sender, rules.forwarded, expects=waits_for_continue(request, head))
    if isinstance(fields, Refuse):
        return fields
    method = b"GET" if head.protocol is not None else head.method
    length = content_length(request, head)
    return UpstreamRequest(
        method=method,
        target=target,
        authority=_authority(head, rules),
        fields=fields,
        content_length=length,
        tokens=tokens,
        idempotent=length == 0 and method in _IDEMPOTENT and not tokens,
    )


def _sender(request: Any, head: RequestHead) -> Sender:
    _, proxy_source = peer_of(request.transport, request.client)
    trusted = getattr(request.site, "trusted", NOBODY)
    host = head.get_all(b"host")
    return sender_of(head.client, proxy_source, trusted, host[0] if host else None, secure=request.isSecure())


def _authority(head: RequestHead, rules: Rules) -> bytes:
    """Return what stands in Host; ``b""`` for the upstream's own."""
    if rules.host == UPSTREAM:
        return b""
    if rules.host != KEEP:
        return rules.host.encode("ascii")
    hosts = head.get_all(b"host")
    return hosts[0] if hosts else b""


def content_length(request: Any, head: RequestHead) -> int | None:
    """Return how many bytes of content a request has; None if that is not known yet.

    Args:
        request: The request.
        head: Its head.
    """
    if head.protocol is not None:
        return 0
    content = request.content
    if not isinstance(content, ContentStream):
        return _size(content)
    lengths = head.get_all(b"content-length")
    return int(lengths[0]) if lengths else None


def _size(file: Any) -> int:
    """Return the size of content that has been received in full."""
    end: int = file.seek(0, 2)
    file.seek(0)
    return end


def waits_for_continue(request: Any, head: RequestHead) -> bool:
    """Tell whether a client holds its content back until it is told to send it (RFC 9110 section 10.1.1).

    Args:
        request: The request.
        head: Its head.
    """
    content = request.content
    if not isinstance(content, ContentStream) or content.waiting or content.complete:
        return False
    expects = any(value.lower() == b"100-continue" for value in head.get_all(b"expect"))
    return expects and head.http_version != b"HTTP/1.0"


def with_fewer_forwards(request: UpstreamRequest) -> UpstreamRequest | None:
    """Count Max-Forwards down where it is in force, for OPTIONS (RFC 9110 section 7.6.2).

    Args:
        request: The request for the upstream.

    Returns:
        The request; None if it must be answered here.
    """
    if request.method != b"OPTIONS":
        return request
    fields = []
    for name, value in request.fields:
        if name.lower() == b"max-forwards" and value.isdigit():
            if int(value[:9]) == 0:
                return None
            fields.append((name, b"%d" % (int(value[:9]) - 1)))
        else:
            fields.append((name, value))
    return replace(request, fields=tuple(fields))
