"""Quick routes: options such as ``--websocket /chat=myapp:factory``, resolved and joined into one resource tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from twisted.python.usage import UsageError
from twisted.web.pages import notFound
from twisted.web.resource import IResource, Resource, getChildForRequest
from twisted.web.wsgi import WSGIResource

from upgradegw.interfaces import Upgrade
from upgradegw.service.resolving import load, obtain
from upgradegw.service.static import StaticFiles
from upgradegw.service.upgrades import stream_upgrade, websocket_upgrade
from upgradegw.web.resource import UpgradeResource

#: A path as the segments between its slashes, without escapes; ``/`` is the empty tuple.
Segments = tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Wish:
    """A route as the command line has it: ``--option value``."""

    option: str
    value: str

    def __str__(self) -> str:
        """As it was typed."""
        return f"{self.option} {self.value}"


@dataclass(slots=True)
class Route:
    """What is served at a path and below it.

    Attributes:
        upgrades: The protocols a client may switch to, in the order of the options.
        plain: Makes the resource for requests that do not switch; it gets the reactor.
        wishes: The options that led here.
    """

    upgrades: list[Upgrade] = field(default_factory=list)
    plain: Callable[[Any], IResource] | None = None
    wishes: list[Wish] = field(default_factory=list)

    def resource(self, reactor: Any) -> IResource:
        """Make the resource."""
        plain = None if self.plain is None else self.plain(reactor)
        if self.upgrades or plain is None:
            return UpgradeResource(self.upgrades, otherwise=plain)
        return plain


class RouteTable(Resource):
    """Hands a request to the route with the longest path that fits, by whole segments.

    The rest of the path is traversed by Twisted's own rules, as if the route's resource were the child of that name.
    """

    def __init__(self, routes: dict[Segments, IResource]) -> None:
        """Serve some routes.

        Args:
            routes: The resource for each path.
        """
        super().__init__()
        self._routes = routes
        self._depth = max(map(len, routes), default=0)

    def getChildWithDefault(self, path: bytes, request: Any) -> IResource:
        """Find the resource; Twisted has just moved the first segment from ``postpath`` to ``prepath``."""
        segments = [path, *request.postpath]
        found, length = self.static_route(segments)
        if found is None:
            return notFound()
        request.prepath[-1:] = segments[:length]
        request.postpath = segments[length:]
        return cast("IResource", getChildForRequest(found, request))

    def static_route(self, segments: list[bytes]) -> tuple[IResource | None, int]:
        """Return the resource of the longest path that fits, and how many segments it has."""
        for length in range(min(self._depth, len(segments)), -1, -1):
            found = self._routes.get(tuple(segments[:length]))
            if found is not None:
                return found, length
        return None, 0

    def render(self, request: Any) -> Any:
        """Answer a request without a path."""
        return (self._routes.get(()) or notFound()).render(request)


def resolve(wishes: Iterable[Wish]) -> dict[Segments, Route]:
    """Import what the options name and sort it by path.

    Raises:
        UsageError: An option is malformed, names what is not there, or contradicts another one.
    """
    routes: dict[Segments, Route] = {}
    for wish in wishes:
        try:
            path, target = _divide(wish.value)
            route = routes.setdefault(path, Route())
            _ADD[wish.option](route, target)
        except UsageError as error:
            raise UsageError(f"{wish}: {error}") from None
        route.wishes.append(wish)
    return routes


def _divide(value: str) -> tuple[Segments, str]:
    path, separator, target = value.partition("=")
    if not separator or not target:
        raise UsageError("write PATH=…, as in /chat=…")
    return parse_path(path), target


def parse_path(path: str) -> Segments:
    """Split a route's path; a slash at its end makes no difference.

    Raises:
        UsageError: It is no absolute path, or holds something that no route can match.
    """
    if not path.startswith("/"):
        raise UsageError(f"the path {path!r} must begin with a slash")
    segments = path.strip("/").split("/") if path.strip("/") else []
    if "" in segments or "." in segments or ".." in segments:
        raise UsageError(f"the path {path!r} must not hold empty segments, '.' or '..'")
    if any(character in path for character in "?#%"):
        raise UsageError(f"the path {path!r} must be written without '?', '#' and percent escapes")
    return tuple(segment.encode() for segment in segments)


def table(routes: dict[Segments, Route], reactor: Any) -> RouteTable:
    """Make the resource tree.

    Args:
        routes: What ``resolve`` returned.
        reactor: Runs WSGI applications in its thread pool.
    """
    return RouteTable({path: route.resource(reactor) for path, route in routes.items()})


def _add_upgrade(route: Route, upgrade: Upgrade) -> None:
    if any(upgrade.protocol.matches(other.protocol) for other in route.upgrades):
        raise UsageError(f"this path already has an upgrade for the token {upgrade.protocol}")
    route.upgrades.append(upgrade)


def _set_plain(route: Route, make: Callable[[Any], IResource]) -> None:
    if route.plain is not None:
        first = next(wish for wish in route.wishes if wish.option in ("--static", "--wsgi", "--resource"))
        raise UsageError(f"this path already has {first}")
    route.plain = make


def _add_websocket(route: Route, target: str) -> None:
    _add_upgrade(route, websocket_upgrade(target))


def _add_stream(route: Route, target: str) -> None:
    token, separator, reference = target.partition("=")
    _add_upgrade(route, stream_upgrade(token, reference if separator else None))


def _add_static(route: Route, target: str) -> None:
    folder = Path(target).absolute()
    if not folder.is_dir():
        raise UsageError(f"there is no folder {target!r}")
    _set_plain(route, lambda _reactor: StaticFiles(str(folder)))


def _add_wsgi(route: Route, target: str) -> None:
    application = load(target)
    if not callable(application):
        raise UsageError(f"{target} is no WSGI application: it cannot be called")
    _set_plain(route, lambda reactor: WSGIResource(reactor, reactor.getThreadPool(), application))


def _add_resource(route: Route, target: str) -> None:
    resource = obtain(target, _is_resource, "a twisted.web resource")
    _set_plain(route, lambda _reactor: resource)


def _is_resource(thing: Any) -> bool:
    return bool(IResource.providedBy(thing))


_ADD: dict[str, Callable[[Route, str], None]] = {
    "--websocket": _add_websocket,
    "--upgrade": _add_stream,
    "--static": _add_static,
    "--wsgi": _add_wsgi,
    "--resource": _add_resource,
}
