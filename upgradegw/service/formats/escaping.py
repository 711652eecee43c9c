"""What a client sent, as it may stand in a log: no longer than a person reads, and nothing but printable ASCII."""

from __future__ import annotations

import re

#: Characters of a value that are shown; nginx shows all of up to 32 KiB, but a log is read by people.
LONGEST = 1024

_UNSAFE = re.compile(r"[^ !#-\[\]-~]")


def shorten(text: str) -> str:
    """Return a text of at most ``LONGEST`` characters, with three dots behind if there was more."""
    return text if len(text) <= LONGEST else text[:LONGEST] + "..."


def escape(value: object) -> str:
    r"""Return a value as it may stand between quotation marks; ``-`` for none.

    Everything but printable ASCII, and quotation marks and backslashes, is written as ``\xhh``.
    """
    if value is None:
        return "-"
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
    more = len(text) > LONGEST
    text = _UNSAFE.sub(_hexadecimal, text[:LONGEST])
    return (text + "..." if more else text) or "-"


def _hexadecimal(match: re.Match[str]) -> str:
    character = ord(match[0])
    if character <= 0xFF:  # noqa: PLR2004 - two digits are enough
        return f"\\x{character:02x}"
    return f"\\u{character:04x}" if character <= 0xFFFF else f"\\U{character:08x}"  # noqa: PLR2004 - four are
