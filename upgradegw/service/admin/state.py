"""What the operator's pages show of a running server, and the little that they may do to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from upgradegw.proxy.exchange import Asked
from upgradegw.proxy.health import UpstreamState
from upgradegw.proxy.upstreams import Upstreams
from upgradegw.web.drain import Drain
from upgradegw.web.live import Live, LiveConnection


class RouteState(Protocol):
    """A route as the pages see it."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def upstreams(self) -> Sequence[Asked]:
        """Whom it asks."""

    @property
    def drain(self) -> Drain:
        """Who is connected through it."""


class ServerState(Protocol):
    """The server as the pages see it."""

    @property
    def live(self) -> Live | None:
        """Who is connected behind a switch."""

    @property
    def ready(self) -> bool:
        """Whether new connections are taken."""

    @property
    def routes(self) -> Sequence[RouteState]:
        """The routes of the configuration in force."""

    @property
    def leaving(self) -> Sequence[RouteState]:
        """Routes of earlier configurations through which somebody is still connected."""


def upstreams_of(route: RouteState) -> Iterator[UpstreamState]:
    """Yield how each upstream of a route is.

    Args:
        route: The route.
    """
    for asked in route.upstreams:
        yield from asked.states if isinstance(asked, Upstreams) else (UpstreamState(str(asked)),)


@dataclass(frozen=True, slots=True)
class RouteLine:
    """One line of the table of routes.

    Attributes:
        name: The route's name; empty for what came by none.
        upstreams: Whom it asks.
        open: Its upgraded connections.
        draining: Whether it is of an earlier configuration.
    """

    name: str
    upstreams: tuple[UpstreamState, ...]
    open: int
    draining: bool = False


def route_lines(state: ServerState, connected: Iterable[str]) -> list[RouteLine]:
    """Return the table of routes: those in force, those that are leaving, and what came by none.

    Args:
        state: The server.
        connected: The route's name of each upgraded connection.
    """
    numbers = Counter(connected)
    leaving = [
        RouteLine(route.name, tuple(upstreams_of(route)), route.drain.open, draining=True) for route in state.leaving
    ]
    for line in leaving:  # one that was changed has the name of its successor
        numbers[line.name] -= line.open
    lines = [RouteLine(route.name, tuple(upstreams_of(route)), numbers.pop(route.name, 0)) for route in state.routes]
    return [*lines, *leaving, *(RouteLine(name, (), number) for name, number in sorted(numbers.items()) if number > 0)]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table of upgraded connections.

    Attributes:
        number: Its number, by which it can be ended.
        client: The client's address; ``unix`` without one.
        route: The route's name; empty without routes.
        path: The request's path.
        token: The upgrade token.
        subprotocol: WebSocket's, or empty.
        http_version: What it came by.
        age: Seconds since the switch.
        idle: Seconds without a byte.
        bytes_in: Bytes received behind the switch.
        bytes_out: Bytes sent behind it.
        draining: Whether it has been told here to end.
    """

    number: int
    client: str
    route: str
    path: str
    token: str
    subprotocol: str
    http_version: str
    age: float
    idle: float
    bytes_in: int
    bytes_out: int
    draining: bool

    @classmethod
    def of(cls, connection: LiveConnection) -> Row:
        """Look at a connection."""
        about = connection.about
        bytes_in, bytes_out = connection.counts()
        return cls(
            connection.number,
            about["client"] or "unix",
            about.get("route", ""),
            about["path"],
            about["token"],
            about["subprotocol"] or "",
            about["http_version"],
            round(connection.age(), 3),
            round(connection.idle(), 3),
            bytes_in,
            bytes_out,
            connection.draining,
        )


#: By what the table can be sorted, and whether the greatest come first.
ORDERS = {
    "number": False,
    "client": False,
    "route": False,
    "token": False,
    "age": True,
    "idle": True,
    "bytes_in": True,
    "bytes_out": True,
}


def rows(live: Live | None, order: str = "number") -> list[Row]:
    """Return the table, sorted.

    Args:
        live: The connections.
        order: One of ``ORDERS``.
    """
    return sorted(map(Row.of, live or ()), key=lambda row: getattr(row, order), reverse=ORDERS[order])
