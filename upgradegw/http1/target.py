"""Where a request goes: the forms of the request target (RFC 9112 section 3.2)."""

from __future__ import annotations

import re

# absolute-form = absolute-URI (RFC 9112 section 3.2.2), of the schemes that we serve
_ABSOLUTE = re.compile(rb"(?i:https?)://([^/?]*)([/?].*)?", re.DOTALL)


def split_absolute(target: bytes, method: bytes) -> tuple[bytes, bytes] | None:
    """Split an absolute-form target into authority and what a resource sees.

    Args:
        target: The request target.
        method: The method; an OPTIONS without path asks about the server, ``*`` (RFC 9112 section 3.2.4).

    Returns:
        None if the target is no absolute http or https URI.
    """
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        return None
    rest = match[2]
    if rest is None:
        return match[1], b"*" if method == b"OPTIONS" else b"/"
    return match[1], rest if rest.startswith(b"/") else b"/" + rest
