"""The lists that proxies leave in a request: X-Forwarded-For and Forwarded (RFC 7239), read backwards.

Each proxy appends to the list what it saw, so only the end of it can be believed, and what a client put at its start
must not change how the end is read: the lists are split from the right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import TYPE_CHECKING

from upgradegw.negotiation.authority import split_authority

if TYPE_CHECKING:
    from collections.abc import Iterator

# Some proxies name the scheme of the WebSocket URI in X-Forwarded-Proto.
_SCHEMES = {b"http": b"http", b"https": b"https", b"ws": b"http", b"wss": b"https"}

# RFC 7239 section 4: forwarded-pair = token "=" ( token / quoted-string ). An address with a port or in brackets
# must be quoted, yet not all proxies do; no value that we read needs an escape.
_PAIR = re.compile(rb'[ \t]*+([A-Za-z0-9_\-]++)=(?:"([^"\\]*+)"|([^"\\;, \t]++))[ \t]*+')

# One non-empty element of a list that is read backwards, so that a quote which a client left open cannot swallow
# what a proxy has appended behind it. The same for the pairs of an element.
_ELEMENT = re.compile(rb'(?:[^",]++|"[^"]*+"?)++')
_IN_ELEMENT = re.compile(rb'(?:[^";]++|"[^"]*+"?)++')

# RFC 7239 section 6, and what is found in X-Forwarded-For: an address, in brackets or not, with a port or not.
_NODE = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|([0-9.]+):\d{1,5}|([0-9A-Fa-f:.]+)", re.ASCII)

# The longest IPv6 address has 45 characters, the name of an interface behind it 16 (IFNAMSIZ).
_MAX_LENGTH = 62

# Proxies are few, and their clients come again. With the limit above a stranger can fill 300 KB with others.
_CACHE_SIZE = 1024


@dataclass(frozen=True, slots=True)
class Hop:
    """What one proxy says: the address that asked it (None if that is no address), the scheme and host it was asked."""

    address: str | None
    scheme: bytes | None
    authority: bytes | None


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Read an address, an IPv4 address within IPv6 as what it is; None if it is none."""
    return _recall(text) if len(text) <= _MAX_LENGTH else None


@lru_cache(_CACHE_SIZE)
def _recall(text: str) -> IPv4Address | IPv6Address | None:
    """Do the work of `parse_address`."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def last_first(values: list[bytes]) -> Iterator[bytes]:
    """Yield the members of X-Forwarded lists, the last first; quotes mean nothing in them."""
    for value in reversed(values):
        for member in reversed(value.split(b",")):
            trimmed = member.strip(b" \t")
            if trimmed:
                yield trimmed


def forwarded_hops(values: list[bytes]) -> Iterator[Hop]:
    """Yield the elements of Forwarded, the last first (RFC 7239 section 4)."""
    for value in reversed(values):
        for backwards in _ELEMENT.findall(value[::-1]):
            element = backwards[::-1]
            if element.strip(b" \t"):
                yield _parse_element(element)


def _parse_element(element: bytes) -> Hop:
    """Read ``for``, ``proto`` and ``host`` of one element; a malformed element says nothing."""
    pairs: dict[bytes, bytes] = {}
    for part in _IN_ELEMENT.findall(element):
        match = _PAIR.fullmatch(part)
        if match is None or match[1].lower() in pairs:
            return Hop(None, None, None)
        pairs[match[1].lower()] = match[3] if match[2] is None else match[2]
    return Hop(
        parse_node(pairs.get(b"for", b"").decode("latin-1")),
        parse_scheme(pairs.get(b"proto")),
        parse_authority(pairs.get(b"host")),
    )


def parse_node(node: str) -> str | None:
    """Read an address without its port; None for ``unknown``, obfuscated identifiers and whatever else."""
    match = _NODE.fullmatch(node)
    if match is None:
        return None
    address = parse_address(match[1] or match[2] or match[3])
    return None if address is None else str(address)


def parse_scheme(value: bytes | None) -> bytes | None:
    """Read what a proxy says of the scheme; None if that is none of ours."""
    return None if value is None else _SCHEMES.get(value.lower())


def parse_authority(value: bytes | None) -> bytes | None:
    """Read what a proxy says of the host; None if that is no host."""
    return value if value is not None and split_authority(value) is not None else None
