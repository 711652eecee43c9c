"""Sec-WebSocket-Extensions: its grammar (RFC 6455 section 9.1), and the offers of permessage-deflate (RFC 7692)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from upgradegw.negotiation.fields import is_token, members

if TYPE_CHECKING:
    from collections.abc import Iterable

# RFC 6455 section 9.1, with the white space that its "implied *LWS" allows:
#   extension       = extension-token *( ";" extension-param )
#   extension-param = token [ "=" ( token / quoted-string ) ]    ; the quoted string must hold a token
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_EXTENSION = re.compile(rb"(" + _TOKEN + rb")[ \t]*+")
_PARAMETER = re.compile(
    rb";[ \t]*+(" + _TOKEN + rb")[ \t]*+(?:=[ \t]*+(?:(" + _TOKEN + rb')|"((?:[^"\\]++|\\.)*+)")[ \t]*+)?', re.DOTALL
)
_QUOTED_PAIR = re.compile(rb"\\(.)", re.DOTALL)

# All clients of a kind send the same few words. With both limits a stranger can fill about 1 MB with others.
_CACHE_SIZE = 64
_CACHED_LENGTH = 256

# RFC 7692 sections 7.1.2.1 and 7.1.2.2: 8 to 15 in decimal without a leading zero.
_WINDOW_BITS = {str(bits): bits for bits in range(8, 16)}
# zlib raises a raw deflate window of 8 bits to 9, so a server cannot promise to stay within 8.
_ZLIB_MIN_WINDOW_BITS = 9


@dataclass(frozen=True, slots=True)
class ExtensionOffer:
    """One member of Sec-WebSocket-Extensions (RFC 6455 section 9.1).

    Attributes:
        name: The extension's name as the client wrote it.
        parameters: Names and values in the client's order, the value None where there is none.
    """

    name: str
    parameters: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class DeflateOffer:
    """An offer of permessage-deflate that can be accepted (RFC 7692 section 7.1).

    Attributes:
        server_no_context_takeover: The server must forget its window behind each message, and say so.
        client_no_context_takeover: The client hints that it will.
        server_max_window_bits: The server must not use a larger window (9 to 15), and must say so; None for no limit.
        client_max_window_bits: The client's own limit (8 to 15); True if it only says that the response may set one;
            None if the response must not.
    """

    server_no_context_takeover: bool = False
    client_no_context_takeover: bool = False
    server_max_window_bits: int | None = None
    client_max_window_bits: int | Literal[True] | None = None


def parse_extensions(values: list[bytes]) -> tuple[ExtensionOffer, ...] | None:
    """Read ``1#extension`` over any number of lines (RFC 6455 section 9.1), or return None if it is malformed.

    Args:
        values: The values of the Sec-WebSocket-Extensions lines.
    """
    offers = [_recall(member) if len(member) <= _CACHED_LENGTH else _parse(member) for member in members(values)]
    found = tuple(offer for offer in offers if offer is not None)
    return found if offers and len(found) == len(offers) else None


def _parse(member: bytes) -> ExtensionOffer | None:
    """Parse one extension with its parameters, or return None if it does not follow the grammar."""
    match = _EXTENSION.match(member)
    if match is None:
        return None
    name = match[1].decode("ascii")
    parameters: list[tuple[str, str | None]] = []
    while match.end() < len(member):
        match = _PARAMETER.match(member, match.end())
        if match is None:
            return None
        key, token, quoted = match.groups()
        value = token if quoted is None else _QUOTED_PAIR.sub(rb"\1", quoted)
        if value is not None and not is_token(value):
            return None
        parameters.append((key.decode("ascii"), None if value is None else value.decode("ascii")))
    return ExtensionOffer(name, tuple(parameters))


_recall = lru_cache(_CACHE_SIZE)(_parse)


def deflate_offers(extensions: Iterable[ExtensionOffer]) -> tuple[DeflateOffer, ...]:
    """Return the offers of permessage-deflate that can be accepted, in the client's order (RFC 7692 section 5.1).

    An offer with a parameter that is unknown, repeated or of a wrong value is passed over and the next one counts; it
    does not fail the handshake.

    Args:
        extensions: The extensions offered.
    """
    offers = (_deflate_offer(extension) for extension in extensions if extension.name == "permessage-deflate")
    return tuple(offer for offer in offers if offer is not None)


def _deflate_offer(extension: ExtensionOffer) -> DeflateOffer | None:
    """Read one offer, or return None if it must be passed over."""
    parameters = dict(extension.parameters)
    if len(parameters) != len(extension.parameters):
        return None
    server_bits: int | None = None
    client_bits: int | Literal[True] | None = None
    for name, value in extension.parameters:
        bits = None if value is None else _WINDOW_BITS.get(value)
        if name in ("server_no_context_takeover", "client_no_context_takeover"):
            acceptable = value is None
        elif name == "server_max_window_bits":
            server_bits = bits
            acceptable = bits is not None and bits >= _ZLIB_MIN_WINDOW_BITS
        else:
            client_bits = True if value is None else bits
            acceptable = name == "client_max_window_bits" and client_bits is not None
        if not acceptable:
            return None
    return DeflateOffer(
        "server_no_context_takeover" in parameters, "client_no_context_takeover" in parameters, server_bits, client_bits
    )
