"""The gateway: its routes and its listeners, and how one configuration takes the place of another while it serves.

All of a new configuration is read, checked, built and bound before anything is changed, so that a mistake changes
nothing. What is the same in both stays: a route whose table has not changed keeps its resource, its upstreams and its
upgraded connections, and a listener its socket. Connections that are there are answered from the new routes at their
next request; those of routes that are gone or changed, and of listeners that are gone, end in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from twisted.logger import Logger

from upgradegw.service import demonstration
from upgradegw.service.config.model import Config
from upgradegw.service.gateway.entrances import Entrance, Entrances
from upgradegw.service.gateway.live import LiveRoute, key_of
from upgradegw.service.gateway.preparing import InForce, Prepared, prepare, put_together
from upgradegw.service.listening import Listener
from upgradegw.web.live import Live

#: Keys of the configuration that count at the start alone: what they say is opened or told before a reactor runs.
_AT_THE_START = ("access_log", "access_log_format", "app_dir", "admin")


class Gateway:
    """What a running server serves, and where.

    Attributes:
        config: The configuration in force.
        routes: Its routes; empty for the demonstration site.
        leaving: Routes of earlier configurations whose upgraded connections have not all ended.
        entrances: Where it listens.
    """

    log = Logger()

    def __init__(
        self, reactor: Any, config: Config, listeners: Sequence[Listener], *, live: Live | None = None
    ) -> None:
        """Make everything ready; nothing listens yet.

        Args:
            reactor: Runs it.
            config: The configuration, with at least one listener.
            listeners: What ``make_listeners`` made of its listeners, bound.
            live: A table of upgraded connections that all sites are to keep; None for no such table.

        Raises:
            UsageError: Something is wrong with the configuration.
        """
        self._in_force = InForce(reactor, live=live)
        self.leaving: list[LiveRoute] = []
        prepared = put_together(config, listeners, [None] * len(listeners), self._in_force)
        self.entrances = Entrances([entrance for entrance, _ in prepared.entrances], prepared.certificates)
        self._take(prepared)

    @property
    def live(self) -> Live | None:
        """The table of upgraded connections that all sites keep; None without one."""
        return self._in_force.live

    @property
    def ready(self) -> bool:
        """Whether new connections are taken: it listens, and the stop has not begun."""
        return self.entrances.listening

    @property
    def routes(self) -> list[LiveRoute]:
        """The routes in force, in the order of the configuration."""
        return self._in_force.routes

    def route(self, name: str) -> LiveRoute | None:
        """Return a route by its name, or None.

        Args:
            name: As in ``LiveRoute.name``, and in the access log.
        """
        return next((route for route in self.routes if route.name == name), None)

    @property
    def notices(self) -> tuple[str, ...]:
        """Lines for the log, of what a person should know of what is served."""
        of_certificates = (each.notice for each in self.entrances.certificates if each.notice is not None)
        return (*of_certificates, *(() if self.routes else (demonstration.NOTICE,)))

    # --- Another configuration.

    def prepare(self, config: Config) -> Prepared:
        """Make another configuration ready, while nothing changes; see ``preparing.prepare``.

        Args:
            config: The configuration.

        Raises:
            UsageError: Something is wrong with it; nothing of it is left behind.
        """
        return prepare(config, self._in_force)

    def adopt(self, prepared: Prepared) -> list[str]:
        """Let a configuration take effect.

        Args:
            prepared: What ``prepare`` returned.

        Returns:
            What has changed, in words.
        """
        before, routes, entrances = self.config, list(self.routes), list(self.entrances)
        gone = [route for route in routes if route not in prepared.routes]
        self._take(prepared)
        changes = list(_route_changes(gone, prepared.made))
        changes += [self._open(each) for each in self.entrances if each not in entrances]
        changes += [self._close(each) for each in entrances if each not in self.entrances.each]
        for route in gone:
            self._dismiss(route)
        changes += [f"{key} will be what it says at the next start" for key in _not_taken(before, prepared.config)]
        return changes

    def _take(self, prepared: Prepared) -> None:
        """Put what is new in the place of what was: first where to, then who comes."""
        in_force = self._in_force
        self.config = prepared.config
        in_force.routes, in_force.entrances = prepared.routes, [entrance for entrance, _ in prepared.entrances]
        in_force.certificates = prepared.certificates
        for passwords, check in prepared.passwords:
            passwords.use(check)
        self.entrances.use(in_force.entrances, prepared.certificates)
        for entrance, lead in prepared.entrances:
            entrance.follow(lead, prepared.root)

    def _open(self, entrance: Entrance) -> str:
        option = entrance.listener.option
        try:
            entrance.open()
        except Exception:  # noqa: BLE001 - an endpoint plugin may raise anything; the others serve on
            self.log.failure("{option}: cannot listen", option=option)
            return f"{option}: not opened"
        return f"{option}: opened"

    def _close(self, entrance: Entrance) -> str:
        entrance.close()
        number = entrance.end(self.config.stop_timeout)
        return f"{entrance.listener.option}: closed, {number} connections are ending"

    def _dismiss(self, route: LiveRoute) -> None:
        """End what is connected through a route that is no more."""
        self.leaving.append(route)
        ended = route.drain(self.config.stop_timeout)
        ended.addCallback(lambda _aborted: self.leaving.remove(route))
        route.close()


def _route_changes(gone: list[LiveRoute], made: list[LiveRoute]) -> Iterator[str]:
    keys = {key_of(route.config) for route in made}
    was = {key_of(route.config) for route in gone}
    for route in made:
        if key_of(route.config) in was:
            yield f"route {route.name}: changed"
        else:
            yield f"route {route.name}: added"
    for route in gone:
        if key_of(route.config) not in keys:
            yield f"route {route.name}: removed"


def _not_taken(before: Config, now: Config) -> list[str]:
    return [key for key in _AT_THE_START if getattr(before, key) != getattr(now, key)]
