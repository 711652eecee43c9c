"""The client's half of the WebSocket handshake, and as much of its frames as a clean end takes (RFC 6455)."""

from __future__ import annotations

import os
import zlib
from base64 import b64encode

from upgradegw.client.response import UpgradeResponse
from upgradegw.negotiation.extensions import parse_extensions
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.websocket import accept_value

#: What browsers offer, so that what a browser is answered is shown.
EXTENSIONS = b"permessage-deflate; client_max_window_bits"

#: The subprotocol by which upgradegw's demonstration reports what it saw.
REPORTING = b"demo.upgradegw"

CLOSE_CODE = 1000
TEXT, CLOSE = 1, 8

_FIN, _OPCODE, _MASKED, _LENGTH = 0x80, 0x0F, 0x80, 0x7F
_IN_2_BYTES, _IN_8_BYTES = 126, 127
_RSV1 = 0x40
_MAX_INFLATED = 64 * 1024


def new_key() -> bytes:
    """Return a key: 16 random bytes in base64 (RFC 6455 section 4.1, item 7)."""
    return b64encode(os.urandom(16))


def opening_fields(subprotocols: tuple[bytes, ...], key: bytes | None) -> Fields:
    """Return the fields of the handshake.

    Args:
        subprotocols: What is offered.
        key: The key; None on HTTP/2, where there is none (RFC 8441 section 5).
    """
    fields = [] if key is None else [(b"Sec-WebSocket-Key", key)]
    fields.append((b"Sec-WebSocket-Version", b"13"))
    fields.append((b"Sec-WebSocket-Extensions", EXTENSIONS))
    if subprotocols:
        fields.append((b"Sec-WebSocket-Protocol", b", ".join(subprotocols)))
    return tuple(fields)


def wrong_opening(
    response: UpgradeResponse, subprotocols: tuple[bytes, ...], offered: frozenset[str], key: bytes | None
) -> str | None:
    """Say what is wrong with the server's half, or return None (RFC 6455 section 4.1, after item 12).

    Args:
        response: The response that announced the switch.
        subprotocols: The subprotocols that were offered.
        offered: The names of the extensions that were offered.
        key: The key that was sent; None on HTTP/2.
    """
    accepts = response.get_all(b"sec-websocket-accept")
    if key is not None and not accepts:
        return "there is no Sec-WebSocket-Accept: what answered knows no WebSocket"
    if key is not None and accepts != [accept_value(key)]:
        shown = printable(b" and ".join(accepts))
        return f"Sec-WebSocket-Accept is {shown}, and belongs to another key: something in between keeps answers"
    chosen = response.get_all(b"sec-websocket-protocol")
    if len(chosen) > 1 or not {*chosen} <= {*subprotocols}:
        return f"the subprotocol {printable(b' and '.join(chosen))} was not offered; browsers close then"
    extensions = response.get_all(b"sec-websocket-extensions")
    spoken = parse_extensions(extensions) if extensions else ()
    if spoken is None or not {each.name for each in spoken} <= offered:
        return f"the extensions {printable(b', '.join(extensions))} were not offered; browsers close then"
    return None


def close_frame() -> bytes:
    """Return a Close with code 1000, masked (RFC 6455 sections 5.3 and 5.5.1)."""
    mask = os.urandom(4)
    content = bytes(a ^ b for a, b in zip(CLOSE_CODE.to_bytes(2, "big"), mask, strict=False))
    return bytes([_FIN | CLOSE, _MASKED | len(content)]) + mask + content


def first_frame(data: bytes, wanted: int) -> bytes | None:
    """Return the content of the first complete frame of a kind, inflated if need be; None if there is none yet.

    Args:
        data: All that came behind the switch.
        wanted: The opcode.
    """
    while len(data) >= 2:  # noqa: PLR2004 - the shortest head
        size, at = data[1] & _LENGTH, 2
        if size >= _IN_2_BYTES:
            at = 4 if size == _IN_2_BYTES else 10
            size = int.from_bytes(data[2:at], "big") if len(data) >= at else len(data)
        if len(data) < at + size:
            return None
        if data[0] & _OPCODE == wanted:
            content = data[at : at + size]
            return _inflated(content) if data[0] & _RSV1 else content
        data = data[at + size :]
    return None


def _inflated(content: bytes) -> bytes | None:
    """Undo permessage-deflate on a first message (RFC 7692 section 7.2.2); no more than anybody has to say."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(content + b"\x00\x00\xff\xff", _MAX_INFLATED)
    except zlib.error:
        return None
