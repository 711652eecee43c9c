"""Who asks, and under which name, when proxies stand in between: what a stranger says of himself is never believed.

Each proxy appends what it saw to X-Forwarded-For or Forwarded, so the lists are read from the right: as long as the
one who speaks is a trusted proxy, what it appended is believed. The first address that is no trusted proxy's is the
client's, and all to the left of it is hearsay. Where an entry is no address, the last address that was one counts.

If any X-Forwarded-For, -Proto or -Host is there, Forwarded (RFC 7239) is ignored: nearly all proxies write the former
and pass on the latter as the client sent it. One that writes Forwarded must therefore remove X-Forwarded-*. X-Real-IP
is never read.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from upgradegw.negotiation.authority import single_host
from upgradegw.negotiation.fields import get_all
from upgradegw.negotiation.forwarded import (
    Hop,
    forwarded_hops,
    last_first,
    parse_address,
    parse_authority,
    parse_node,
    parse_scheme,
)
from upgradegw.negotiation.model import Client

if TYPE_CHECKING:
    from collections.abc import Iterable

    from upgradegw.negotiation.model import Fields

_MAPPED_BITS = 96

# A client has many requests, and often many connections. By long names of hosts a stranger can fill as many heads.
_CACHE_SIZE = 256


@dataclass(frozen=True, slots=True)
class TrustedProxies:
    """The peers whose word on the client is believed.

    Attributes:
        networks: Their networks.
        unix: Whether peers on a UNIX socket, who have no address, are among them.
    """

    networks: tuple[IPv4Network | IPv6Network, ...] = ()
    unix: bool = False

    @classmethod
    def parse(cls, entries: Iterable[str]) -> TrustedProxies:
        """Read networks such as ``10.0.0.0/8``, addresses such as ``::1``, and ``unix``.

        Args:
            entries: The entries as somebody wrote them.

        Raises:
            ValueError: An entry is none of these; the message says what to write.
        """
        if isinstance(entries, str):
            message = f"trusted proxies must be a list, not one text: write [{entries!r}]"
            raise ValueError(message)  # noqa: TRY004 - whatever is written wrongly is one kind of error
        texts = list(entries)
        return cls(tuple(_parse_network(text) for text in texts if text != "unix"), "unix" in texts)

    def __contains__(self, address: str | None) -> bool:
        if address is None:
            return self.unix
        if not self.networks:
            return False
        parsed = parse_address(address)
        return parsed is not None and any(parsed in network for network in self.networks)


#: Nobody is believed: the default.
NOBODY = TrustedProxies()


def _parse_network(text: str) -> IPv4Network | IPv6Network:
    """Read one network; one of IPv4 addresses within IPv6 is one of IPv4 addresses."""
    try:
        # A configuration may hold a number, which ip_network would read as an address.
        network = ip_network(str(text))
    except ValueError as error:
        raise ValueError(
            f"{text!r} is no trusted proxy ({error}): write a network such as '10.0.0.0/8', an address, or 'unix'"
        ) from None
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


def _canonical(peer: str | None) -> str | None:
    """Show an IPv4 peer as such, also on a socket for both families."""
    if peer is not None and peer.startswith("::ffff:"):
        return str(parse_address(peer) or peer)
    return peer


def effective_client(
    peer: str | None,
    secure: bool,
    fields: Fields,
    trusted: TrustedProxies,
    proxy_source: str | None = None,
    *,
    authority: bytes | None = None,
) -> Client:
    """Find the client's address, and the scheme and authority that it used.

    Args:
        peer: The address of the other end of the connection; None on a UNIX socket.
        secure: Whether the connection is encrypted by us.
        fields: The request's field lines.
        trusted: The peers that are believed.
        proxy_source: The source that a PROXY header named, if there was one. It is the nearest hop behind the peer;
            the request is then its own, so the fields are believed only if it is a trusted proxy, too.
        authority: The authority of a target in absolute form, which stands in place of Host (RFC 9112 section 3.2.2).

    Returns:
        The effective client. From a trusted proxy that names no scheme or no host, that one is None.
    """
    direct = authority if authority is not None else single_host(fields)
    if peer not in trusted:
        return _direct(peer, secure, direct)
    speaker = _canonical(peer)
    if proxy_source is not None:
        source = parse_node(proxy_source)
        if source is None or source not in trusted:
            # The proxy passes bytes on, so Host is the client's own; but it may have taken off TLS.
            return Client(source or speaker, b"https" if secure else None, direct, peer)
        speaker = source
    forwarded_for = get_all(fields, b"x-forwarded-for")
    protos = get_all(fields, b"x-forwarded-proto")
    hosts = get_all(fields, b"x-forwarded-host")
    if forwarded_for or protos or hosts:
        hops = (Hop(parse_node(node.decode("latin-1")), None, None) for node in last_first(forwarded_for))
        address, _, _ = _walk(speaker, hops, trusted)
        scheme, host = parse_scheme(next(last_first(protos), None)), parse_authority(next(last_first(hosts), None))
    else:
        address, scheme, host = _walk(speaker, forwarded_hops(get_all(fields, b"forwarded")), trusted)
    return Client(address, scheme, host, peer)


@lru_cache(_CACHE_SIZE)
def _direct(peer: str | None, secure: bool, authority: bytes | None) -> Client:
    """Return the client where nobody stands in between; the same one for all its requests and connections."""
    return Client(_canonical(peer), b"https" if secure else b"http", authority, peer)


def _walk(
    speaker: str | None, hops: Iterable[Hop], trusted: TrustedProxies
) -> tuple[str | None, bytes | None, bytes | None]:
    """Follow the hops from the nearest on while a trusted proxy speaks: rightmost untrusted address."""
    address, scheme, authority = speaker, None, None
    for hop in hops:
        # What the proxy nearest to the client says of scheme and host is what the client used.
        scheme, authority = hop.scheme or scheme, hop.authority or authority
        if hop.address is None:
            break
        address = hop.address
        if address not in trusted:
            break
    return address, scheme, authority
