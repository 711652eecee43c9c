"""Fields on their way through the gateway: what speaks of one connection stays here, everything else passes in order.

Hop-by-hop fields and those that Connection names are removed (RFC 9110 section 7.6.1), and a request whose Connection
names what the next hop relies on is refused. h2c and h2 pass in neither direction, however they are spelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from twisted.web.http import NO_CONTENT, OK

from upgradegw.negotiation.fields import connection_options, members
from upgradegw.negotiation.model import Fields, Refuse, RequestHead, UpgradeProtocol
from upgradegw.negotiation.upgrade import is_protected, judge_fields
from upgradegw.proxy.exchange import ResponseHead
from upgradegw.proxy.forwarded import Sender, forwarding_fields, is_forwarding_field, is_rewritten

#: Fields of one connection (RFC 9110 section 7.6.1), credentials for a proxy on the way (section 11.7), what announces
#: trailers, which are dropped (section 6.6.2), and the settings that come with h2c. Proxy is no field at all, but CGI
#: makes HTTP_PROXY of it, by which a client would tell programs whom to ask (CVE-2016-5385 and its kin).
HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"http2-settings",
        b"keep-alive",
        b"proxy",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

#: What ``UpstreamRequest`` and ``ResponseHead`` say in other words.
_TOLD_APART = frozenset({b"content-length", b"host"})

#: What is never passed on in an Upgrade field: HTTP/2 would hide requests from the gateway (RFC 9113 section 3.1).
NEVER_TUNNELLED = frozenset({b"h2", b"h2c"})

# The same as drafts of HTTP/2 had it, h2c-14 and HTTP/2.0, which servers of their time still speak.
_DRAFT = re.compile(rb"h2c?-.*|http/(?![01](?:\.|$)).*", re.DOTALL)

#: The token that stands for all others.
ANY = UpgradeProtocol(b"*")

# Everything but letters, digits and hyphens: CGI and its successors write it and the hyphen alike, as "_".
_ODD = re.compile(rb"[^a-z0-9\-]")


def request_fields(
    head: RequestHead, sender: Sender, style: str = "x-forwarded", *, expects: bool = False
) -> Fields | Refuse:
    """Return the end-to-end fields of a request, with Via and the fields that tell of the client.

    Args:
        head: The request as it was received.
        sender: Who has sent it.
        style: Which fields tell of the client: one of ``forwarded.STYLES``.
        expects: Whether Expect is passed on; else what it asked for is done here.

    Returns:
        The field lines; Refuse if the request must not be passed on.
    """
    options = connection_options(head.get_all(b"connection"))
    refuse = judge_fields(head, options)
    if refuse is not None:
        return refuse
    removed = HOP_BY_HOP | _TOLD_APART | options
    if not expects:
        removed |= {b"expect"}
    passed = []
    for name, value in head.fields:
        lower = name.lower()
        if lower in removed or _is_twin(lower, head):
            continue
        if is_forwarding_field(lower) and (not sender.believed or is_rewritten(lower, style)):
            continue
        passed.append((name, value))
    passed.append((b"Via", _via(head.http_version)))
    passed.extend(forwarding_fields(head, sender, style))
    return tuple(passed)


def _is_twin(lower_name: bytes, head: RequestHead) -> bool:
    """Tell whether a name would be taken for another one behind the gateway: X_Forwarded_For for X-Forwarded-For."""
    if _ODD.search(lower_name) is None:
        return False
    meant = _ODD.sub(b"-", lower_name)
    return (
        meant in head.by_name
        or meant in HOP_BY_HOP
        or meant in _TOLD_APART
        or is_protected(meant)
        or is_forwarding_field(meant)
    )


def _via(http_version: bytes) -> bytes:
    """Return our entry of Via (RFC 9110 section 7.6.3): the version that the request came with, and a pseudonym."""
    return http_version.removeprefix(b"HTTP/") + b" upgradegw"


def response_fields(head: ResponseHead, tokens: Iterable[UpgradeProtocol], http_version: bytes) -> Fields:
    """Return a response's fields for the client; how its content is framed there is the caller's affair.

    An Upgrade of the upstream's (RFC 9110 section 7.8) keeps the tokens that may be tunnelled, and goes to clients of
    HTTP/1.1 only.

    Args:
        head: The response as it was received.
        tokens: The tokens that may be tunnelled.
        http_version: The client's.
    """
    removed = HOP_BY_HOP | {b"content-length"}
    options = connection_options([value for name, value in head.fields if name.lower() == b"connection"])
    if options:
        removed |= options
    fields = [(name, value) for name, value in head.fields if name.lower() not in removed]
    if head.content_length is not None and head.status >= OK and head.status != NO_CONTENT:
        fields.append((b"Content-Length", b"%d" % head.content_length))
    if http_version == b"HTTP/1.1":
        offered = members(value for name, value in head.fields if name.lower() == b"upgrade")
        offered = [each for each in offered if may_be_tunnelled(UpgradeProtocol.parse(each), tokens)]
        if offered:
            fields += [(b"Upgrade", b", ".join(offered)), (b"Connection", b"upgrade")]
    return tuple(fields)


def may_be_tunnelled(token: UpgradeProtocol, tokens: Iterable[UpgradeProtocol]) -> bool:
    """Tell whether a token may go through the gateway.

    Args:
        token: The token.
        tokens: Those that may; ``ANY`` stands for all but h2c and h2, which never do.
    """
    if token.name.lower() in NEVER_TUNNELLED or _DRAFT.fullmatch(bytes(token).lower()):
        return False
    return any(each == ANY or each.matches(token) for each in tokens)
