"""The short way to a switch: without a Request, where nobody would see one.

A good part of what an opening handshake costs is twisted.web's: a Request is made, led through the tree, asked, and
taken apart again. Where the way through the tree is known to lead to an ``UpgradeResource``, and nothing of the
application's is asked before the switch, the head says everything. The rules are those of the ordinary way, for it is
the same functions that decide.

The short way switches, or nothing has happened: then the request goes the ordinary way, and gets its answer there.
"""

from __future__ import annotations

from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import Site

from upgradegw.http.client_subject import connection_subject
from upgradegw.http1.head import Head
from upgradegw.interfaces import Accept, UpgradeInfo
from upgradegw.negotiation.model import Candidate, Client, Fields, Refuse, RequestHead
from upgradegw.negotiation.upgrade import negotiate
from upgradegw.web.asking import check_accept
from upgradegw.web.clients import find_client
from upgradegw.web.completing import Switching
from upgradegw.web.request import UpgradeRequest, standard_fields
from upgradegw.web.resource import UpgradeResource

_PERCENT = b"%"[0]


class ShortSwitch:
    """The short way of one site's connections."""

    def __init__(self, site: Any, log: Any) -> None:
        """Switch for a site.

        Args:
            site: An ``UpgradeSite``.
            log: Its ``log``, as that is where nobody has overridden it.
        """
        self._site = site
        self._log = log

    def __call__(self, channel: Any, head: Head) -> bool:
        """Switch, and return whether that was done.

        Args:
            channel: The connection: an ``http1.Channel`` behind the head of a request without content.
            head: The head.
        """
        site = self._site
        if (
            channel.requestFactory is not UpgradeRequest
            or channel.site is not site
            or not _is(Site.getResourceFor, site, "getResourceFor")
            or not _is(self._log, site, "log")
        ):
            return False
        try:
            agreed = self._agree(channel, head)
        except Exception:  # noqa: BLE001 - what was raised is raised again on the ordinary way, and becomes a response
            return False
        if agreed is None:
            return False
        switching, fields = agreed
        switching.complete(channel.take_at_once(), fields)
        return True

    def _agree(self, channel: Any, head: Head) -> tuple[Switching, Fields] | None:
        """Do all that goes before the taking; return what is to be completed, and the fields of the 101."""
        site = self._site
        client = find_client(channel, head.fields, site.trusted, head.host)
        path = head.target.partition(b"?")[0]
        resource, route = find_at_once(site.resource, path, client)
        if resource is None or resource.authorize is not None:
            return None
        for upgrade in resource.upgrades:
            if not _has_both(upgrade, "accept_at_once", "prepare"):
                return None
        by_name = head.by_name
        fields = tuple([(name, value) for name, values in by_name.items() for value in values])
        asked = RequestHead(head.method, head.target, head.http_version, fields, False, client)
        asked.keep_index({name.lower(): values for name, values in by_name.items()})
        candidate: Any = negotiate(asked, resource.upgrades)
        if not isinstance(candidate, Candidate):
            return None
        place = resource.admission.enter(site, client)
        if isinstance(place, Refuse):
            return None
        accept = announced = None
        try:
            info = _info(asked, candidate, channel)
            began = site.reactor.seconds()
            accept = candidate.upgrade.accept_at_once(info, channel.transport_to_be())
            if accept is not None and place.keep() is None and channel.waits_for_a_request:
                announced = _announced(candidate, accept)
        finally:
            if announced is None:
                place.leave()
                if accept is not None:
                    accept.release()
        if announced is None:
            return None
        upgrade = candidate.upgrade
        return Switching(channel, site, place, upgrade, info, accept, path=path, route=route, began=began), announced


def _info(asked: RequestHead, candidate: Candidate[Any], channel: Any) -> UpgradeInfo:
    """Say what the protocol is told."""
    secure = channel.isSecure()
    return UpgradeInfo(
        asked,
        candidate.token,
        None,
        asked.client,
        secure,
        asked.http_version,
        b"",
        candidate.checked,
        None,
        connection_subject(channel) if secure else None,
    )


def _announced(candidate: Candidate[Any], accept: Accept) -> Fields:
    """Return the fields of the 101.

    Raises:
        ValueError: What the upgrade has said cannot stand in one.
    """
    check_accept(accept)
    token = accept.token or bytes(candidate.upgrade.protocol)
    return (b"Upgrade", token), (b"Connection", b"Upgrade"), *standard_fields(), *accept.fields


def find_at_once(root: Any, path: bytes, client: Client) -> tuple[UpgradeResource | None, str | None]:
    """Find what answers for a path, as ``Site.getResourceFor`` does, without a request.

    A resource that finds others in its own way has a method ``lead_at_once``, if it can do so without a request: it
    gets the path, its segments that are left, and the client, and returns the resource, how many segments it took, and
    the name of its route; or None.

    Args:
        root: The root of the tree.
        path: The target without its query.
        client: Who asks.

    Returns:
        The resource, and the name of the gateway's route that led to it, if one did; None where the way leads to
        another kind of resource, or through one whose way only a request can tell.
    """
    resource, route, place = root, None, 0
    segments = path[1:].split(b"/")
    while _PERCENT not in path:
        more = place < len(segments) and not getattr(resource, "isLeaf", False)
        if type(resource) is UpgradeResource:
            own = vars(resource)
            if "render" in own or "getChildWithDefault" in own:
                break
            child = resource.children.get(segments[place]) if more else None
            if child is None:
                return resource, route
        elif more and _has_both(resource, "lead_at_once", "getChildWithDefault"):
            led = resource.lead_at_once(path, segments[place:], client)
            if led is None:
                break
            resource, taken, route = led
            place += taken
            continue
        elif more and _is(Resource.getChildWithDefault, resource, "getChildWithDefault"):
            child = resource.children.get(segments[place])
        else:
            break
        resource = child
        place += 1
    return None, None


def _is(function: Any, owner: Any, name: str) -> bool:
    """Tell whether a method is this function, overridden neither by a class nor on the object, nor somebody else's."""
    method = getattr(owner, name, None)
    return getattr(method, "__func__", None) is function and method.__self__ is owner  # type: ignore[union-attr]


def _has_both(thing: Any, short: str, ordinary: str) -> bool:
    """Tell whether the short form of a method is of the class that has the ordinary one, which nobody has overridden.

    Who overrides one, or passes on what it has not itself, knows nothing of the other.
    """
    own, kind = vars(thing), vars(type(thing))
    return short in kind and ordinary in kind and short not in own and ordinary not in own
