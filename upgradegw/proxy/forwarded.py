"""What the upstream is told of the client: Forwarded (RFC 7239) and X-Forwarded-*, after the trusted-proxy rule.

What a stranger says of itself is overwritten. What a trusted proxy says is kept, and its own address appended, so that
an upstream which counts the proxies in front of it finds one more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from upgradegw.negotiation.authority import split_authority
from upgradegw.negotiation.client import TrustedProxies
from upgradegw.negotiation.fields import is_token
from upgradegw.negotiation.forwarded import Hop, forwarded_hops, last_first, parse_node
from upgradegw.negotiation.model import Client, Fields, RequestHead

#: The fields that may be written: the usual ones, the standard one, or both.
STYLES = ("x-forwarded", "forwarded", "both")

# The same three that decide whether Forwarded is read at all: see negotiation.client.
_X_NAMES = (b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who has sent the request to us: the client itself, or the last proxy.

    Attributes:
        address: Its address as text; None on a UNIX socket.
        believed: Whether it is a trusted proxy, so that its fields are no hearsay.
        scheme: ``b"http"`` or ``b"https"`` as the client used it, as far as is known.
        authority: Host and port as the client used them, or None.
    """

    address: str | None
    believed: bool
    scheme: bytes
    authority: bytes | None


def sender_of(
    client: Client, proxy_source: str | None, trusted: TrustedProxies, host: bytes | None, *, secure: bool
) -> Sender:
    """Find out who has sent a request.

    Args:
        client: Its effective client.
        proxy_source: The source that a PROXY header named; the request is then that one's.
        trusted: The proxies that are believed.
        host: The request's own Host, which stands in where a trusted proxy names none.
        secure: Whether the connection is encrypted by us.
    """
    address, believed = client.peer, client.peer in trusted
    if believed and proxy_source is not None:
        address = parse_node(proxy_source)
        believed = address is not None and address in trusted
    if not believed:
        address = client.address
    elif address is not None:
        address = parse_node(address) or address  # an IPv4 address on a socket for both families, as such
    scheme = client.scheme or (b"https" if secure else b"http")
    return Sender(address, believed, scheme, client.authority or host)


def is_forwarding_field(lower_name: bytes) -> bool:
    """Tell whether a field tells of the client: none of a stranger's passes."""
    return lower_name.startswith(b"x-forwarded-") or lower_name in {b"forwarded", b"x-real-ip"}


def is_rewritten(lower_name: bytes, style: str) -> bool:
    """Tell whether a trusted proxy's field is replaced by one of ours."""
    if style == "forwarded" and lower_name.startswith(b"x-forwarded-"):
        return True
    return lower_name in _X_NAMES or lower_name == b"forwarded"


def forwarding_fields(head: RequestHead, sender: Sender, style: str) -> Fields:
    """Return the fields that tell the upstream of the client (RFC 7239 section 5).

    Args:
        head: The request.
        sender: Who has sent it.
        style: One of ``STYLES``.
    """
    hops = _hops(head) if sender.believed else []
    fields: list[tuple[bytes, bytes]] = []
    if style != "forwarded":
        nodes = [(hop.address or "unknown").encode("latin-1") for hop in hops]
        if sender.address is not None:
            nodes.append(sender.address.encode("latin-1"))
        if nodes:
            fields.append((b"X-Forwarded-For", b", ".join(nodes)))
        fields.append((b"X-Forwarded-Proto", sender.scheme))
        if sender.authority is not None:
            fields.append((b"X-Forwarded-Host", sender.authority))
    if style != "x-forwarded":
        last = Hop(sender.address, sender.scheme, sender.authority)
        fields.append((b"Forwarded", b", ".join(map(_element, [*hops, last]))))
    return tuple(fields)


def _hops(head: RequestHead) -> list[Hop]:
    """Read what a trusted proxy says of those before it, the client first; what is no address stays unknown."""
    if any(head.get_all(name) for name in _X_NAMES):
        nodes: Iterable[bytes] = last_first(head.get_all(b"x-forwarded-for"))
        found = [Hop(parse_node(node.decode("latin-1")), None, None) for node in nodes]
    else:
        found = list(forwarded_hops(head.get_all(b"forwarded")))
    found.reverse()
    return found


def _element(hop: Hop) -> bytes:
    """Write one element of Forwarded (RFC 7239 section 4); a value that is no token is quoted."""
    node = hop.address or "unknown"
    pairs = [b"for=" + _quoted((f"[{node}]" if ":" in node else node).encode("latin-1"))]
    if hop.authority is not None and split_authority(hop.authority) is not None:
        pairs.append(b"host=" + _quoted(hop.authority))
    if hop.scheme is not None:
        pairs.append(b"proto=" + hop.scheme)
    return b";".join(pairs)


def _quoted(value: bytes) -> bytes:
    # An address or an authority: neither holds a quote or a backslash.
    return value if is_token(value) else b'"' + value + b'"'
