"""The offer of HTTP/2 in an Upgrade field (RFC 7540 section 3.2; RFC 9113 section 3.1 has withdrawn it).

Clients that still send it are curl, Java's and nghttp. It is read strictly, because whatever is accepted here speaks
past everything that stands in front: an offer that is not beyond doubt is no offer, and the request a plain one.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING

from upgradegw.negotiation.fields import by_name, connection_options, members

if TYPE_CHECKING:
    from upgradegw.negotiation.model import Fields

# RFC 7540 section 3.2.1: the payload of a SETTINGS frame in base64url without padding. An entry has six bytes, so the
# text comes in groups of eight characters.
_SETTINGS = re.compile(rb"(?:[A-Za-z0-9_-]{8})*")
_ENTRY = 6

# As many entries as a SETTINGS frame may have that is received in the usual way.
_MAX_ENTRIES = 32

# RFC 9113 section 6.5.2: the settings whose value can be wrong, and which values are right.
_LEGAL = {
    0x2: range(2),  # SETTINGS_ENABLE_PUSH
    0x4: range(1 << 31),  # SETTINGS_INITIAL_WINDOW_SIZE
    0x5: range(1 << 14, 1 << 24),  # SETTINGS_MAX_FRAME_SIZE
    0x8: range(2),  # SETTINGS_ENABLE_CONNECT_PROTOCOL (RFC 8441 section 3)
}


def h2c_settings(fields: Fields) -> bytes | None:
    """Return the value of HTTP2-Settings if a request of HTTP/1.1 offers HTTP/2 and nothing else.

    The offer counts if ``Connection`` names ``Upgrade`` and ``HTTP2-Settings``, if every token in ``Upgrade`` is
    ``h2c`` or ``h2`` (which is ignored, RFC 7540 section 3.2) and one is ``h2c``, and if there is one HTTP2-Settings
    that is a legal SETTINGS payload (RFC 7540 section 3.2.1).

    Args:
        fields: The request's field lines.

    Returns:
        The value as received, or None if the request is to be answered in HTTP/1.1.
    """
    lines = by_name(fields)
    options = connection_options(lines.get(b"connection", ()))
    tokens = {token.lower() for token in members(lines.get(b"upgrade", ()))}
    if not {b"upgrade", b"http2-settings"} <= options or b"h2c" not in tokens or not tokens <= {b"h2c", b"h2"}:
        return None
    values = lines.get(b"http2-settings", [])
    return values[0] if len(values) == 1 and _is_legal(values[0]) else None


def _is_legal(value: bytes) -> bool:
    """Tell whether a value of HTTP2-Settings is a SETTINGS payload without an illegal entry."""
    if not _SETTINGS.fullmatch(value) or len(value) > 8 * _MAX_ENTRIES:
        return False
    payload = urlsafe_b64decode(value)
    for at in range(0, len(payload), _ENTRY):
        setting = int.from_bytes(payload[at : at + 2], "big")
        if int.from_bytes(payload[at + 2 : at + _ENTRY], "big") not in _LEGAL.get(setting, range(1 << 32)):
            return False
    return True


def is_forwarded(fields: Fields) -> bool:
    """Tell whether somebody in between has passed a request on: Forwarded, X-Forwarded-* or Via is there."""
    names = by_name(fields)
    return any(name in (b"forwarded", b"via") or name.startswith(b"x-forwarded-") for name in names)
