"""Origin: which pages may open a connection from a browser (RFC 6454; RFC 6455 sections 4.2.2 and 10.2).

A browser sends cookies with every WebSocket handshake, whatever page asks for it, so the server must look at Origin.
A client that is no browser sends none, and passes: it could send any.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from upgradegw.negotiation.authority import DEFAULT_PORTS, single_host, split_authority
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgradegw.negotiation.model import RequestHead

# RFC 3986 section 3.1: scheme = ALPHA *( ALPHA / DIGIT / "+" / "-" / "." ), here already in lower case.
_SCHEME = re.compile(rb"[a-z][a-z0-9+.\-]*")


class _Origin(NamedTuple):
    """A scheme, a host (empty in ``file://``) and a port, None if neither given nor implied."""

    scheme: bytes
    host: bytes
    port: int | None

    def serialized(self) -> str:
        """Return the form of RFC 6454 section 6.2: a port that the scheme implies is left out."""
        port = "" if self.port == DEFAULT_PORTS.get(self.scheme) else f":{self.port}"
        return f"{self.scheme.decode()}://{self.host.decode()}{port}"


def _parse(value: bytes) -> _Origin | None:
    """Parse ``scheme "://" host [":" port]`` (RFC 6454 section 7.1), or return None."""
    scheme, separator, authority = value.lower().partition(b"://")
    implied = DEFAULT_PORTS.get(scheme)
    if not separator or (implied is None and not _SCHEME.fullmatch(scheme)):
        return None
    if not authority and implied is None:
        # A reg-name may be empty, and some browsers embedded in applications do send "file://".
        return _Origin(scheme, b"", None)
    split = split_authority(authority)
    return None if split is None else _Origin(scheme, split[0], implied if split[1] is None else split[1])


def parse_origins(entries: Iterable[str]) -> tuple[str, ...]:
    """Check the origins that somebody wrote down, and bring them into the form in which they are compared.

    Args:
        entries: Origins such as ``https://app.example`` or ``http://localhost:3000``; ``null`` for pages of opaque
            origin (sandboxed frames, local files); ``*`` for every origin except ``null``.

    Returns:
        The same origins with scheme and host in lower case and implied ports left out.

    Raises:
        ValueError: An entry is none of these; the message says what to write.
    """
    if isinstance(entries, str):
        message = f"origins must be a list of origins, not one text: write [{entries!r}]"
        raise ValueError(message)  # noqa: TRY004 - whatever is written wrongly is one kind of error
    return tuple(entry if entry in ("*", "null") else _normalize(entry) for entry in entries)


def _normalize(entry: str) -> str:
    """Bring one written origin into the form in which it is compared."""
    if not entry.isascii():
        raise ValueError(f"{entry!r} is no origin: a name in another script is written in punycode (xn--...)")
    if "*" in entry:
        raise ValueError(f"{entry!r} is no origin: '*' can only stand alone; list every origin by its full name")
    origin = _parse(entry.encode("ascii"))
    if origin is None:
        raise ValueError(
            f"{entry!r} is no origin: write scheme://host or scheme://host:port, with nothing behind it, "
            "for example 'https://app.example'"
        )
    return origin.serialized()


def check_origin(head: RequestHead, origins: Sequence[str] | None) -> Refuse | None:
    """Refuse a request that a page of another origin made a browser send.

    Args:
        head: The request without its content.
        origins: What `parse_origins` returned; None for the origin of the request itself.

    Returns:
        400 if Origin is repeated or malformed, 403 if the origin is not acceptable; None if it is, or if there is none.
    """
    values = head.get_all(b"origin")
    if not values:
        return None
    if values == [b"null"]:
        listed = origins is not None and "null" in origins
        return None if listed else Refuse(Reason.ORIGIN_NULL, 403, detail="Origin: null")
    origin = _parse(values[0]) if len(values) == 1 else None
    if origin is None:
        return Refuse(Reason.BAD_ORIGIN, 400, detail=f"Origin: {printable(b' and '.join(values))}")
    if origins is None:
        return None if _is_same(origin, head) else _mismatch(values[0], _expected(head))
    if "*" in origins or origin.serialized() in origins:
        return None
    return _mismatch(values[0], "one of " + (", ".join(origins) or "none"))


def _is_same(origin: _Origin, head: RequestHead) -> bool:
    """Compare an origin with the request's own (RFC 6454 section 5), as far as a proxy left that one known."""
    client = head.client
    if origin.scheme not in DEFAULT_PORTS or client.scheme not in (None, origin.scheme):
        return False
    if client.authority is None:
        # What a proxy made of Host is not known to hold the port that the client used: the name alone counts.
        host = split_authority(single_host(head.fields) or b"")
        return host is not None and host[0] == origin.host
    authority = split_authority(client.authority)
    if authority is None:
        return False
    host_name, port = authority
    return host_name == origin.host and (DEFAULT_PORTS[origin.scheme] if port is None else port) == origin.port


def _expected(head: RequestHead) -> str:
    """Show with what an origin was compared."""
    client = head.client
    scheme = "any scheme" if client.scheme is None else printable(client.scheme)
    if client.authority is not None:
        return f"{scheme}://{printable(client.authority)}"
    hosts = [printable(host) for host in head.get_all(b"host")]
    return f"{scheme}, Host {' and '.join(hosts) or 'absent'} (any port)"


def _mismatch(value: bytes, expected: str) -> Refuse:
    """Refuse with 403 (RFC 6455 section 4.2.2, item 4)."""
    return Refuse(Reason.ORIGIN_MISMATCH, 403, detail=f"Origin: {printable(value)}; expected: {expected}")
