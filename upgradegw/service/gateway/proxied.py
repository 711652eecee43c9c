"""A route that passes requests on: its keys, made the arguments of a ``ProxyResource``."""

from __future__ import annotations

from typing import Any

from upgradegw.proxy.health import HealthSettings
from upgradegw.proxy.resource import ProxyResource
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upstreams import Upstreams
from upgradegw.service.config.model import Route, number
from upgradegw.service.gateway.live import LiveRoute


def proxied(live: LiveRoute, addresses: tuple[str, ...], reactor: Any) -> ProxyResource:
    """Make what passes requests on; the route keeps its upstreams.

    Args:
        live: The route.
        addresses: The upstreams' addresses, at least one.
        reactor: Connects.

    Raises:
        ValueError: A key says what cannot be, or a file that TLS needs cannot be used.
    """
    route = live.config
    health = None if route.health is None else HealthSettings(**route.health.all())
    upstreams = Upstreams(addresses, _settings(route), balance=route.balance, health=health, reactor=reactor)
    live.upstreams.append(upstreams)
    return ProxyResource(
        upstreams,
        upgrades=route.upgrades,
        strip_path=route.strip_path,
        host=route.proxy_host,
        forwarded=route.forwarded,
        authorize=live.authorize,
        origins=route.origins,
        lenient=route.lenient,
        idle_timeout=number(route.tunnel_idle_timeout),
        drain=live.drain,
        reactor=reactor,
        **route.given("max_connections", "max_connections_per_client"),
    )


def _settings(route: Route) -> UpstreamSettings:
    tls = {} if route.upstream_tls is None else route.upstream_tls.all()
    return UpstreamSettings(
        connect_timeout=route.connect_timeout,
        response_timeout=number(route.response_timeout),
        read_timeout=number(route.read_timeout),
        max_head=route.max_response_head,
        max_interim=route.max_interim,
        max_idle=route.max_idle,
        idle_timeout=route.idle_timeout,
        http_version=route.upstream_http,
        **tls,
    )
