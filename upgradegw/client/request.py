"""The request that offers an upgrade: every part checked before a connection is made (RFC 9112 section 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from upgradegw.negotiation.authority import split_authority
from upgradegw.negotiation.fields import is_token
from upgradegw.negotiation.model import Fields, UpgradeProtocol
from upgradegw.protocols.stream import parse_token
from upgradegw.switching import checked_fields

Text = str | bytes

# origin-form = absolute-path [ "?" query ]      ; RFC 9112 section 3.2.1, RFC 3986 sections 3.3 and 3.4
_TARGET = re.compile(rb"/[A-Za-z0-9\-._~%!$&'()*+,;=:@/?\[\]|{}^`\"\\]*")

#: What the request says of the switch, or what frames its content.
_NOT_OURS_TO_PASS_ON = frozenset(
    (b"connection", b"content-length", b"expect", b"te", b"trailer", b"transfer-encoding", b"upgrade")
)


def as_bytes(text: Text) -> bytes:
    """Return a text of a caller's as bytes; RFC 9110 section 5.5 knows no more than ISO-8859-1.

    Raises:
        ValueError: It has characters that cannot be sent.
    """
    return text if isinstance(text, bytes) else text.encode("latin-1")


def checked_token(token: Text) -> UpgradeProtocol:
    """Read the token.

    Raises:
        ValueError: It is none, or one whose handshake is not this one.
    """
    protocol = parse_token(token)
    if protocol.name.lower() == b"websocket":
        raise ValueError("websocket has a handshake of its own: use a WebSocket client, such as Autobahn's")
    return protocol


def checked_target(path: Text) -> bytes:
    """Read the request target.

    Raises:
        ValueError: It is not in origin-form.
    """
    try:
        target = path if isinstance(path, bytes) else path.encode("ascii")
    except UnicodeEncodeError:
        target = b""
    if _TARGET.fullmatch(target) is None:
        raise ValueError(f"path={path!r} must begin with '/'; other than printable ASCII is percent-encoded")
    return target


def checked_method(method: Text) -> bytes:
    """Read the method.

    Raises:
        ValueError: It is none, or CONNECT, which asks for something else.
    """
    name = as_bytes(method)
    if not is_token(name) or name == b"CONNECT":
        raise ValueError(f"method={method!r} must be an HTTP method other than CONNECT")
    return name


def checked_host(host: Text) -> bytes:
    """Read the authority.

    Raises:
        ValueError: It is no host, with or without a port.
    """
    authority = as_bytes(host)
    if split_authority(authority) is None:
        raise ValueError(f"host={host!r} must be a name or an address, and a port if it is not the usual one")
    return authority


def checked_request_fields(fields: Iterable[tuple[Text, Text]]) -> Fields:
    """Read the caller's fields.

    Raises:
        ValueError: One cannot stand in a request, or is one that the request itself has.
    """
    found = checked_fields(tuple((as_bytes(name), as_bytes(value)) for name, value in fields))
    for name, _ in found:
        if name.lower() == b"host":
            raise ValueError("give Host as host=…, not among the fields")
        if name.lower() in _NOT_OURS_TO_PASS_ON:
            raise ValueError(f"{name.decode()} is not the caller's to set in a request for an upgrade")
    return found


def request_head(
    method: bytes, target: bytes, host: bytes, token: UpgradeProtocol, fields: Fields, length: int | None
) -> bytes:
    """Return the head of a request that offers one token (RFC 9110 section 7.8).

    Args:
        method: The method.
        target: The target in origin-form.
        host: The authority.
        token: What is offered.
        fields: More fields, already checked.
        length: Bytes of content that follow; None for no content.
    """
    lines = [b"%b %b HTTP/1.1" % (method, target), b"Host: " + host]
    lines += [b"Connection: Upgrade", b"Upgrade: " + bytes(token)]
    lines += [name + b": " + value for name, value in fields]
    if length is not None:
        lines.append(b"Content-Length: %d" % length)
    return b"\r\n".join([*lines, b"", b""])
