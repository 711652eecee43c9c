"""Where the operator's pages are to be found."""

from __future__ import annotations

from twisted.python.usage import UsageError

from upgradegw.service.config.model import Config
from upgradegw.service.descriptions import parse
from upgradegw.service.listening import Listener


def admin_listener(config: Config) -> Listener | None:
    """Understand where the operator's pages are; None if there are none. Nothing is bound.

    Args:
        config: The configuration.

    Raises:
        UsageError: The endpoint's description is malformed, or one of connections that begin with a PROXY header.
    """
    table = config.admin
    if table is None:
        return None
    try:
        description = parse(table.endpoint)
    except UsageError as error:
        raise UsageError(f"{table.at('endpoint')}: {error}") from None
    if description.haproxy:
        raise UsageError(f"{table.at('endpoint')}: who may ask is known by its connection; write it without haproxy:")
    return Listener(table.where or f"[admin] {table.endpoint}", description)
