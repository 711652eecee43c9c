"""An accepted connection gets its protocol."""

from __future__ import annotations

from typing import Any

from twisted.logger import Logger

_log = Logger()


def set_up(connection: Any, factory: Any) -> None:
    """Ask the factory for a protocol, and connect it. What goes wrong is logged and ends at most the connection.

    Args:
        connection: The connection, which uvloop has just opened.
        factory: The factory.
    """
    try:
        protocol = factory.buildProtocol(connection.getPeer())
        if protocol is not None:
            connection.speak(protocol)
    except BaseException:  # noqa: BLE001 - whatever it is, it must not end the reactor
        _log.failure("a connection could not be set up")
    if connection.protocol is None:
        connection.lose_at_once()
