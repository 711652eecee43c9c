"""A Twisted factory in use: started at its first connection, stopped after its last."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

_log = Logger(namespace="upgradegw")


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

    @property
    def in_use(self) -> bool:
        """Whether it has been started, and not stopped yet."""
        return self._users > 0

    def acquire(self) -> None:
        """One more connection.

        Raises:
            Exception: What ``doStart`` raised; the connection does not count then, and the next one tries again.
        """
        if self._users == 0:
            self._quietly(self.factory.doStart)
        self._users += 1

    def release(self) -> None:
        """One connection less."""
        self._users -= 1
        if self._users == 0:
            try:
                self._quietly(self.factory.doStop)
            except Exception:  # noqa: BLE001 - the application's; the connection has ended all the same
                _log.failure("a factory failed in doStop")

    def _quietly(self, step: Callable[[], None]) -> None:
        """Start or stop without Twisted's line in the log: with one client at a time it would stand there for each."""
        own = vars(self.factory)
        kept = own.get("noisy")
        self.factory.noisy = False
        try:
            step()
        finally:
            if kept is None:
                del self.factory.noisy
            else:
                self.factory.noisy = kept
