"""The root of all routes: which of them a request belongs to, by host and path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from typing import Any, Protocol, cast

from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource, getChildForRequest
from zope.interface import implementer

from upgradegw.interfaces import IUpgradeResource
from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Client, Fields, Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.service.gateway.paths import ANY, Segments, as_others_read, host_patterns
from upgradegw.takeover import takeable
from upgradegw.web.clients import client_of
from upgradegw.web.outcomes import note_outcome
from upgradegw.web.responses import write_refusal

# Doubled slashes, and what may hide one, or be cut off.
_TWO_READINGS = re.compile(rb"//|[%;\\]")

#: How many paths are known by heart, and how long one is at most: a stranger can fill some 600 KB with others.
_MOST_KNOWN, _MAX_KNOWN_PATH = 128, 256


class Routed(Protocol):
    """What stands in the table.

    Attributes:
        segments: Its path; of an exact one, with an empty last segment if the path ends with a slash.
        hosts: The patterns of its hosts, or ``ANY``.
        exact: Whether only this path is its own, and nothing below it.
        entry: What answers.
        name: What to call it.
        fields: Those of its responses, in the place of their own.
    """

    segments: Segments
    hosts: tuple[bytes, ...]
    exact: bool
    entry: IResource
    name: str
    fields: Fields

    @property
    def limited(self) -> Any:
        """What shows the limits to those who look for them without a request."""

    def begin(self, request: Any) -> None:
        """A request is about to be answered here."""


class RouteTable(Resource):
    """Hands a request to its route: the host's own before those for any host, then the longest path that fits.

    Paths fit by whole segments, and an exact one is longer than any other. Where none of a host's own routes fits,
    those for the names above it (``*.example``) and then those for any host are asked. The rest of the path is
    traversed by Twisted's own rules, as if the route's resource were the child of that name.

    Who may use a route is not to depend on how a path is spelled. One that other servers may read in another way, so
    that it is another route's, is refused.
    """

    def __init__(self, routes: Iterable[Routed]) -> None:
        """Serve some routes; two of them must not have host, path and ``exact`` in common.

        Args:
            routes: The routes.
        """
        super().__init__()
        self._exact: dict[bytes, dict[Segments, Routed]] = {}
        self._below: dict[bytes, dict[Segments, Routed]] = {}
        for route in routes:
            for host in route.hosts:
                (self._exact if route.exact else self._below).setdefault(host, {})[route.segments] = route
        self._by_host = bool((self._exact.keys() | self._below.keys()) - {ANY})
        self._depth = max((len(path) for paths in self._below.values() for path in paths), default=0)
        self._find_known = lru_cache(_MOST_KNOWN)(partial(self._find_clearly, host=None))

    def find(self, segments: Sequence[bytes], host: Callable[[], bytes | None]) -> tuple[Routed | None, int]:
        """Find the route of a request.

        Args:
            segments: Its path below this table, without escapes; a slash at the end is an empty last segment.
            host: Returns the authority that the client used; called only if there are routes that ask for it.

        Returns:
            The route, or None, and how many of the segments are its own.
        """
        path = tuple(segments)
        for name in host_patterns(host()) if self._by_host else (ANY,):
            exact = self._exact.get(name)
            if exact is not None and path in exact:
                # The slash at the end is left, so that a folder's files answer as they do elsewhere.
                return exact[path], len(path) - (path[-1:] == (b"",))
            below = self._below.get(name)
            if below is None:
                continue
            for length in range(min(self._depth, len(path)), -1, -1):
                found = below.get(path[:length])
                if found is not None:
                    return found, length
        return None, 0

    def getChildWithDefault(self, path: bytes, request: Any) -> IResource:
        """Find the resource; Twisted has just moved the first segment from ``postpath`` to ``prepath``."""
        segments = [path, *request.postpath]
        route, length = self.find(segments, lambda: client_of(request).authority)
        if route is None:
            return notFound()
        if _TWO_READINGS.search(request.path) is not None:
            other, _ = self.find(as_others_read(segments), lambda: client_of(request).authority)
            if other is not None and other is not route:
                return _Unclear()
        request.prepath[-1:] = segments[:length]
        request.postpath = segments[length:]
        route.begin(request)
        return cast("IResource", getChildForRequest(route.entry, request))

    def lead_at_once(self, path: bytes, segments: list[bytes], client: Client) -> tuple[IResource, int, str] | None:
        """Find the resource without a request; see ``short_switch``."""
        if not self._by_host and len(path) <= _MAX_KNOWN_PATH:
            # The same few paths come again and again.
            route, length = self._find_known(path, tuple(segments))
        else:
            route, length = self._find_clearly(path, segments, client.authority)
        return None if route is None else (route.entry, length, route.name)

    def _find_clearly(self, path: bytes, segments: Sequence[bytes], host: bytes | None) -> tuple[Routed | None, int]:
        """Find the route that only the head says; None where a path may be read in two ways."""
        route, length = self.find(segments, lambda: host)
        if route is None or route.fields or _TWO_READINGS.search(path) is not None:
            return None, 0
        return route, length

    def static_route(self, segments: list[bytes], host: Callable[[], bytes | None]) -> tuple[Any, int]:
        """Show what has the limits of a route to those who look for them."""
        route, length = self.find(segments, host)
        return (None, 0) if route is None else (route.limited, length)

    def resource_for_server(self) -> IResource | None:
        """Return what answers ``OPTIONS *`` (RFC 9110 section 9.3.7); None if no route at ``/`` wants to."""
        roots = (table.get(()) for table in self._below.values())
        wanted = any(hasattr(route.entry, "resource_for_server") for route in roots if route is not None)
        return _ForServer(self) if wanted else None

    def render(self, request: Any) -> Any:
        """Answer a request without a path."""
        route, _ = self.find([], lambda: client_of(request).authority)
        if route is None:
            return notFound().render(request)
        route.begin(request)
        return route.entry.render(request)


@implementer(IUpgradeResource)
class _Unclear(Resource):
    """Answers for a path that belongs to one route here, and to another one for a server that is asked."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        """Refuse."""
        connection = takeable(request)
        if connection is not None:
            connection.close_after_response()
        refuse = Refuse(Reason.BAD_TARGET, 400, (), f"path of two routes: {printable(request.path)}")
        note_outcome(request, refuse)
        return write_refusal(request, refuse.status)


@implementer(IUpgradeResource)
class _ForServer(Resource):
    """Answers ``OPTIONS *`` with what is at ``/`` of the host that was asked."""

    isLeaf = True

    def __init__(self, table: RouteTable) -> None:
        super().__init__()
        self._table = table

    def render(self, request: Any) -> Any:
        """Answer as that route, or as a server that says nothing of itself."""
        route, _ = self._table.find([], lambda: client_of(request).authority)
        find = getattr(None if route is None else route.entry, "resource_for_server", None)
        found = None if find is None else find()
        if route is None or found is None:
            request.setHeader(b"Content-Length", b"0")
            return b""
        route.begin(request)
        return found.render(request)
