"""Access events: what was asked, what was switched and how it ended, as structured twisted.logger events.

Four kinds, told apart by the field ``event``: ``request`` (a response was sent), ``switch`` (a 101 was sent), ``end``
(an upgraded connection is gone) and ``refuse`` (an upgrade was refused where nobody writes ``request``: on a stock
Site). They go to the observers that subscribed. While nobody has subscribed, plain requests cost nothing, and the rest
goes to Twisted's own log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import ILogObserver, LogEvent, Logger
from zope.interface import implementer

NAMESPACE = "upgradegw.access"

_log = Logger(namespace="upgradegw")


@implementer(ILogObserver)
class _Fan:
    """One observer in front of a list of them; what one of them raises is logged and concerns nobody else."""

    def __init__(self, observers: list[ILogObserver]) -> None:
        self._observers = observers

    def __call__(self, event: LogEvent) -> None:
        for observer in tuple(self._observers):
            try:
                observer(event)
            except Exception:  # noqa: BLE001 - the application's; a log that fails must not fail connections
                _log.failure("an observer of access events failed")


class AccessEvents:
    """A list of observers and the rule of who hears what."""

    def __init__(self) -> None:
        """Start without observers.

        Attributes:
            silent: Whether events that no observer reads are dropped instead of written to Twisted's log.
        """
        self.silent = False
        self._observers: list[ILogObserver] = []
        self._log = Logger(namespace=NAMESPACE)
        self._own = Logger(namespace=NAMESPACE, observer=_Fan(self._observers))

    def subscribe(self, observer: ILogObserver) -> Callable[[], None]:
        """Send every access event to an observer.

        Returns:
            A callable that ends the subscription.
        """
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    @property
    def wanted(self) -> bool:
        """Whether events go anywhere at all: ask before gathering their fields."""
        return bool(self._observers) or not self.silent

    @property
    def wants_requests(self) -> bool:
        """Whether somebody reads ``request`` events: ask before gathering their fields."""
        return bool(self._observers)

    def emit(self, format_string: str, **fields: Any) -> None:
        """Send an event to the observers, or to Twisted's log if there are none."""
        if self._observers:
            self._own.info(format_string, **fields)
        elif not self.silent:
            self._log.info(format_string, **fields)


#: The process's access events.
access_events = AccessEvents()
