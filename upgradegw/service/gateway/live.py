"""A route that is served: what answers on it, who is connected through it, and which upstreams it asks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from twisted.web.resource import IResource

from upgradegw.negotiation.model import Fields
from upgradegw.proxy.exchange import Asked
from upgradegw.service.config.model import Route
from upgradegw.service.gateway.guards import Passwords
from upgradegw.service.gateway.paths import ANY, Segments, exact_segments, parse_host, parse_path
from upgradegw.service.tls_files import signature_of
from upgradegw.web.drain import Drain
from upgradegw.web.guarding import Guard, granted


def key_of(table: Route) -> tuple[str, bool, tuple[str, ...]]:
    """Return what no other route of a configuration has: path and hosts.

    Args:
        table: The route's.
    """
    return table.path.rstrip("/") if not table.exact else table.path, table.exact, tuple(sorted(table.hosts))


def files_of(table: Route) -> tuple[object, ...]:
    """Return what changes when a file does that is read once, for TLS towards an upstream.

    Args:
        table: The route's.
    """
    tls = table.upstream_tls
    names = () if tls is None else (tls.ca, tls.cert, tls.key)
    return tuple(signature_of(Path(name)) for name in names if name is not None)


class LiveRoute:
    """A route.

    Attributes:
        config: The table that it was made from; routes whose tables are equal are one and the same.
        name: What to call it in logs and metrics: ``/chat``, ``a.example/chat``, and with ``= `` before an exact one.
        segments: Its path; of an exact one, with an empty last segment if the path ends with a slash.
        hosts: The patterns of its hosts, or ``ANY``.
        exact: Whether only this path is its own, and nothing below it.
        resource: What answers whoever may ask; set by whoever makes it.
        entry: The same behind its guard.
        drain: Ends the upgraded connections of the route, and refuses others from then on.
        upstreams: What it asks; empty for a route that asks nobody.
        guards: Who is asked whether a request may pass, in this order.
        limits: Those of its requests, as ``limit`` takes them.
        fields: Those of its responses, in the place of their own.
        files: What ``files_of`` said before they were read.
    """

    resource: IResource
    entry: IResource

    def __init__(self, config: Route) -> None:
        """Make a route that answers nothing yet.

        Raises:
            UsageError: Its path or its hosts are malformed.
        """
        self.config = config
        self.exact = config.exact
        self.segments: Segments = exact_segments(config.path) if config.exact else parse_path(config.path)
        self.hosts = tuple(parse_host(host) for host in config.hosts) or (ANY,)
        self.name = ("= " if config.exact else "") + ",".join(config.hosts) + config.path
        self.drain = Drain()
        self.upstreams: list[Asked] = []
        self.guards: list[Any] = []
        self.limits: dict[str, Any] = {}
        self.fields: Fields = ()
        self.files = files_of(config)

    @property
    def limited(self) -> Any:
        """What shows the limits of the route's requests; the resource itself if it has none of its own."""
        return Limited(self.resource, self.limits) if self.limits else self.resource

    def begin(self, request: Any) -> None:
        """A request is about to be answered here."""
        request.upgradegw_route = self.name
        if self.fields:
            put_fields(request, self.fields)

    @property
    def authorize(self) -> Any:
        """What tells upgrades what the guards have said; None without any."""
        return granted if self.guards else None

    def answer(self, resource: IResource) -> None:
        """Let a resource answer, behind the guards."""
        self.resource = resource
        self.entry = Guard(resource, self.guards) if self.guards else resource

    @property
    def passwords(self) -> Passwords | None:
        """The check whose file is read again while the route stays."""
        return next((each for each in self.guards if isinstance(each, Passwords)), None)

    def close(self) -> None:
        """Let go of the upstreams, and of who is asked elsewhere: no request will come any more."""
        for each in (*self.upstreams, *self.guards):
            if hasattr(each, "close"):
                each.close()


class Limited:
    """A resource as those see it who look for limits; the resource itself, which may be an application's, stays."""

    def __init__(self, resource: Any, limits: dict[str, Any]) -> None:
        """Show a resource with limits; what the resource says itself counts more.

        Args:
            resource: The resource.
            limits: The route's.
        """
        self._resource = resource
        self.upgradegw_limits = {**limits, **getattr(resource, "upgradegw_limits", {})}

    def __getattr__(self, name: str) -> Any:
        """Show all else as it is."""
        return getattr(self._resource, name)


def put_fields(request: Any, fields: Fields) -> None:
    """Set fields of a response, whoever makes it: now, and over what was set when its head is written.

    Args:
        request: The request.
        fields: The fields; one without a value takes away those of that name.
    """
    headers, write = request.responseHeaders, request.write

    def put() -> None:
        for name, value in fields:
            if value:
                headers.setRawHeaders(name, [value])
            else:
                headers.removeHeader(name)

    def write_after_fields(data: bytes) -> Any:
        if not request.startedWriting:
            put()
        return write(data)

    put()
    request.write = write_after_fields
