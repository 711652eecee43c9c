"""The configuration read again, at SIGHUP: it takes effect as a whole, or not at all."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger
from twisted.python.usage import UsageError

from upgradegw.service.config.model import Config
from upgradegw.service.gateway.gateway import Gateway

_log = Logger()


def reload(gateway: Gateway, read: Callable[[], Config]) -> bool:
    """Read the configuration again, and let it take effect; say in the log what has changed, or what is wrong.

    Args:
        gateway: What serves.
        read: Reads it.

    Returns:
        Whether it is in force.
    """
    try:
        prepared = gateway.prepare(read())
    except UsageError as error:
        _log.error("The configuration cannot be used, the one in force stays: {error}", error=error)
        return False
    except Exception:  # noqa: BLE001 - whatever a module may raise that a route names, the server goes on
        _log.failure("The configuration cannot be used, the one in force stays")
        return False
    changes = gateway.adopt(prepared)
    for change in changes:
        _log.info("Configuration: {change}", change=change)
    _log.info(
        "Configuration read again: {what}; {routes} routes, {listeners} listeners",
        what=f"{len(changes)} changes" if changes else "no listener and no route has changed",
        routes=len(gateway.routes),
        listeners=len(gateway.entrances.each),
    )
    return True
