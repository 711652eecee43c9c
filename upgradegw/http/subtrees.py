"""Limits of a part of the resource tree: put on a resource, found again by the path of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

from upgradegw.http.limits import Limits

R = TypeVar("R")


class Inherited(Enum):
    """The type of ``INHERITED``."""

    INHERITED = "INHERITED"


#: "Not given": what holds above in the tree, or for the site. None is a value of its own: no limit.
INHERITED: Final = Inherited.INHERITED


def limit(
    resource: R,
    *,
    max_content: int | Inherited | None = INHERITED,
    content_timeout: float | Inherited | None = INHERITED,
    write_timeout: float | Inherited = INHERITED,
) -> R:
    """Set limits for a resource and what is below it in the tree; they mean what they mean for ``UpgradeSite``.

    They hold for requests, over HTTP/1.1 and HTTP/2. A protocol that a request has been switched to has its own. The
    resource must be in the tree by ``putChild``: children that ``getChild`` makes, and hosts of a ``NameVirtualHost``,
    are not known before they are asked.

    Args:
        resource: The resource. Limits that it has already and that are not given again stay.
        max_content: Bytes of a request's content, or None for no limit.
        content_timeout: Seconds between two pieces of content, or None for no limit.
        write_timeout: Seconds in which the client must take something of the response.

    Returns:
        The resource.

    Raises:
        ValueError: A limit is no number above zero; ``max_content`` may be 0.
    """
    given = {"max_content": max_content, "content_timeout": content_timeout, "write_timeout": write_timeout}
    own = {name: value for name, value in given.items() if value is not INHERITED}
    for name, value in own.items():
        least = 0 if name == "max_content" else 1e-9
        may_be_none = name != "write_timeout"
        if not (may_be_none and value is None) and not (isinstance(value, int | float) and value >= least):
            raise ValueError(f"{name}={value!r} is no limit")
    resource.upgradegw_limits = {**getattr(resource, "upgradegw_limits", {}), **own}  # type: ignore[attr-defined]
    return resource


def _no_host() -> None:
    """Know no host."""


def limits_for(
    root: Any, target: bytes, limits: Limits, host: Callable[[], bytes | None] = _no_host
) -> tuple[Limits, bool]:
    """Find the limits of a request, without side effects: only static children are looked at.

    A resource that finds others by more than one segment has a method ``static_route``: it gets the segments that are
    left, without escapes, and ``host``, and returns a resource, or None, and how many of them it took.

    Args:
        root: The root of the resource tree.
        target: The request target.
        limits: Those of the site.
        host: Returns the authority that the client used, or None; called only where resources differ by host.

    Returns:
        The limits, the same object if no resource sets one, and whether content is to be streamed (see ``content``);
        the deepest resource that says something wins.
    """
    streams = False
    own = None
    resource = root
    segments = target.partition(b"?")[0][1:].split(b"/")
    place = 0
    while resource is not None:
        route = getattr(resource, "static_route", None)
        if route is not None:
            resource, taken = route([unquote_to_bytes(segment) for segment in segments[place:]], host)
            place += taken
            continue
        found = getattr(resource, "upgradegw_limits", None)
        if found is not None:
            own = {**own, **found} if own else found
        streams = getattr(resource, "streams_content", streams)
        find = getattr(resource, "getStaticEntity", None)
        if place == len(segments) or find is None or getattr(resource, "isLeaf", False):
            break
        resource = find(unquote_to_bytes(segments[place]))
        place += 1
    return limits if own is None else replace(limits, **own), streams
