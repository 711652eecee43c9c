"""The reference of all keys, in Markdown: a table for each group of keys, made from the model."""

from __future__ import annotations

import json
from typing import Any

from msgspec import NODEFAULT, inspect

from upgradegw.service.config import kinds
from upgradegw.service.config.listeners import Admin, Certificate, Listen, Tls
from upgradegw.service.config.model import Config, Limits
from upgradegw.service.config.plain import Plain, Redirect, Respond
from upgradegw.service.config.routes import BasicAuth, Bounded, ForwardAuth, Guarded, Route
from upgradegw.service.config.upstreams import Health, Proxied, UpstreamTls

_HEAD = "| key | value | default | what |\n|---|---|---|---|\n"
#: Groups of keys, by what the page calls them.
GROUPS: dict[str, type] = {
    "top": Config,
    "listen": Listen,
    "tls": Tls,
    "certs": Certificate,
    "route": Route,
    "plain": Plain,
    "redirect": Redirect,
    "respond": Respond,
    "proxy": Proxied,
    "upstream_tls": UpstreamTls,
    "health": Health,
    "access": Guarded,
    "forward_auth": ForwardAuth,
    "basic_auth": BasicAuth,
    "bounds": Bounded,
    "limits": Limits,
    "admin": Admin,
}


def table(group: str) -> str:
    """Return the table of a group.

    Args:
        group: One of ``GROUPS``. Keys that its class has from another one are in that one's group.
    """
    kind = GROUPS[group]
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)  # noqa: S101 - all of them are
    own = [field for field in found.fields if field.name in kind.__annotations__]
    return _HEAD + "".join(map(_row, own))


def _row(field: inspect.Field) -> str:
    what = kinds.description(field)
    cells = (f"`{field.name}`", kinds.words(field.type), _default(field), what)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(field: inspect.Field) -> str:
    if field.required:
        return "must be given"
    value: Any = field.default
    if value is NODEFAULT and field.default_factory is not NODEFAULT:
        value = field.default_factory()
    if value is None or isinstance(value, dict) or not isinstance(value, str | bool | int | float | tuple):
        return ""
    if isinstance(value, tuple):
        return f"`{json.dumps(list(value))}`"
    return f"`{value:g}`" if isinstance(value, float) else f"`{json.dumps(value)}`"
