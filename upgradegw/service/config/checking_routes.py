"""What the keys of a route say of one another."""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec import structs
from twisted.python.usage import UsageError

from upgradegw.negotiation.client import TrustedProxies
from upgradegw.service.config.model import PLAIN, Plain, Route, Table
from upgradegw.service.config.routes import FOR_WEBSOCKET
from upgradegw.service.config.upstreams import Proxied

#: What is of use only together with ``proxy``.
_FOR_PROXY = tuple(Proxied.__annotations__)


def check_route(route: Route) -> None:
    """Check one route.

    Raises:
        UsageError: Two keys contradict one another, or one is of no use without another.
    """
    switches = [name for name in ("websocket", "upgrade") if getattr(route, name)]
    _one_of(route, switches)
    if route.otherwise is not None:
        if not switches:
            raise UsageError(f'{route.at("otherwise")}: this is of use only together with "websocket" or "upgrade"')
        _one_of(route.otherwise, [])
    _check_company(route, switches)
    _check_within(route)
    for table in (route, route.upstream_tls, route.health):
        if table is not None:
            finite(table)


def _check_company(route: Route, switches: list[str]) -> None:
    """Refuse keys that are of no use without another one."""
    tunnels = bool(route.upstreams)
    if not tunnels and not (route.otherwise is not None and route.otherwise.upstreams):
        _useless(route, _FOR_PROXY, '"proxy"')
    if not any(address.startswith("https://") for address in _addresses(route)):
        _useless(route, ("upstream_tls",), "an upstream of https://")
        if route.upstream_http > 1:
            _useless(route, ("upstream_http",), "an upstream of https://; for HTTP/2 without TLS write h2c://")
    if not tunnels and not switches:
        _useless(route, ("max_connections", "max_connections_per_client"), '"websocket", "upgrade" or "proxy"')
    if route.websocket is None:
        _useless(route, FOR_WEBSOCKET, '"websocket"')
        if not tunnels:
            _useless(route, ("origins",), '"websocket" or "proxy"')


def _addresses(route: Route) -> tuple[str, ...]:
    return route.upstreams + (() if route.otherwise is None else route.otherwise.upstreams)


def _check_within(route: Route) -> None:
    """Look at the values of single keys."""
    for name in ("proxy", "host"):
        if getattr(route, name) == ():
            raise UsageError(f"{route.at(name)}: this list is empty")
    if route.allow is not None:
        networks(route, "allow", route.allow)
    if route.basic_auth is not None and (route.basic_auth.file is None) == (route.basic_auth.users is None):
        raise UsageError(f'{route.at("basic_auth")}: write one of "file" and "users"')
    tls = route.upstream_tls
    if tls is not None and tls.key is not None and tls.cert is None:
        raise UsageError(f'{tls.at("key")}: this is of use only together with "cert"')
    if any(token.partition("/")[0].lower() == "websocket" for token in route.upgrade) and not route.typed:
        raise UsageError(f'{route.at("upgrade")}: for WebSocket there is the key "websocket"')


def _one_of(table: Plain, others: list[str]) -> None:
    """Refuse a table that does not say what to serve, or says it twice."""
    found = [name for name in PLAIN if getattr(table, name) is not None]
    if others and found:
        raise UsageError(
            f'{table.at(found[0])}: this does not go with "{others[0]}"; for what does not switch, write otherwise ='
            f" {{ {found[0]} = … }}"
        )
    if len(found) > 1:
        raise UsageError(f'{table.at(found[1])}: this does not go with "{found[0]}"')
    if not found and not others:
        names = PLAIN if not isinstance(table, Route) else ("websocket", "upgrade", *PLAIN)
        raise UsageError(f"{table.where}: this says nothing to serve; write one of {', '.join(names)}")


def _useless(table: Table, names: Iterable[str], wanted: str) -> None:
    for name in names:
        if name in table.keys:
            raise UsageError(f"{table.at(name)}: this is of use only together with {wanted}")


def networks(table: Table, key: str, networks: Iterable[str]) -> None:
    """Refuse what is no network.

    Raises:
        UsageError: Something is none.
    """
    try:
        TrustedProxies.parse(networks)
    except ValueError as error:
        text = str(error).replace("is no trusted proxy", "is no network")
        raise UsageError(f"{table.at(key)}: {text}") from None


def finite(table: Table) -> None:
    """Refuse infinity and what is no number, which TOML can write.

    Raises:
        UsageError: One is there.
    """
    for name, value in structs.asdict(table).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{table.at(name)}: expected a number, got {value}")
