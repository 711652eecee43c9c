"""A configuration made ready: read, checked, built and bound beside the one that is in force, which does not change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from twisted.python.usage import UsageError
from twisted.web.resource import IResource

from upgradegw.negotiation.authority import DEFAULT_PORTS
from upgradegw.service import demonstration
from upgradegw.service.config.model import Config, Route
from upgradegw.service.gateway.building import build_routes
from upgradegw.service.gateway.entrances import Entrance, Lead
from upgradegw.service.gateway.guards import Passwords
from upgradegw.service.gateway.live import LiveRoute, files_of, key_of
from upgradegw.service.gateway.places import front_of, make_listeners, make_site, site_arguments
from upgradegw.service.gateway.secured import Secured, secure
from upgradegw.service.gateway.table import RouteTable
from upgradegw.service.listening import Listener, bind_all, release_all
from upgradegw.web.guards import BasicAuth
from upgradegw.web.live import Live
from upgradegw.web.site import UpgradeSite


@dataclass(slots=True)
class InForce:
    """What is served now.

    Attributes:
        reactor: Runs it.
        routes: The routes; empty for the demonstration site.
        entrances: Where the server listens.
        certificates: What is used there.
        first: The site with which all others share their connections; None before there is one.
        live: The table of upgraded connections that every site is given; None for no such table.
    """

    reactor: Any
    routes: list[LiveRoute] = field(default_factory=list)
    entrances: list[Entrance] = field(default_factory=list)
    certificates: list[Secured] = field(default_factory=list)
    first: UpgradeSite | None = None
    live: Live | None = None


@dataclass(slots=True)
class Prepared:
    """A configuration that could take effect now.

    Attributes:
        config: The configuration.
        routes: Its routes, those among them that stay as they are.
        made: Those that are new.
        entrances: Its places, those among them that stay, and what each is to lead to.
        certificates: What is used there.
        root: The root of the routes.
        passwords: The files of names that were read again, for routes that stay.
    """

    config: Config
    routes: list[LiveRoute]
    made: list[LiveRoute]
    entrances: list[tuple[Entrance, Lead]]
    certificates: list[Secured]
    root: IResource
    passwords: list[tuple[Passwords, BasicAuth]]


def prepare(config: Config, in_force: InForce) -> Prepared:
    """Make another configuration ready; where it listens and the present one does not is bound.

    Args:
        config: The configuration.
        in_force: What is served now.

    Raises:
        UsageError: Something is wrong with it; nothing of it is left behind.
    """
    listeners = make_listeners(config.listen)
    stays = _staying(listeners, in_force.entrances)
    new = [listener for listener, entrance in zip(listeners, stays, strict=True) if entrance is None]
    bind_all(new)
    try:
        return put_together(config, listeners, stays, in_force)
    except BaseException:
        release_all(new)
        raise


def _staying(listeners: Iterable[Listener], entrances: Iterable[Entrance]) -> list[Entrance | None]:
    """Find for each listener the entrance that is in its place; on port 0 one is as good as another."""
    left = list(entrances)
    found: list[Entrance | None] = []
    for listener in listeners:
        entrance = next((each for each in left if each.listener.place == listener.place), None)
        found.append(entrance)
        if entrance is not None:
            left.remove(entrance)
    return found


def put_together(
    config: Config, listeners: Sequence[Listener], stays: Sequence[Entrance | None], in_force: InForce
) -> Prepared:
    """Make everything but the sockets.

    Args:
        config: The configuration.
        listeners: Its listeners, bound unless an entrance is there.
        stays: The entrance that is there, for each.
        in_force: What is served now.

    Raises:
        UsageError: Something is wrong with the configuration.
    """
    tables = [table.tls for table in config.listen if table.tls is not None]
    certificates = secure(tables, in_force.certificates, in_force.reactor)
    entrances: list[tuple[Entrance, Lead]] = []

    def https_port() -> int:
        secured = (entrance.listener for entrance, _ in entrances if not entrance.listener.cleartext)
        return next((listener.port for listener in secured), None) or DEFAULT_PORTS[b"https"]

    for table, listener, before in zip(config.listen, listeners, stays, strict=True):
        secured = next((each for each in certificates if each.table == table.tls), None)
        arguments = site_arguments(config, table, None if secured is None else secured.tls)
        site = _site(arguments, before, in_force)
        tls = None if secured is None or table.tls_upgrade else secured.tls
        lead = Lead(listener, site, tls, front_of(table, https_port), arguments)
        entrances.append((before or Entrance(in_force.reactor, lead), lead))
    routes, made = _routes(config.route, in_force)
    try:
        passwords = [_read_again(route) for route in routes if route not in made]
    except UsageError:
        for route in made:
            route.close()
        raise
    root = RouteTable(routes) if routes else demonstration.site()
    return Prepared(
        config, routes, made, entrances, certificates, root, [each for each in passwords if each is not None]
    )


def _site(arguments: dict[str, Any], before: Entrance | None, in_force: InForce) -> UpgradeSite:
    """Return the site that is there if it would be made alike, else a new one."""
    if before is not None and before.lead.arguments == arguments:
        return before.lead.site
    site = make_site(arguments, in_force.reactor, in_force.first)
    site.live = in_force.live
    if in_force.first is None:
        in_force.first = site
    return site


def _routes(tables: Iterable[Route], in_force: InForce) -> tuple[list[LiveRoute], list[LiveRoute]]:
    """Return the routes of some tables, and those among them that are new."""
    # One that somebody has drained takes no more connections; it begins anew.
    usable = {key_of(route.config): route for route in in_force.routes if not route.drain.draining}
    stays = [usable.get(key_of(table)) for table in tables]
    stays = [route if _is_same(route, table) else None for route, table in zip(stays, tables, strict=True)]
    missing = [table for route, table in zip(stays, tables, strict=True) if route is None]
    made = build_routes(missing, in_force.reactor)
    new = iter(made)
    return [next(new) if route is None else route for route in stays], made


def _is_same(route: LiveRoute | None, table: Route) -> bool:
    """Tell whether a route would be made alike."""
    return route is not None and route.config == table and route.files == files_of(table)


def _read_again(route: LiveRoute) -> tuple[Passwords, BasicAuth] | None:
    """Read a route's file of names as it is now."""
    passwords = route.passwords
    if passwords is None or passwords.table.file is None:
        return None
    try:
        return passwords, passwords.read()
    except (ValueError, OSError) as error:
        raise UsageError(f"{route.config.at('basic_auth')}: {error}") from None
