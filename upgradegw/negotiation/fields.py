"""Reading field lines: names without regard to case, comma lists, tokens, control characters (RFC 9110 section 5)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# RFC 9110 section 5.6.2: a token is made of these, and is not empty.
_TCHAR = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# RFC 9110 section 5.5: CTL without HTAB, which is white space inside a value.
_CONTROL = bytes([*range(0x09), *range(0x0A, 0x20), 0x7F])

# One non-empty member of a list whose members may hold quoted strings (RFC 9110 sections 5.6.1 and 5.6.4). A quoted
# string that is not closed runs to the end of the value. The quantifiers are possessive, so that the time is linear.
_MEMBER = re.compile(rb'(?:[^",]++|"(?:[^"\\]++|\\.)*+"?)++', re.DOTALL)

# All clients of a kind send the same few words. With both limits a stranger can fill some 30 KB with others.
_CACHE_SIZE = 128
_CACHED_LENGTH = 64

# What of a hostile value is worth a place in a log line.
_SHOWN = 120


def get_all(fields: Iterable[tuple[bytes, bytes]], lower_name: bytes) -> list[bytes]:
    """Return the values of all field lines of this name, in the order they were received.

    Args:
        fields: The field lines.
        lower_name: The name in lower case.
    """
    # Most names differ in length already, and comparing lengths costs less than lower-casing.
    size = len(lower_name)
    return [value for name, value in fields if len(name) == size and name.lower() == lower_name]


def by_name(fields: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """Return the values of all field lines by name in lower case: cheaper than `get_all` for more than two names."""
    found: dict[bytes, list[bytes]] = {}
    for name, value in fields:
        lower_name = name.lower()
        if lower_name in found:
            found[lower_name].append(value)
        else:
            found[lower_name] = [value]
    return found


def members(values: Iterable[bytes]) -> list[bytes]:
    """Return the members of a comma-separated list that may span several lines (RFC 9110 section 5.6.1).

    White space around a member is removed and empty members are dropped. A comma within a quoted string does not
    separate; a quoted string never runs over into the next line.

    Args:
        values: The values of the field lines, as from `get_all`.
    """
    found = []
    for value in values:
        for member in _MEMBER.findall(value) if b'"' in value else value.split(b","):
            trimmed = member.strip(b" \t")
            if trimmed:
                found.append(trimmed)
    return found


def connection_options(values: Sequence[bytes]) -> frozenset[bytes]:
    """Return the connection options in lower case (RFC 9110 section 7.6.1); one that is no token stays as it is.

    Args:
        values: The values of Connection.
    """
    if len(values) == 1 and len(values[0]) <= _CACHED_LENGTH:
        return _recall_options(values[0])
    return frozenset([member.lower() for member in members(values)])


@lru_cache(_CACHE_SIZE)
def _recall_options(value: bytes) -> frozenset[bytes]:
    """Do the work of `connection_options`."""
    return frozenset([member.lower() for member in members((value,))])


def is_token(value: bytes) -> bool:
    """Tell whether the value is a token (RFC 9110 section 5.6.2)."""
    return bool(value) and not value.translate(None, _TCHAR)


def has_control(value: bytes) -> bool:
    """Tell whether the value holds a control character: 0x00 to 0x08, 0x0a to 0x1f, or 0x7f (RFC 9110 section 5.5)."""
    return len(value.translate(None, _CONTROL)) != len(value)


def printable(value: bytes) -> str:
    r"""Return the value as printable ASCII for ``detail``: other bytes as ``\x..``, cut when it is long."""
    shown = ascii(value[:_SHOWN].decode("latin-1"))[1:-1]
    return shown if len(value) <= _SHOWN else shown + "..."
