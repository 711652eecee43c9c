"""A route made from its table: what it names is imported, opened and put together, and nothing is asked yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from twisted.python.usage import UsageError
from twisted.web.resource import IResource
from twisted.web.wsgi import WSGIResource

from upgradegw.interfaces import Upgrade
from upgradegw.negotiation.fields import has_control, is_token
from upgradegw.negotiation.model import Fields
from upgradegw.proxy.upgrades import parse_tokens
from upgradegw.service.config.model import INSTALLED, ROUTE_LIMITS, WEBSOCKET, Plain, Route, Table
from upgradegw.service.gateway.guards import check_by_application, check_elsewhere, check_networks, check_passwords
from upgradegw.service.gateway.live import LiveRoute
from upgradegw.service.gateway.paths import parse_host
from upgradegw.service.gateway.plain import FixedResource, RedirectResource
from upgradegw.service.gateway.proxied import proxied
from upgradegw.service.resolving import load, obtain
from upgradegw.service.static import StaticFiles
from upgradegw.service.upgrades import stream_upgrade, websocket_upgrade
from upgradegw.web.resource import UpgradeResource

T = TypeVar("T")

#: How a connection is framed is the server's to say, and what a switch needs the protocol's.
_NOT_TO_BE_SET = frozenset((b"connection", b"content-length", b"keep-alive", b"transfer-encoding", b"upgrade"))


def build_routes(tables: Iterable[Route], reactor: Any) -> list[LiveRoute]:
    """Make routes.

    Args:
        tables: Their tables.
        reactor: Runs WSGI applications in its thread pool, and connects to upstreams.

    Raises:
        UsageError: Something is wrong with one; none is left behind.
    """
    made: list[LiveRoute] = []
    try:
        for table in tables:
            made.append(build_route(table, reactor))
            check_alone(made)
    except UsageError:
        for each in made:
            each.close()
        raise
    return made


def check_alone(routes: list[LiveRoute]) -> None:
    """Refuse the last route if another one stands in the same place.

    Raises:
        UsageError: One does.
    """
    last = routes[-1]
    for other in routes[:-1]:
        same = other.segments == last.segments and other.exact == last.exact and set(other.hosts) & set(last.hosts)
        if same:
            raise UsageError(f"{last.config.where}: {other.config.where} has the same path")


def build_route(table: Route, reactor: Any) -> LiveRoute:
    """Make one route; see ``build_routes``."""
    _tell(table, "host", lambda: [parse_host(host) for host in table.hosts])
    live = _tell(table, "path", lambda: LiveRoute(table))
    try:
        live.fields = _tell(table, "headers", lambda: _fields(table.headers))
        live.limits = table.given(*ROUTE_LIMITS)
        live.guards += _guards(table, reactor)
        plain = _plain(live, table, reactor)
        if plain is None:
            plain = None if table.otherwise is None else _plain(live, table.otherwise, reactor)
            plain = _upgrades(live, plain)
        live.answer(plain)
    except UsageError:
        live.close()
        raise
    return live


def _tell(table: Table, key: str, make: Callable[[], T]) -> T:
    """Make something; what is wrong with it is told with the place of the key."""
    try:
        return make()
    except (UsageError, ValueError, LookupError, OSError) as error:
        raise UsageError(f"{table.at(key)}: {error}") from None


def _fields(headers: dict[str, str]) -> Fields:
    fields = []
    for name, value in headers.items():
        try:
            field = name.encode("ascii"), value.encode("latin-1")
        except UnicodeEncodeError:
            raise UsageError(f"{name!r} cannot stand in a response: write it in ASCII") from None
        if not is_token(field[0]) or has_control(field[1]):
            raise UsageError(f"{name!r} cannot stand in a response: it holds what a field must not")
        if field[0].lower() in _NOT_TO_BE_SET:
            raise UsageError(f"{name} is not for a route to set")
        fields.append(field)
    return tuple(fields)


def _guards(table: Route, reactor: Any) -> Iterator[Any]:
    """Make who is asked whether a request may pass: what costs least first, the application last."""
    yield from _tell(table, "allow", lambda: check_networks(table))
    yield from _tell(table, "basic_auth", lambda: check_passwords(table))
    yield from _tell(table, "forward_auth", lambda: check_elsewhere(table, reactor))
    yield from _tell(table, "authorize", lambda: check_by_application(table))


# --- What requests get that do not switch.


def _plain(live: LiveRoute, table: Plain, reactor: Any) -> IResource | None:
    kind = table.plain
    if kind is None:
        return None
    if kind == "proxy":
        route = live.config
        _tell(route, "upgrades", lambda: parse_tokens(route.upgrades, route.lenient))
        return _tell(table, kind, lambda: proxied(live, table.upstreams, reactor))
    value = getattr(table, kind)
    return _tell(table, kind, lambda: _PLAIN[kind](value, reactor))


def _static(folder: str, _reactor: Any) -> IResource:
    place = Path(folder).absolute()
    if not place.is_dir():
        raise UsageError(f"there is no folder {folder!r}")
    return StaticFiles(str(place))


def _wsgi(reference: str, reactor: Any) -> IResource:
    application = load(reference)
    if not callable(application):
        raise UsageError(f"{reference} is no WSGI application: it cannot be called")
    return WSGIResource(reactor, reactor.getThreadPool(), application)


def _resource(reference: str, _reactor: Any) -> IResource:
    found: IResource = obtain(reference, lambda thing: bool(IResource.providedBy(thing)), "a twisted.web resource")
    return found


_PLAIN: dict[str, Callable[[Any, Any], IResource]] = {
    "static": _static,
    "wsgi": _wsgi,
    "resource": _resource,
    "redirect": lambda value, _reactor: RedirectResource(value),
    "respond": lambda value, _reactor: FixedResource(value),
}


# --- What clients can switch to.


def _upgrades(live: LiveRoute, otherwise: IResource | None) -> IResource:
    table = live.config
    upgrades: list[Upgrade] = []
    if table.websocket is not None:
        reference, settings = table.websocket, table.given(*WEBSOCKET)
        upgrades.append(_tell(table, "websocket", lambda: websocket_upgrade(reference, settings)))
    for token, reference in table.upgrade.items():
        named = None if reference == INSTALLED else reference
        upgrades.append(_tell(table, f"upgrade.{token}", lambda token=token, named=named: stream_upgrade(token, named)))  # type: ignore[misc]
    limits = table.given("max_connections", "max_connections_per_client")
    return _tell(
        table,
        "upgrade",
        lambda: UpgradeResource(upgrades, otherwise, live.authorize, drain=live.drain, **limits),
    )
