"""A header block's fields to a request, or why it is malformed (RFC 9113 sections 8.1 to 8.5, RFC 8441): pure.

This is the one validator. What passes here could be written as an HTTP/1.1 request without meaning anything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from upgradegw.http.headers import CANONICAL, canonical_name
from upgradegw.http2.decoding import FIELD_OVERHEAD
from upgradegw.negotiation.authority import split_authority
from upgradegw.negotiation.fields import has_control, is_token, printable
from upgradegw.negotiation.model import Fields

# Names are tokens in lower case (RFC 9113 section 8.2.1, RFC 9110 section 5.1).
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
# origin-form (RFC 9112 section 3.2.1), without "#", which is in no request target
_PATH = re.compile(rb"/[\x21\x22\x24-\x7e]*")
# :protocol is a token, or one with a version, as members of Upgrade are
_PROTOCOL = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:/[!#$%&'*+\-.^_`|~0-9A-Za-z]+)?")
# urgency (RFC 9218 section 4.1), one member of a dictionary
_URGENCY = re.compile(rb"(?:^|,)[ \t]*u=([0-7])(?:[ \t]*(?:[,;]|$))")

_PSEUDO = frozenset((b":method", b":scheme", b":authority", b":path", b":protocol"))
#: Fields that speak of one connection, which HTTP/2 does by other means (RFC 9113 section 8.2.2).
CONNECTION_SPECIFIC = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"))
#: Names that make a field malformed, whatever its value or for some.
_JUDGED_BY_VALUE = CONNECTION_SPECIFIC | {b"te"}
_NAME_BYTES = bytes(byte for byte in range(256) if _NAME.fullmatch(bytes((byte,))))
_SPACES, _BLANK = b" \t", frozenset((b" ", b"\t"))
#: RFC 9110 section 8.6; no more digits than the largest number of bytes that anybody has. Of some thousands, ``int``
#: would make no number.
LENGTH = re.compile(rb"[0-9]{1,18}")
_DEFAULT_URGENCY = 3


class Http2Head(NamedTuple):
    """A valid request head.

    Attributes:
        method: The method.
        target: ``:path``; ``b""`` of a CONNECT without ``:protocol``.
        scheme: ``:scheme`` in lower case; ``b""`` likewise.
        host: ``:authority``, or the Host field if there is no ``:authority``.
        fields: The field lines, names in lower case, with ``host`` first and the cookies joined.
        by_name: Their values by name, the names as ``http.headers.CANONICAL`` has them.
        protocol: ``:protocol`` of an extended CONNECT (RFC 8441), or None.
        content_length: The value of Content-Length, or None.
        expects_continue: Whether the client waits for a 100 before it sends content.
        urgency: How soon the client wants the response: 0, at once, to 7 (RFC 9218).
        size: Bytes of the block, each field counted with 32 more (RFC 9113 section 6.5.2).
    """

    method: bytes
    target: bytes
    scheme: bytes
    host: bytes
    fields: Fields
    by_name: dict[bytes, list[bytes]]
    protocol: bytes | None
    content_length: int | None
    expects_continue: bool
    urgency: int
    size: int

    def with_path(self, path: bytes) -> Http2Head:
        """Return the head of a request that differs in its path alone."""
        size = self.size - len(self.target) + len(path)
        return Http2Head(self.method, path, self.scheme, self.host, *self[4:-1], size)


@dataclass(frozen=True, slots=True)
class Malformed:
    """A request that is none (RFC 9113 section 8.1.1): its stream is reset, and no resource sees it.

    Attributes:
        why: What was found, for the log only.
        method: The method as far as it is known, else ``b""``.
        target: The path, likewise.
    """

    why: str
    method: bytes = b""
    target: bytes = b""


def validate_request(block: Iterable[tuple[bytes, bytes]], *, extended_connect: bool) -> Http2Head | Malformed:
    """Judge a request's header block.

    Args:
        block: Names and values in the order they were received.
        extended_connect: Whether SETTINGS_ENABLE_CONNECT_PROTOCOL was sent (RFC 8441 section 3).
    """
    pseudo: dict[bytes, bytes] = {}
    fields: list[tuple[bytes, bytes]] = []
    for field in block:
        name = field[0]
        if name[:1] == b":":
            if fields or name in pseudo or name not in _PSEUDO:
                return _malformed(f"{printable(name)} is repeated, unknown or behind other fields", pseudo)
            pseudo[name] = field[1]
        else:
            fields.append(field)
    why = _bad_fields(pseudo, fields) or _bad_pseudo(pseudo, extended_connect=extended_connect)
    return _malformed(why, pseudo) if why is not None else _judge(pseudo, fields)


def is_path(path: bytes) -> bool:
    """Tell whether the value of ``:path`` is one that every method may have (RFC 9113 section 8.3.1)."""
    return _PATH.fullmatch(path) is not None


def validate_trailers(block: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Judge a trailer section, which is dropped if it is one (RFC 9113 section 8.1).

    Returns:
        Why it is malformed, or None.
    """
    for name, value in block:
        if name[:1] == b":":
            return f"{printable(name)} in trailers"
        why = bad_field(name, value)
        if why is not None:
            return why
    return None


def _malformed(why: str, pseudo: dict[bytes, bytes]) -> Malformed:
    return Malformed(why, pseudo.get(b":method", b""), pseudo.get(b":path", b""))


def bad_field(name: bytes, value: bytes) -> str | None:
    """Say what is wrong with one line, of a request or a response (RFC 9113 sections 8.2.1 and 8.2.2), or None."""
    if has_control(value) or value.strip(_SPACES) != value:
        return f"the value of {printable(name)} holds control characters, or white space at an end"
    if name[:1] == b":":
        return None
    if _NAME.fullmatch(name) is None:
        return f"{printable(name)} is no field name"
    if name in CONNECTION_SPECIFIC or (name == b"te" and value.lower() != b"trailers"):
        return f"{printable(name)} is not used in HTTP/2"
    return None


def _bad_fields(pseudo: dict[bytes, bytes], fields: list[tuple[bytes, bytes]]) -> str | None:
    """Say what is wrong with the lines of a request, as ``bad_field`` does; most often nothing is, with any of them."""
    names = [name for name, _ in fields]
    values = [*pseudo.values(), *[value for _, value in fields]]
    if (
        not has_control(b"".join(values))
        and _BLANK.isdisjoint([edge for value in values for edge in (value[:1], value[-1:])])
        and b"" not in names
        and not b"".join(names).translate(None, _NAME_BYTES)
        and _JUDGED_BY_VALUE.isdisjoint(names)
    ):
        return None
    return next(filter(None, [bad_field(name, value) for name, value in (*pseudo.items(), *fields)]), None)


def _bad_pseudo(pseudo: dict[bytes, bytes], *, extended_connect: bool) -> str | None:
    """Say what is wrong with the control data (RFC 9113 sections 8.3.1 and 8.5, RFC 8441 section 4)."""
    method = pseudo.get(b":method", b"")
    if not is_token(method):
        return f":method is {printable(method)}"
    protocol = pseudo.get(b":protocol")
    if protocol is not None:
        if method != b"CONNECT" or not extended_connect:
            return ":protocol without CONNECT, or where SETTINGS_ENABLE_CONNECT_PROTOCOL was not sent"
        if _PROTOCOL.fullmatch(protocol) is None:
            return f":protocol is {printable(protocol)}"
    elif method == b"CONNECT":
        return ":scheme or :path with CONNECT" if b":scheme" in pseudo or b":path" in pseudo else None
    return _bad_target(method, pseudo)


def _bad_target(method: bytes, pseudo: dict[bytes, bytes]) -> str | None:
    if pseudo.get(b":scheme", b"").lower() not in {b"http", b"https"}:
        return f":scheme is {printable(pseudo.get(b':scheme', b''))}"
    path = pseudo.get(b":path", b"")
    if not is_path(path) and (path != b"*" or method != b"OPTIONS"):
        return f":path is {printable(path)}"
    return None


def _judge(pseudo: dict[bytes, bytes], fields: list[tuple[bytes, bytes]]) -> Http2Head | Malformed:
    """Apply the rules that need the whole block, and make the value."""
    by_name: dict[bytes, list[bytes]] = {b"Host": []}
    for name, value in fields:
        canonical = CANONICAL.get(name) or canonical_name(name)
        if canonical in by_name:
            by_name[canonical].append(value)
        else:
            by_name[canonical] = [value]
    hosts = by_name[b"Host"]
    host = pseudo.get(b":authority", hosts[0] if hosts else b"")
    method, protocol = pseudo[b":method"], pseudo.get(b":protocol")
    lengths = by_name.get(b"Content-Length", ())
    found = split_authority(host)
    if found is None or len(hosts) > 1 or (hosts and split_authority(hosts[0]) != found):
        return _malformed(f":authority {printable(host)}, Host {printable(b', '.join(hosts))}", pseudo)
    if method == b"CONNECT" and (b":authority" not in pseudo or (protocol is None and found[1] is None)):
        return _malformed("CONNECT without :authority or its port", pseudo)
    if len(lengths) > 1 or (lengths and LENGTH.fullmatch(lengths[0]) is None):
        return _malformed(f"Content-Length {printable(b', '.join(lengths))}", pseudo)
    received = fields
    cookies = by_name.get(b"Cookie", ())
    if len(cookies) > 1:  # RFC 9113 section 8.2.3: crumbs are joined before anybody else sees them
        by_name[b"Cookie"] = [b"; ".join(cookies)]
        fields = [*(field for field in fields if field[0] != b"cookie"), (b"cookie", by_name[b"Cookie"][0])]
    by_name[b"Host"] = [host]
    priority = _URGENCY.search(b",".join(by_name.get(b"Priority", ())))
    return Http2Head(
        method,
        pseudo.get(b":path", b""),
        pseudo.get(b":scheme", b"").lower(),
        host,
        ((b"host", host), *([field for field in fields if field[0] != b"host"] if hosts else fields)),
        by_name,
        protocol,
        int(lengths[0]) if lengths else None,
        expects_continue=b"100-continue" in [value.lower() for value in by_name.get(b"Expect", ())],
        urgency=int(priority[1]) if priority is not None else _DEFAULT_URGENCY,
        size=sum(map(len, chain(*pseudo.items(), *received))) + FIELD_OVERHEAD * (len(pseudo) + len(received)),
    )
