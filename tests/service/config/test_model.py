"""The model: every key is explained, and its default is what the code has."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import pytest
from msgspec import inspect as types
from msgspec import structs

from upgradegw.http.limits import Limits as Http1Limits
from upgradegw.http.subtrees import limit
from upgradegw.http2.limits import Http2Limits
from upgradegw.protocols.websocket import websocket
from upgradegw.proxy.balance import Policy
from upgradegw.proxy.forwarded import STYLES
from upgradegw.proxy.health import HealthSettings
from upgradegw.proxy.resource import ProxyResource
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upgrades import LENIENT
from upgradegw.service.config import kinds
from upgradegw.service.config.model import (
    ROUTE_LIMITS,
    WEBSOCKET,
    Config,
    Health,
    Limits,
    Listen,
    Route,
    UpstreamTls,
    number,
)
from upgradegw.service.config.reference import GROUPS
from upgradegw.service.formats import FORMATS
from upgradegw.web.http2 import H2C_UPGRADE
from upgradegw.web.site import UpgradeSite, UpgradeSiteMixin


def defaults(table: type) -> dict[str, Any]:
    """Return the default of each key as the code would have it."""
    return {field.name: number(field.default) for field in structs.fields(table)}


def arguments(function: Any) -> dict[str, Any]:
    """Return the defaults of a function's arguments."""
    return {name: each.default for name, each in inspect.signature(function).parameters.items()}


def keys() -> Iterator[Any]:
    """Yield every key of every table."""
    for kind in GROUPS.values():
        found = types.type_info(kind)
        assert isinstance(found, types.StructType)
        yield from (pytest.param(field, id=f"{kind.__name__}.{field.name}") for field in found.fields)


@pytest.mark.parametrize("field", list(keys()))
def test_every_key_is_explained(field: types.Field) -> None:
    """In a sentence or more, from which the schema and the reference are made."""
    assert kinds.description(field).endswith((".", "`"))


def test_limits_are_those_of_the_site() -> None:
    """[limits] has every limit of UpgradeSite under its argument's name, and the same default."""
    ours = defaults(Limits)
    site = arguments(UpgradeSiteMixin.__init__)
    assert ours.pop("timeout") == UpgradeSite(None).timeOut
    assert list(ours) == [field.name for kind in (Http1Limits, Http2Limits) for field in fields(kind)]
    assert ours == {name: site[name] for name in ours}
    assert ours == {field.name: field.default for kind in (Http1Limits, Http2Limits) for field in fields(kind)}


def test_what_a_listener_has_is_as_for_a_site() -> None:
    """HTTP/2 is spoken, and the Upgrade form is not, unless somebody says otherwise."""
    site, ours = arguments(UpgradeSiteMixin.__init__), defaults(Listen)
    for name in ("http2", "h2c_prior_knowledge", "h2c_upgrade"):
        assert ours[name] == site[name]
    assert set(get_args(get_args(get_type_hints(Listen, include_extras=True)["h2c_upgrade"])[0])) == set(H2C_UPGRADE)
    assert defaults(Config)["extended_connect"] == site["extended_connect"]
    assert set(get_args(get_type_hints(Config)["access_log_format"])) == set(FORMATS)


def test_upstreams_are_asked_as_the_code_asks_them() -> None:
    """The settings of an upstream have one default."""
    ours = defaults(Route) | {
        "max_head": Route(path="/").max_response_head,
        "http_version": Route(path="/").upstream_http,
    }
    ours |= defaults(UpstreamTls)
    code = {field.name: field.default for field in fields(UpstreamSettings)}
    assert {name: ours[name] for name in code} == code
    assert defaults(Health) == {field.name: field.default for field in fields(HealthSettings)}


def test_what_is_proxied_is_as_for_a_resource() -> None:
    """The keys of a proxied route have the defaults of ProxyResource's arguments."""
    code, ours = arguments(ProxyResource.__init__), defaults(Route)
    assert ours["proxy_host"] == code["host"]
    assert ours["tunnel_idle_timeout"] == code["idle_timeout"]
    for name in ("upgrades", "strip_path", "forwarded", "balance", "health", "origins", "authorize", "lenient"):
        assert ours[name] == code[name]
    hints = get_type_hints(Route)
    assert get_args(hints["forwarded"]) == STYLES
    assert get_args(hints["balance"]) == get_args(Policy)
    assert get_args(get_args(hints["lenient"])[0]) == LENIENT


def test_keys_of_a_route_are_arguments() -> None:
    """What goes to ``limit`` and to ``websocket`` is called there as it is here."""
    assert set(ROUTE_LIMITS) <= set(arguments(limit))
    assert set(WEBSOCKET) == set(arguments(websocket)) - {"factory"}
    assert set(WEBSOCKET) | set(ROUTE_LIMITS) <= set(defaults(Route))
