"""What is asked of transports of every kind, in one way."""

from __future__ import annotations

from typing import Any


def abort_transport(transport: Any) -> None:
    """End a connection at once; what has no such end, as some wrappers, ends in order.

    Args:
        transport: Its transport.
    """
    (getattr(transport, "abortConnection", None) or transport.loseConnection)()
