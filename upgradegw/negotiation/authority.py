"""Host and port: the one grammar for Host, for what proxies say of it, and for the host of an origin."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING

from upgradegw.negotiation.fields import get_all

if TYPE_CHECKING:
    from collections.abc import Sequence

    from upgradegw.negotiation.model import Fields

#: The ports that a scheme implies (RFC 9110 sections 4.2.1 and 4.2.2).
DEFAULT_PORTS = {b"http": 80, b"https": 443}

# RFC 3986 section 3.2: host [ ":" port ], port = *DIGIT. A reg-name could hold "%", "," or "*", too; no name that
# resolves does, and other programs disagree about them. A name in another script arrives as punycode, which is ASCII.
_AUTHORITY = re.compile(rb"([A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{0,5}))?")

_MAX_PORT = 65535

# A name has 253 characters at most (RFC 1035 section 2.3.4), a port five digits; the colon between, and a last dot.
_MAX_LENGTH = 260

# The same few authorities come again and again. With the limit above a stranger can fill 100 KB with others.
_CACHE_SIZE = 256


def split_authority(authority: bytes) -> tuple[bytes, int | None] | None:
    """Split host and port, in a form that can be compared (RFC 9110 section 4.2.3).

    The host is in lower case, an IPv6 literal in its shortest form and in brackets. A trailing dot stays: browsers
    hold ``example.com.`` for another host than ``example.com``.

    Args:
        authority: A Host field's value, or what stands behind the ``://`` of an origin.

    Returns:
        Host and port (None where none is given), or None if it is no authority; user information makes it none.
    """
    return _split(authority) if len(authority) <= _MAX_LENGTH else None


@lru_cache(_CACHE_SIZE)
def _split(authority: bytes) -> tuple[bytes, int | None] | None:
    """Do the work of `split_authority`."""
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return None
    host, digits = match.groups()
    port = int(digits) if digits else None
    if port is not None and port > _MAX_PORT:
        return None
    if host.startswith(b"["):
        try:
            return b"[%b]" % IPv6Address(host[1:-1].decode()).compressed.encode(), port
        except AddressValueError:
            return None
    return host.lower(), port


def single_host(fields: Fields) -> bytes | None:
    """Return the value of Host if it is there once and names a host (RFC 9112 section 3.2), else None."""
    hosts = get_all(fields, b"host")
    return hosts[0] if names_host(hosts) else None


def names_host(values: Sequence[bytes]) -> bool:
    """Tell whether these values of Host are one, and name a host (RFC 9112 section 3.2)."""
    return len(values) == 1 and split_authority(values[0]) is not None
