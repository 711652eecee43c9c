"""``--check``: the routes, each thing that one serves as the pairs of a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from upgradegw.interfaces import Upgrade
from upgradegw.service.config.model import PLAIN, ForwardAuth, Plain, Redirect, Respond, Route, Table
from upgradegw.service.gateway.live import LiveRoute

#: Keys that say where a route is and what it serves, which each line has in its own way.
_TOLD = ("path", "host", "exact", "websocket", "upgrade", "otherwise", "origins", *PLAIN)
#: What a line of ``proxy`` always tells.
_OF_PROXIES = ("upgrades", "proxy_host", "forwarded", "connect_timeout", "response_timeout", "tunnel_idle_timeout")


def route_rows(routes: Iterable[LiveRoute]) -> Iterator[dict[str, Any]]:
    """Yield the pairs of each line."""
    for route in sorted(routes, key=lambda each: (each.segments, each.config.hosts, each.exact)):
        table = route.config
        where = {
            "path": table.path if table.exact else "/" + b"/".join(route.segments).decode(),
            "exact": "yes" if table.exact else None,
            "host": ",".join(table.hosts) or None,
        }
        more = _given(table)
        for key, values in _served(route):
            yield {**where, **values, **more, **_origin(table, key)}


def _served(route: LiveRoute) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a route serves, with the key that says so."""
    table = route.config
    upgrades = {str(each.protocol).lower(): each for each in getattr(route.resource, "upgrades", ())}
    if table.websocket is not None:
        yield "websocket", upgrade_pairs(upgrades["websocket"])
    for token in table.upgrade:
        yield f"upgrade.{token}", {"token": token}
    for plain in (table, table.otherwise):
        if plain is not None and plain.plain is not None:
            yield plain.plain, _plain(plain, table)


def _plain(plain: Plain, route: Route) -> dict[str, Any]:
    key = plain.plain or ""
    value = getattr(plain, key)
    if key == "proxy":
        told = {name: _text(getattr(route, name)) for name in _OF_PROXIES}
        origins = None if route.origins is None else ",".join(route.origins)
        return {key: ",".join(plain.upstreams), **(told if plain is route else {}), "origins": origins}
    if isinstance(value, Redirect):
        value = f"{value.status} {value.to}"
    return {key: str(value.status) if isinstance(value, Respond) else value}


def _given(table: Route) -> dict[str, str]:
    """Return the keys of a file's table that are there, beside those that say what is served."""
    if table.typed:
        return {}
    return {key: _text(getattr(table, key)) for key in table.keys if key not in _TOLD}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, ForwardAuth):
        return value.url
    if isinstance(value, Table):
        return ",".join(value.keys)  # what the keys say may be secret
    if isinstance(value, dict):
        return ",".join(value)
    return (
        ",".join(value) or "none"
        if isinstance(value, tuple)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _origin(table: Route, key: str) -> dict[str, str]:
    """Return what says so: the option, or the table."""
    return {"option": table.at(key)} if table.typed else {"table": table.where}


def demonstrated(site: Any) -> Iterator[dict[str, Any]]:
    """Yield the pairs of each line for the demonstration site."""
    for name, child in sorted(site.children.items()):
        offered = [upgrade_pairs(each) for each in getattr(child, "upgrades", ())] or [{}]
        yield from ({"path": "/" + name.decode(), **each, "option": "demonstration site"} for each in offered)


def upgrade_pairs(upgrade: Upgrade) -> dict[str, Any]:
    """Return the pairs of an upgrade: its token, and for WebSocket the origins."""
    token = {"token": str(upgrade.protocol)}
    if not hasattr(upgrade, "origins"):
        return token
    origins = upgrade.origins
    return {**token, "origins": "same-origin" if origins is None else ",".join(origins) or "none"}
