"""The head of an upstream's response, read strictly (RFC 9112 sections 4 to 6), and what it says of the content.

The grammar of the field lines is left to llhttp (httptools). What an upstream sends is as little to be trusted as what
a client sends: a response of which two readers might see different ends, or different lines, is none.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from httptools import HttpParserError, HttpResponseParser

from upgradegw.negotiation.fields import has_control, printable
from upgradegw.negotiation.model import Fields
from upgradegw.proxy.exchange import ResponseHead

# status-line = HTTP-version SP status-code SP [ reason-phrase ]; nobody depends on the second space where there is no
# phrase, and servers leave it out. Codes above 599 exist and pass (RFC 9110 section 15), those below 100 are none.
_STATUS_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n")

# The status line is ours to judge, and llhttp stops with an error at a 101 that does not say to what; so it is shown
# this line instead.
_STAND_IN = b"HTTP/1.1 200 OK\r\n"

#: Statuses whose responses have no content, whatever their fields say (RFC 9112 section 6.3).
_WITHOUT_CONTENT = frozenset((204, 304))
_OK = 200

#: Of ``Framing.length``: the content is chunked, or goes on until the connection ends.
CHUNKED, UNTIL_CLOSE = -1, -2

#: Field names that say something about the connection, by their lengths: most names are told apart by that.
_TELLING = {len(name): name for name in (b"connection", b"content-length", b"transfer-encoding")}
_KEEP_ALIVE = b"keep-alive"

# Keep-Alive: timeout=5, max=100; RFC 2068 section 19.7.1.1 and what servers have made of it.
_TIMEOUT = re.compile(rb"(?:^|[\s,;])timeout=([0-9]{1,6})", re.IGNORECASE)


class BadResponse(ValueError):  # noqa: N818 - it says what is the case
    """The bytes are no response, or beyond a limit."""


class Framing(NamedTuple):
    """What a head says of the rest.

    Attributes:
        length: Bytes of content that follow; ``CHUNKED`` or ``UNTIL_CLOSE``.
        keep_alive: Whether the upstream lets the connection go on.
        idle: Seconds for which it will keep it, or None if it does not say.
    """

    length: int
    keep_alive: bool
    idle: int | None


class _Collector:
    """Receives llhttp's callbacks."""

    __slots__ = ("fields", "telling")

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.telling: dict[bytes, list[bytes]] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field line; llhttp leaves trailing whitespace to us."""
        value = value.rstrip(b" \t")
        self.fields.append((name, value))
        size = len(name)
        if size in _TELLING:
            lower_name = name.lower()
            if lower_name in (_TELLING[size], _KEEP_ALIVE):
                self.telling.setdefault(lower_name, []).append(value)


def parse_response(data: bytes, head_only: bool = False) -> tuple[ResponseHead, Framing]:
    """Read a complete head.

    Args:
        data: From the first byte of the status line to the empty line, both included; nothing behind it.
        head_only: Whether the request was a HEAD.

    Raises:
        BadResponse: It is no head, or says in two ways where the response ends.
    """
    line = _STATUS_LINE.match(data)
    if line is None:
        raise BadResponse("no status line of HTTP/1.1: " + printable(data.partition(b"\n")[0].rstrip(b"\r")))
    collector = _Collector()
    try:
        HttpResponseParser(collector).feed_data(_STAND_IN + data[line.end() :])
    except HttpParserError as error:
        raise BadResponse(f"a head that is none: {error}") from None
    version, status, telling = line[1], int(line[2]), collector.telling
    length = _length(version, telling)
    framing = _framing(version, status, length, telling, head_only)
    phrase = line[3] or b""
    fields: Fields = tuple(collector.fields)
    return ResponseHead(status, phrase, fields, version, length if length >= 0 else None), framing


def _length(version: bytes, telling: dict[bytes, list[bytes]]) -> int:
    """Return what the fields say of the content's length; llhttp has refused two lengths, and one beside a coding."""
    codings = telling.get(b"transfer-encoding")
    if codings is not None:
        if version != b"HTTP/1.1":
            raise BadResponse("Transfer-Encoding in HTTP/1.0")
        if len(codings) != 1 or codings[0].lower() != b"chunked":
            # RFC 9112 section 7: none was asked for with TE.
            raise BadResponse(f"the transfer coding {printable(b', '.join(codings))}, which was not asked for")
        return CHUNKED
    lengths = telling.get(b"content-length")
    return UNTIL_CLOSE if lengths is None else int(lengths[0])


def _framing(version: bytes, status: int, length: int, telling: dict[bytes, list[bytes]], head_only: bool) -> Framing:
    if head_only or status in _WITHOUT_CONTENT or status < _OK:
        length = 0
    keep_alive = version == b"HTTP/1.1" and length != UNTIL_CLOSE
    idle = None
    if telling:
        if b"connection" in telling and _lists_close(telling[b"connection"]):
            keep_alive = False
        if b"keep-alive" in telling:
            said = _TIMEOUT.search(b",".join(telling[b"keep-alive"]))
            idle = int(said[1]) if said is not None else None
    return Framing(length, keep_alive, idle)


def _lists_close(values: list[bytes]) -> bool:
    return any(option.strip(b" \t").lower() == b"close" for value in values for option in value.split(b","))


def check_start(data: bytes | bytearray) -> None:
    """Refuse the start of a head that cannot become one, instead of waiting for the rest.

    Args:
        data: What there is; not empty.

    Raises:
        BadResponse: It cannot become a head of HTTP/1.
    """
    start = bytes(data[:7])
    if not b"HTTP/1."[: len(start)] == start:
        raise BadResponse("it does not answer in HTTP/1.1: " + printable(bytes(data[:64])))
    line, end, _ = bytes(data).partition(b"\n")
    if end and (not line.endswith(b"\r") or _STATUS_LINE.match(line + end) is None):
        raise BadResponse("no status line of HTTP/1.1: " + printable(line.rstrip(b"\r")))
    if not end and has_control(line.removesuffix(b"\r")):
        raise BadResponse("no status line of HTTP/1.1: " + printable(line))
