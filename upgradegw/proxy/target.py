"""The request target as the upstream gets it: below the route or as it came, and never out of the route.

A gateway matches a path as it is written. An upstream that resolves dot-segments, or takes a backslash or ``%2f`` for
a slash, would answer for another path than the one whose rules were applied, so such targets are refused.
"""

from __future__ import annotations

import re

# One byte that is written as an escape, or as itself.
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_SEPARATORS = re.compile(rb"[/\\]")
_DOTS = frozenset({b".", b".."})


def upstream_target(target: bytes, strip: int) -> bytes | None:
    """Return the target for the upstream, in origin-form (RFC 9112 section 3.2.1).

    Args:
        target: The target as received.
        strip: How many segments to take off its front.

    Returns:
        None if it is none that can be passed on.
    """
    path, mark, query = target.partition(b"?")
    # Behind a NUL some servers see no more of a path, as nginx knows, which refuses it, too.
    if not path.startswith(b"/") or b"%00" in path or leaves_its_place(path):
        return None
    if strip:
        path = b"/" + b"/".join(path[1:].split(b"/")[strip:])
    return path + mark + query


def leaves_its_place(path: bytes) -> bool:
    """Tell whether a path has a dot-segment (RFC 3986 section 3.3), openly or behind escapes and backslashes.

    Args:
        path: The path as received.
    """
    if b"." not in path and b"%" not in path:
        return False
    if b"%" in path:
        path = _ESCAPE.sub(lambda escape: bytes((int(escape[1], 16),)), path)
    # A parameter behind a semicolon is cut off by some servers before they look for dots.
    return any(segment.partition(b";")[0] in _DOTS for segment in _SEPARATORS.split(path))
