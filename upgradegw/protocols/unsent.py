"""What a transport still has to send: the measure of a client that does not read."""

from __future__ import annotations

from typing import Any


def unsent_bytes(transport: Any) -> int | None:
    """Return what a transport of Twisted's, or an HTTP/2 stream, still has to send, or None where that is not known.

    A wrapper (TLS, PROXY) passes the question on to the socket's transport.
    """
    unsent = getattr(transport, "unsent", None)
    if isinstance(unsent, int):
        return unsent
    try:
        return len(transport.dataBuffer) - transport.offset + transport._tempDataLen  # type: ignore[no-any-return] # noqa: SLF001
    except AttributeError:
        return None
