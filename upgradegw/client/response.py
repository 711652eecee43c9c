"""The head of a response, read strictly (RFC 9112 sections 2.2, 4 and 5), and what a 101 must say."""

from __future__ import annotations

import re
from dataclasses import dataclass

from upgradegw.negotiation.fields import connection_options, get_all, has_control, members, printable
from upgradegw.negotiation.model import Fields, UpgradeProtocol

#: The status of a switch (RFC 9110 section 15.2.2).
SWITCHING_PROTOCOLS = 101

# status-line = HTTP-version SP status-code SP [ reason-phrase ]      ; RFC 9112 section 4
# Nobody depends on the second space where there is no phrase, and servers leave it out.
_STATUS_LINE = re.compile(rb"(HTTP/[0-9]\.[0-9]) ([1-5][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?")

# field-line = field-name ":" OWS field-value OWS      ; RFC 9112 section 5
_FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):(.*)", re.DOTALL)

# RFC 9112 section 5.2: a user agent replaces a fold by a space.
_FOLD = re.compile(rb"\r\n[ \t]+")

#: A record of TLS: alert or handshake, and the version's first byte (RFC 8446 section 5.1).
_TLS_RECORDS = (b"\x15\x03", b"\x16\x03")

#: The frame with which HTTP/2 begins is SETTINGS on stream 0 (RFC 9113 section 3.4).
_HTTP2_SETTINGS = re.compile(rb"\x00\x00.\x04\x00\x00\x00\x00\x00", re.DOTALL)


class BadUpgradeResponse(Exception):  # noqa: N818 - the name says what it is
    """What the server sent is no HTTP/1.1 response, or announces a switch that nobody could rely on."""


@dataclass(frozen=True, slots=True)
class UpgradeResponse:
    """The head of a response to a request for an upgrade.

    Attributes:
        status: The status code.
        phrase: The reason phrase.
        fields: The field lines as they came.
        http_version: ``b"HTTP/1.1"``, for example.
    """

    status: int
    phrase: bytes
    fields: Fields
    http_version: bytes = b"HTTP/1.1"

    def get_all(self, lower_name: bytes) -> list[bytes]:
        """Return the values of all field lines of this name, in the order they were received.

        Args:
            lower_name: The name in lower case.
        """
        return get_all(self.fields, lower_name)


def parse_head(data: bytes) -> UpgradeResponse:
    """Read a head.

    Args:
        data: The lines, without the empty line that ends them.

    Raises:
        BadUpgradeResponse: It does not follow the grammar.
    """
    first, *lines = _FOLD.sub(b" ", data).split(b"\r\n")
    match = _STATUS_LINE.fullmatch(first)
    if match is None:
        raise BadUpgradeResponse(f"the server's first line is no status line: {printable(first)}")
    version, status, phrase = match.groups()
    return UpgradeResponse(int(status), phrase or b"", tuple(_field(line) for line in lines), version)


def _field(line: bytes) -> tuple[bytes, bytes]:
    match = _FIELD_LINE.fullmatch(line)
    if match is None:
        raise BadUpgradeResponse(f"the server's response has a line that is no field: {printable(line)}")
    name, value = match[1], match[2].strip(b" \t")
    if has_control(value):
        raise BadUpgradeResponse(f"the value of {printable(name)} in the response holds control characters")
    return name, value


def no_head(data: bytes) -> str | None:
    """Say what the first bytes are if they cannot become a head; None while they can.

    Args:
        data: The bytes so far.
    """
    if data.startswith(_TLS_RECORDS):
        return "the server speaks TLS here, and was spoken to without"
    if _HTTP2_SETTINGS.match(data):
        return "the server speaks HTTP/2 here, and was asked in HTTP/1.1"
    # A head begun with 0x16 or 0x00 may be either, until there are enough bytes.
    if b"HTTP/"[: len(data)] == data[:5]:
        return None
    if len(data) < 9 and (data[:1] in (b"\x15", b"\x16") or data[:2] in (b"\x00", b"\x00\x00")):  # noqa: PLR2004
        return None
    return f"the server does not speak HTTP/1.1: it sent {printable(data)}"


def wrong_switch(response: UpgradeResponse, token: UpgradeProtocol) -> str | None:
    """Say what is wrong with a 101, or return None (RFC 9110 sections 7.8 and 15.2.2).

    Args:
        response: A response with status 101.
        token: The one protocol that was offered.
    """
    if response.http_version != b"HTTP/1.1":
        return f"a switch in {response.http_version.decode()}, which has none"
    if b"upgrade" not in connection_options(response.get_all(b"connection")):
        return "a 101 without Connection: upgrade"
    framing = [name for name in (b"content-length", b"transfer-encoding") if response.get_all(name)]
    if framing:
        return f"a 101 with {framing[0].decode()}, and it has no content"
    return _wrong_protocol(members(response.get_all(b"upgrade")), token)


def _wrong_protocol(chosen: list[bytes], token: UpgradeProtocol) -> str | None:
    if not chosen:
        return "a 101 without Upgrade, which would say to what"
    if len(chosen) > 1:
        return f"a 101 that names more than one protocol: {printable(b', '.join(chosen))}"
    if not UpgradeProtocol.parse(chosen[0]).matches(token):
        return f"a switch to {printable(chosen[0])}, and {token} was offered"
    return None
