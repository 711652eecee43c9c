"""A response's fields as HTTP/2 has them: names in lower case, and none that speaks of the connection."""

from __future__ import annotations

from typing import Any

from twisted.web.http_headers import Headers

from upgradegw.http2.validation import CONNECTION_SPECIFIC

#: Names as Headers writes them, to names as HTTP/2 sends them, or None. Applications have few, but may make them up.
_LOWER: dict[bytes, bytes | None] = {}
_MAX_LOWER = 1024


def response_fields(code: bytes, headers: Any) -> list[tuple[bytes, bytes]]:
    """Return a response's head as HTTP/2 has it (RFC 9113 sections 8.2 and 8.3.2).

    Args:
        code: The status code.
        headers: Headers, or pairs of name and value.
    """
    fields = [(b":status", code)]
    if not isinstance(headers, Headers):
        fields.extend(
            (name.lower(), value.strip()) for name, value in headers if name.lower() not in CONNECTION_SPECIFIC
        )
        return fields
    for name, values in headers.getAllRawHeaders():
        lower = _LOWER[name] if name in _LOWER else _lower(name)
        if lower is not None:
            fields += [(lower, value.strip()) for value in values]
    return fields


def _lower(name: bytes) -> bytes | None:
    lower = None if name.lower() in CONNECTION_SPECIFIC else name.lower()
    if len(_LOWER) < _MAX_LOWER:
        _LOWER[name] = lower
    return lower
