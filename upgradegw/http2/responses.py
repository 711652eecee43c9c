"""A header block's fields to a response, or why it is malformed (RFC 9113 sections 8.1 to 8.3): pure.

What passes here could be written as an HTTP/1.1 response without meaning anything else.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from upgradegw.http2.decoding import FIELD_OVERHEAD
from upgradegw.http2.validation import LENGTH, Malformed, bad_field
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Fields

_STATUS = re.compile(rb"[1-5][0-9]{2}")

#: RFC 9113 section 8.6: HTTP/2 does not have it.
_SWITCHING_PROTOCOLS = 101


class Http2Response(NamedTuple):
    """A valid response head.

    Attributes:
        status: The status code.
        fields: The field lines in order, names in lower case.
        content_length: The value of Content-Length, or None.
    """

    status: int
    fields: Fields
    content_length: int | None


def validate_response(block: Sequence[tuple[bytes, bytes]], max_head: int) -> Http2Response | Malformed:
    """Judge a response's header block.

    Args:
        block: Names and values in the order they were received.
        max_head: The bytes that it may have, each field counted with 32 more.
    """
    if sum([len(name) + len(value) + FIELD_OVERHEAD for name, value in block]) > max_head:
        return Malformed(f"a head of more than {max_head} bytes")
    if not block or block[0][0] != b":status":
        return Malformed("a response without :status, or not at its beginning")
    status, fields = block[0][1], tuple((bytes(name), bytes(value)) for name, value in block[1:])
    if _STATUS.fullmatch(status) is None or int(status) == _SWITCHING_PROTOCOLS:
        return Malformed(f":status is {printable(status)}")
    why = next(filter(None, (_bad_line(name, value) for name, value in fields)), None)
    if why is not None:
        return Malformed(why)
    lengths = [value for name, value in fields if name == b"content-length"]
    if len(lengths) > 1 or (lengths and LENGTH.fullmatch(lengths[0]) is None):
        return Malformed(f"Content-Length {printable(b', '.join(lengths))}")
    return Http2Response(int(status), fields, int(lengths[0]) if lengths else None)


def _bad_line(name: bytes, value: bytes) -> str | None:
    if name[:1] == b":":
        return f"{printable(name)} is repeated, or in no response"
    return bad_field(name, value)
