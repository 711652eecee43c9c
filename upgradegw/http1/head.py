"""A request head, from bytes to values: strict, bounded and pure.

The request line is read here, the field lines by llhttp (httptools), whose strictness about line ends, whitespace,
control characters and contradicting lengths is what protects against request smuggling. Content is never shown to
llhttp: at the head of a request that offers an upgrade it would stop and not read the content that belongs to it.

A head that follows the grammar to the letter and says nothing of content needs no llhttp: nothing in it can be read in
two ways. One regular expression tells, in a third of the time; a test compares the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from upgradegw.http.headers import CANONICAL, canonical_name
from upgradegw.http.limits import Limits
from upgradegw.http1.target import split_absolute
from upgradegw.negotiation.authority import names_host, split_authority
from upgradegw.negotiation.fields import connection_options, has_control, printable
from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.reasons import Reason

# token = 1*tchar (RFC 9110 section 5.6.2)
_TCHAR = rb"!#$%&'*+\-.^_`|~0-9A-Za-z"
# request-line = method SP request-target SP HTTP-version (RFC 9112 section 3); one space, no other
_REQUEST_LINE = re.compile(rb"([" + _TCHAR + rb"]+) ([\x21-\x7e]+) HTTP/([0-9]\.[0-9])\r\n")
_TOKEN_START = re.compile(rb"[" + _TCHAR + rb"]+")
# The same, and field-line = field-name ":" OWS field-value OWS (RFC 9112 section 5): all of a head, without obs-fold,
# and without white space that would have to be taken off the end of a value
_PLAIN = re.compile(
    rb"([" + _TCHAR + rb"]++) ([\x21-\x7e]++) HTTP/1\.1\r\n"
    rb"((?:[" + _TCHAR + rb"]++:[\t\x20-\x7e\x80-\xff]*+(?<![\t ])\r\n)*+)\r\n"
)
# One field line of what the above has matched
_FIELD_LINE = re.compile(rb"([^:]++):[\t ]*+([^\r]*+)\r\n")
_TRANSFER_ENCODING = re.compile(rb"\r\n(?i:transfer-encoding):([^\r\n]*)")
_CONTENT_LENGTH = re.compile(rb"\r\n(?i:content-length):")

_SLASH, _HASH = b"/#"
_VERSIONS = {b"1.1": b"HTTP/1.1", b"1.0": b"HTTP/1.0"}
# Methods are ours to judge, and llhttp knows only its own; it is shown this line instead.
_STAND_IN = b"POST / HTTP/1.1\r\n"


class Head(NamedTuple):
    """A valid request head; a named tuple, which is made in a third of the time of a frozen dataclass.

    Attributes:
        method: The method, case as received.
        target: The target in origin-form, or ``*``.
        http_version: ``b"HTTP/1.1"`` or ``b"HTTP/1.0"``.
        fields: The field lines; Host is the authority of an absolute-form target if there was one.
        by_name: Their values by name, the names as ``headers.CANONICAL`` has them.
        host: The value of Host, or None (HTTP/1.0 only).
        keep_alive: Whether the client lets the connection go on.
        content_length: Bytes of content; 0 if there is none or its length is not known.
        chunked: Whether the content is chunked.
        expects_continue: Whether the client waits for a 100 before it sends content.
        upgrades: Whether the client offers an upgrade (``Upgrade`` and ``Connection: upgrade``, HTTP/1.1).
    """

    method: bytes
    target: bytes
    http_version: bytes
    fields: Fields
    by_name: dict[bytes, list[bytes]]
    host: bytes | None
    keep_alive: bool
    content_length: int
    chunked: bool
    expects_continue: bool
    upgrades: bool


@dataclass(frozen=True, slots=True)
class BadHead:
    """A head that is refused; the connection cannot go on, for what follows it cannot be told apart.

    Attributes:
        status: The status code.
        reason: The reason, for the log.
        detail: What was found, for the log only.
        method: The method if the request line could be read, else ``b""``.
        target: The target, likewise.
        is_http: Whether it may have been meant as HTTP/1.1: a request line of three words names a version.
    """

    status: int
    reason: Reason
    detail: str = ""
    method: bytes = b""
    target: bytes = b""
    is_http: bool = True


class _Collector:
    """Receives llhttp's callbacks: all field lines, in order and by name."""

    __slots__ = ("by_name", "fields")

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []
        self.by_name: dict[bytes, list[bytes]] = {}

    def on_header(self, name: bytes, value: bytes) -> None:
        """One field line; llhttp leaves trailing whitespace to us."""
        value = value.rstrip(b" \t")
        self.fields.append((name, value))
        name = CANONICAL.get(name) or canonical_name(name)
        if name in self.by_name:
            self.by_name[name].append(value)
        else:
            self.by_name[name] = [value]


def parse_head(data: bytes, limits: Limits) -> Head | BadHead:
    """Read a complete head.

    Args:
        data: From the first byte of the request line to the empty line, both included; nothing behind it.
        limits: The bounds.
    """
    return read_plainly(data, limits) or read_with_llhttp(data, limits)


def read_with_llhttp(data: bytes, limits: Limits) -> Head | BadHead:
    """Read any head; see ``parse_head``."""
    line = _REQUEST_LINE.match(data)
    if line is None or len(data) > limits.max_head or len(line[2]) > limits.max_target or line[3] not in _VERSIONS:
        return judge_start(data, limits) or _bad_line(data)
    method, target, version = line[1], line[2], _VERSIONS[line[3]]
    collector = _Collector()
    try:
        HttpRequestParser(collector).feed_data(_STAND_IN + data[line.end() :])
    except HttpParserUpgrade:
        pass  # only says that an upgrade is offered
    except HttpParserError as error:
        return _bad_fields(data, version, str(error), method, target)
    if len(collector.fields) > limits.max_fields:
        return BadHead(431, Reason.TOO_MANY_FIELDS, f"{len(collector.fields)} field lines", method, target)
    return _judge(method, target, version, collector.fields, collector.by_name)


def read_plainly(data: bytes, limits: Limits) -> Head | None:
    """Read a head that can be read in one way only, and breaks no rule; None leaves it to llhttp and ``_judge``."""
    match = _PLAIN.fullmatch(data)
    if match is None or len(data) > limits.max_head:
        return None
    method, target, lines = match.groups()
    fields = _FIELD_LINE.findall(lines)
    known = CANONICAL
    by_name = {known.get(name) or canonical_name(name): [value] for name, value in fields}
    if len(by_name) != len(fields):
        by_name = {}
        for name, value in fields:
            by_name.setdefault(known[name] if name in known else canonical_name(name), []).append(value)
    if (
        b"Content-Length" in by_name
        or b"Transfer-Encoding" in by_name
        or b"Expect" in by_name
        or len(fields) > limits.max_fields
        or len(target) > limits.max_target
    ):
        return None
    hosts = by_name.get(b"Host")
    if target[0] != _SLASH or _HASH in target or method == b"CONNECT" or hosts is None or not names_host(hosts):
        return None
    options = connection_options(by_name[b"Connection"]) if b"Connection" in by_name else ()
    upgrades = b"Upgrade" in by_name and b"upgrade" in options
    keep_alive = b"close" not in options
    return Head(method, target, b"HTTP/1.1", tuple(fields), by_name, hosts[0], keep_alive, 0, False, False, upgrades)


def _judge(
    method: bytes,
    target: bytes,
    version: bytes,
    fields: list[tuple[bytes, bytes]],
    by_name: dict[bytes, list[bytes]],
) -> Head | BadHead:
    """Apply the rules that need the whole head, and make the value."""
    current = version == b"HTTP/1.1"
    hosts = by_name.get(b"Host", ())
    host = hosts[0] if hosts else None
    if len(hosts) != 1 and (hosts or current):
        return BadHead(400, Reason.BAD_HOST, f"{len(hosts)} Host fields", method, target)
    if host is not None and split_authority(host) is None:
        return BadHead(400, Reason.BAD_HOST, f"Host: {printable(host)}", method, target)
    if target[0] != _SLASH or _HASH in target or method == b"CONNECT":
        found = _other_form(method, target)
        if isinstance(found, BadHead):
            return found
        authority, target = found
        if authority is not None:
            host = authority
            by_name[b"Host"] = [host]
            fields = [(b"Host", host), *(field for field in fields if field[0].lower() != b"host")]
    coding = by_name.get(b"Transfer-Encoding")
    if coding is not None and (not current or len(coding) != 1 or coding[0].lower() != b"chunked"):
        # llhttp has refused Content-Length beside it.
        if current:
            return BadHead(501, Reason.UNKNOWN_TRANSFER_CODING, printable(b",".join(coding)), method, target)
        return BadHead(400, Reason.AMBIGUOUS_LENGTH, "Transfer-Encoding in HTTP/1.0", method, target)
    options = connection_options(by_name[b"Connection"]) if b"Connection" in by_name else ()
    return Head(
        method,
        target,
        version,
        tuple(fields),
        by_name,
        host,
        current and b"close" not in options,
        int(by_name[b"Content-Length"][0]) if b"Content-Length" in by_name else 0,
        coding is not None,
        current and b"Expect" in by_name and _expects_continue(by_name[b"Expect"]),
        current and b"Upgrade" in by_name and b"upgrade" in options,
    )


def _expects_continue(values: list[bytes]) -> bool:
    return any(value.lower() == b"100-continue" for value in values)


def _other_form(method: bytes, target: bytes) -> tuple[bytes | None, bytes] | BadHead:
    """Judge a target that is not plain origin-form: its authority if it has one, and what a resource sees."""
    if method == b"CONNECT":
        return BadHead(405, Reason.CONNECT, "", method, target)
    if _HASH in target:
        return BadHead(400, Reason.BAD_REQUEST, "'#' in the request target", method, target)
    if target == b"*" and method == b"OPTIONS":
        return None, target
    absolute = split_absolute(target, method)
    if absolute is None:
        return BadHead(400, Reason.BAD_REQUEST, "the request target has no form that we serve", method, target)
    if split_authority(absolute[0]) is None:
        return BadHead(400, Reason.BAD_HOST, f"authority {printable(absolute[0])}", method, target)
    return absolute


def _bad_fields(data: bytes, version: bytes, error: str, method: bytes, target: bytes) -> BadHead:
    """Find the status for field lines that llhttp refused: 400 but for a transfer coding that we do not know."""
    codings = [value.strip(b" \t") for value in _TRANSFER_ENCODING.findall(data)]
    if codings and (version == b"HTTP/1.0" or _CONTENT_LENGTH.search(data)):
        return BadHead(400, Reason.AMBIGUOUS_LENGTH, error, method, target)
    joined = b",".join(codings)
    if joined and joined.lower() != b"chunked" and not has_control(joined):
        return BadHead(501, Reason.UNKNOWN_TRANSFER_CODING, printable(joined), method, target)
    return BadHead(400, Reason.BAD_REQUEST, error, method, target)


def judge_start(data: bytes | bytearray, limits: Limits) -> BadHead | None:
    """Refuse the start of a head that cannot become a valid one, instead of waiting for the rest.

    Args:
        data: What there is of the head; not empty.
        limits: The bounds.

    Returns:
        None if it may still become a request.
    """
    start = _TOKEN_START.match(data)
    if start is None:
        return BadHead(400, Reason.BAD_REQUEST, f"starts with the byte 0x{data[0]:02x}")
    end = data.find(b"\r\n")
    target = bytes(data[start.end() + 1 : end if end >= 0 else None]).partition(b" ")[0]
    if len(target) > limits.max_target:
        return BadHead(414, Reason.TARGET_TOO_LONG, f"more than {limits.max_target} bytes", start[0])
    if end >= 0:
        line = _REQUEST_LINE.match(data)
        if line is None or line[3] not in _VERSIONS:
            return _bad_line(data, line)
    if len(data) > limits.max_head:
        return BadHead(431, Reason.HEAD_TOO_LARGE, f"more than {limits.max_head} bytes", start[0], target)
    lone = data.count(b"\n") != data.count(b"\r\n")
    return BadHead(400, Reason.BAD_REQUEST, "a line that ends with LF alone", start[0], target) if lone else None


def _bad_line(data: bytes | bytearray, line: re.Match[bytes] | None = None) -> BadHead:
    """Refuse a complete request line: a version that is not spoken here (RFC 9110 section 15.6.6), or no such line."""
    if line is not None:
        return BadHead(505, Reason.UNSUPPORTED_HTTP_VERSION, f"HTTP/{line[3].decode('ascii')}", line[1], line[2])
    text = bytes(data.partition(b"\r\n")[0])
    words = text.split(b" ")
    is_http = len(words) != 3 or words[2].startswith(b"HTTP/")  # noqa: PLR2004 - method, target, version
    return BadHead(400, Reason.BAD_REQUEST, "request line " + printable(text), is_http=is_http)
