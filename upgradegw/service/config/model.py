"""The whole configuration as values; schema and reference are made from it, and the service is built from it.

Keys are what the fields are called. A key that is not given is at its default, which is None where something else
decides; ``"none"`` in the file means no limit, and becomes None in ``Table.given`` and ``Table.all``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from upgradegw.service.config.limits import Limits
from upgradegw.service.config.listeners import Admin, Certificate, Listen, Tls
from upgradegw.service.config.plain import PLAIN, Otherwise, Plain, Redirect, Respond
from upgradegw.service.config.routes import INSTALLED, ROUTE_LIMITS, WEBSOCKET, BasicAuth, ForwardAuth, Route
from upgradegw.service.config.upstreams import Health, UpstreamTls
from upgradegw.service.config.words import NONE, File, Seconds, Table, Text, number

__all__ = [
    "INSTALLED",
    "NONE",
    "PLAIN",
    "ROUTE_LIMITS",
    "WEBSOCKET",
    "Admin",
    "BasicAuth",
    "Certificate",
    "Config",
    "ForwardAuth",
    "Health",
    "Limits",
    "Listen",
    "Otherwise",
    "Plain",
    "Redirect",
    "Respond",
    "Route",
    "Table",
    "Tls",
    "UpstreamTls",
    "number",
]

_LogTarget = Annotated[str, Meta(min_length=1, extra={"file": ("-", "off")})]


class Config(Table, frozen=True, kw_only=True):
    """A configuration of the gateway, in TOML."""

    include: Annotated[
        tuple[Text, ...],
        Meta(
            description="More files, as names or patterns such as `routes/*.toml`, in the order of their names. Their"
            " listeners and routes are added; a key that is set in two of them is an error."
        ),
    ] = ()
    app_dir: Annotated[
        File | None,
        Meta(description="Folder in which MODULE is looked for first. Without it: that of the configuration file."),
    ] = None
    trusted_proxies: Annotated[
        tuple[Text, ...],
        Meta(
            description="Believe `Forwarded`, `X-Forwarded-*` and PROXY headers from these addresses and networks;"
            ' `"unix"` for peers on UNIX sockets. Nobody by default.'
        ),
    ] = ()
    allowed_hosts: Annotated[
        tuple[Text, ...] | None,
        Meta(description="The hosts that are answered for; others get 421. Without it: all. Django's `ALLOWED_HOSTS`."),
    ] = None
    access_log: Annotated[
        _LogTarget | None,
        Meta(description="File for access lines, `-` for standard output, or `off`. Without it: twistd's log."),
    ] = None
    access_log_format: Annotated[Literal["combined", "json", "logfmt"], Meta(description="Form of access lines.")] = (
        "combined"
    )
    stop_timeout: Annotated[
        Seconds,
        Meta(le=86400, description="Seconds that open connections have to end at a stop, or when their route goes."),
    ] = 10.0
    extended_connect: Annotated[
        bool, Meta(description="On HTTP/2, let clients switch protocols on a stream (RFC 8441).")
    ] = True
    listen: Annotated[tuple[Listen, ...], Meta(description="Where to listen. Without one: `tcp:8080`.")] = ()
    route: Annotated[tuple[Route, ...], Meta(description="What to serve. Without one: the demonstration site.")] = ()
    limits: Annotated[Limits, Meta(description="Bounds of every listener.")] = Limits()
    admin: Annotated[Admin | None, Meta(description="The operator's own pages. Without it: none.")] = None
