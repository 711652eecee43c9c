"""Access events: what was asked, what was switched and how it ended, as structured twisted.logger events.

Three kinds, told apart by the field ``event``: ``request`` (a response was sent), ``switch`` (a 101 was sent) and
``end`` (an upgraded connection is gone). They go to the observers that subscribed. While nobody has subscribed,
plain requests cost nothing, and the rest goes to Twisted's own log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import ILogObserver, LogEvent, Logger
from zope.interface import implementer

NAMESPACE = "upgradegw.access"


@implementer(ILogObserver)
class _Fan:
    """One observer in front of a list of them."""

    def __init__(self, observers: list[ILogObserver]) -> None:
        self._observers = observers

    def __call__(self, event: LogEvent) -> None:
        for observer in self._observers:
            observer(event)


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
