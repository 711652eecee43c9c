"""A Twisted factory in use: started at its first connection, stopped after its last."""

from __future__ import annotations

from typing import Any


class FactoryUse:
    """Calls ``doStart`` when the first connection asks for a protocol and ``doStop`` when the last one is gone.

    A listening port does the same for its factory; behind an upgrade there is no port.
    """

    def __init__(self, factory: Any) -> None:
        """Watch over a factory.

        Args:
            factory: Any ``IProtocolFactory``.
        """
        self.factory = factory
        self._users = 0

    def acquire(self) -> None:
        """One more connection."""
        if self._users == 0:
            self.factory.doStart()
        self._users += 1

    def release(self) -> None:
        """One connection less."""
        self._users -= 1
        if self._users == 0:
            self.factory.doStop()
