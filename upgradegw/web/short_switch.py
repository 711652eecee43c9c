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
from upgradegw.negotiation.model import Candidate, Client, RequestHead
from upgradegw.negotiation.upgrade import negotiate
from upgradegw.web.admission import Place
from upgradegw.web.clients import find_client
from upgradegw.web.completing import Switching
from upgradegw.web.request import UpgradeRequest, standard_fields
from upgradegw.web.resource import UpgradeResource

_PERCENT = b"%"[0]


class ShortSwitch:
    """The short way of one site's connections."""

    def __init__(self, site: Any) -> None:
        """Switch for a site.

        Args:
            site: An ``UpgradeSite`` whose class finds and logs as that one does.
        """
        self._site = site

    def __call__(self, channel: Any, head: Head) -> bool:
        """Switch, and return whether that was done.

        Args:
            channel: The connection: an ``http1.Channel`` behind the head of a request without content.
            head: The head.
        """
        site = self._site
        if channel.requestFactory is not UpgradeRequest or not _is(Site.getResourceFor, site.getResourceFor):
            return False
        client = find_client(channel, head.fields, site.trusted, head.host)
        path = head.target.partition(b"?")[0]
        found = find_at_once(site.resource, path, client)
        if found is None or found[0].authorize is not None:
            return False
        resource, route = found
        fields = tuple([(name, value) for name, values in head.by_name.items() for value in values])
        asked = RequestHead(head.method, head.target, head.http_version, fields, False, client)
        decision = negotiate(asked, resource.upgrades)
        if not isinstance(decision, Candidate) or not hasattr(decision.upgrade, "accept_at_once"):
            return False
        place = resource.admission.enter(site, client)
        return isinstance(place, Place) and self._switch(channel, asked, decision, place, path, route)

    def _switch(
        self,
        channel: Any,
        asked: RequestHead,
        candidate: Candidate[Any],
        place: Place,
        path: bytes,
        route: str | None,
    ) -> bool:
        site, upgrade, client, secure = self._site, candidate.upgrade, asked.client, channel.isSecure()
        began = site.reactor.seconds()
        subject = connection_subject(channel) if secure else None
        info = UpgradeInfo(
            asked, candidate.token, None, client, secure, asked.http_version, b"", candidate.checked, None, subject
        )
        accept = _accepted(upgrade.accept_at_once, info, channel.transport_to_be())
        if accept is None or place.keep() is not None:
            if accept is not None:
                accept.release()
            place.leave()
            return False
        switching = Switching(channel, site, place, upgrade, info, accept, path=path, route=route, began=began)
        token = accept.token or bytes(upgrade.protocol)
        announced = ((b"Upgrade", token), (b"Connection", b"Upgrade"), *standard_fields(), *accept.fields)
        switching.complete(channel.take_at_once(), announced)
        return True


def _accepted(accept_at_once: Any, info: UpgradeInfo, transport: Any) -> Accept | None:
    """Ask the upgrade; what it raises, it raises on the ordinary way again, where it becomes a response."""
    try:
        return accept_at_once(info, transport)  # type: ignore[no-any-return]
    except Exception:  # noqa: BLE001 - the upgrade's
        return None


def find_at_once(root: Any, path: bytes, client: Client) -> tuple[UpgradeResource, str | None] | None:
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
    if _PERCENT in path:
        return None
    resource, route, place = root, None, 0
    segments = path[1:].split(b"/")
    while True:
        more = place < len(segments) and not getattr(resource, "isLeaf", False)
        lead = getattr(resource, "lead_at_once", None)
        if type(resource) is UpgradeResource:
            child = resource.children.get(segments[place]) if more else None
            if child is None:
                return resource, route
        elif lead is not None and more:
            led = lead(path, segments[place:], client)
            if led is None:
                return None
            resource, taken, route = led
            place += taken
            continue
        elif more and _is(Resource.getChildWithDefault, getattr(resource, "getChildWithDefault", None)):
            child = resource.children.get(segments[place])
        else:
            return None
        resource = child
        place += 1


def _is(function: Any, method: Any) -> bool:
    """Tell whether a method is a function of twisted.web's, which neither a class nor an object has overridden."""
    return getattr(method, "__func__", None) is function
