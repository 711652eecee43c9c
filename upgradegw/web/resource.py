"""UpgradeResource: a path of a Twisted site on which clients can switch to another protocol.

It decides at once from the request's head (``negotiation``), asks the application (``authorize``, then the protocol's
``prepare``), and only then takes the connection. Up to that moment the request is an ordinary one, with an ordinary
answer.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from twisted.web.resource import IResource, Resource, getChildForRequest
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from upgradegw.interfaces import Allow, Deny, IUpgradeResource, Upgrade
from upgradegw.negotiation.model import Decline, Refuse, RequestHead
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.upgrade import negotiate, refusal
from upgradegw.protocols.plugins import find_upgrade
from upgradegw.takeover import takeable
from upgradegw.web.admission import Admission
from upgradegw.web.drain import Drain
from upgradegw.web.heads import request_head
from upgradegw.web.outcomes import note_outcome
from upgradegw.web.responses import EXTENDED_CONNECT_TEXT, write_refusal
from upgradegw.web.switchover import Switchover

#: The request offered nothing that could have been meant for this connection.
_NO_OFFER = frozenset((Reason.NO_UPGRADE, Reason.NO_CONNECTION_OPTION, Reason.HTTP_1_0))

#: What ``authorize`` may be: it gets the live request and answers, or promises to.
Authorize = Callable[[Any], "Allow | Deny | Awaitable[Allow | Deny]"]


@implementer(IUpgradeResource)
class UpgradeResource(Resource):
    """Serve protocols behind a switch, and plain requests with another resource or with 426.

    It answers its own path and everything below it, except the children given with ``putChild``: with the resource at
    ``/ws``, an upgrade of ``/ws`` and one of ``/ws/x`` lead to the same protocols, whose ``info.head.target`` tells
    the difference.

    Attributes:
        upgrades: The protocols, in order of preference.
        otherwise: What answers requests that do not ask for one of them; None for 426.
        authorize: Who is asked whether a request may pass; None for nobody.
        admission: The limits on its connections.
    """

    def __init__(
        self,
        upgrades: Iterable[Upgrade | str],
        otherwise: IResource | None = None,
        authorize: Authorize | None = None,
        *,
        authorize_timeout: float = 10.0,
        prepare_timeout: float | None = 10.0,
        max_connections: int | None = None,
        max_connections_per_client: int | None = None,
        max_connections_per_context: int | None = None,
        retry_after: int = 10,
        drain: Drain | None = None,
    ) -> None:
        """Serve some protocols.

        Args:
            upgrades: What ``websocket(...)`` and ``stream(...)`` return, in order of preference; or the token of an
                upgrade that an installed package brings.
            otherwise: The resource for requests that do not ask for one of the protocols; without it they are
                answered with 426 (RFC 9110 section 15.5.22), or 405 where no protocol has their method.
            authorize: Called once with the live request when a protocol has been selected and the request is
                well-formed; returns ``Allow``, ``Deny`` or an awaitable of these. Requests that go to ``otherwise``
                are not asked about.
            authorize_timeout: Seconds for ``authorize``; then 503.
            prepare_timeout: Seconds for the protocol to make ready (``onConnect``, ``buildProtocol``); then 503. None
                where it has deadlines of its own.
            max_connections: Connections behind this resource at a time, those that are being prepared among them;
                beyond it 503. None for no limit, as in the following.
            max_connections_per_client: The same for one client address; beyond it 429.
            max_connections_per_context: The same for one ``Allow(context=…)``, such as a user; beyond it 429. Contexts
                that are equal are one; None is not counted; ``Allow(counted_as=…)`` is counted instead.
            retry_after: Seconds after which a client that was refused for one of these may come again.
            drain: Ends the connections in order; one for all resources that are to end together.

        Raises:
            ValueError: No upgrade is given and nothing else to serve, or one token twice; or a limit is none.
            LookupError: No installed package brings a token.
        """
        super().__init__()
        self.upgrades = tuple(find_upgrade(each) if isinstance(each, str) else each for each in upgrades)
        if not self.upgrades and otherwise is None:
            raise ValueError("UpgradeResource needs at least one upgrade: websocket(...) or stream(...)")
        for number, upgrade in enumerate(self.upgrades):
            if any(upgrade.protocol.matches(other.protocol) for other in self.upgrades[:number]):
                raise ValueError(f"the token {upgrade.protocol} is served twice on one resource")
        self.otherwise = otherwise
        self._adopt_content_policy()
        self.authorize = authorize
        self.authorize_timeout = authorize_timeout
        self.prepare_timeout = prepare_timeout
        self.admission = Admission(
            drain,
            retry_after,
            max_connections=max_connections,
            max_connections_per_client=max_connections_per_client,
            max_connections_per_context=max_connections_per_context,
        )

    def _adopt_content_policy(self) -> None:
        """Take as much content as ``otherwise`` does, and in the same way (see ``limit``)."""
        for name in ("upgradegw_limits", "streams_content"):
            if hasattr(self.otherwise, name):
                setattr(self, name, getattr(self.otherwise, name))
        if any(upgrade.content and not getattr(upgrade, "streams_content", False) for upgrade in self.upgrades):
            self.streams_content = False  # a protocol gets the content of its request as a whole

    def getStaticEntity(self, name: bytes) -> Any:
        """Return a child given with ``putChild``, here or to ``otherwise``: where limits on content are looked for."""
        child = super().getStaticEntity(name)
        find = getattr(self.otherwise, "getStaticEntity", None)
        return find(name) if child is None and find is not None else child

    def getChildWithDefault(self, path: bytes, request: Any) -> IResource:
        """Find a child given with ``putChild``; everything else below this resource is answered by itself."""
        child = self.children.get(path)
        if child is not None:
            return child  # type: ignore[no-any-return]
        request.prepath.pop()
        request.postpath.insert(0, path)
        return _Whole(self)

    def render(self, request: Any) -> bytes | int:
        """Decide, and answer or start to switch."""
        head = request_head(request)
        connection = takeable(request)
        if connection is None:
            return self._render_without_takeover(request, head)
        decision = negotiate(head, self.upgrades)
        if isinstance(decision, Decline):
            if decision.reason not in _NO_OFFER:
                connection.close_after_response()
            other = self._find_otherwise(request, head)
            if other is not None:
                note_outcome(request, decision)
                request.render(other)
                return NOT_DONE_YET
            return self._refuse(request, head, refusal(decision, head, self.upgrades))
        if isinstance(decision, Refuse):
            connection.close_after_response()
            return self._refuse(request, head, decision)
        place = self.admission.enter(request.site, head.client)
        if isinstance(place, Refuse):
            connection.close_after_response()
            return self._refuse(request, head, place)
        place.until_answered(request)
        switchover = Switchover(request, connection, head, decision, place)
        switchover.run(self.authorize, self.authorize_timeout, self.prepare_timeout)
        return NOT_DONE_YET

    def _find_otherwise(self, request: Any, head: RequestHead) -> IResource | None:
        """Find what answers as if there were only the other resource, traversed by Twisted's rules."""
        if self.otherwise is None:
            return None
        found: IResource = getChildForRequest(self.otherwise, request)
        # Extended CONNECT is answered only by those who know what it is.
        return found if head.protocol is None or IUpgradeResource.providedBy(found) else None

    @staticmethod
    def _refuse(request: Any, head: RequestHead, refuse: Refuse) -> bytes:
        note_outcome(request, refuse)
        plain_http2 = head.http_version == b"HTTP/2" and head.protocol is None
        return write_refusal(request, refuse.status, refuse.fields, text=EXTENDED_CONNECT_TEXT if plain_http2 else None)

    def _render_without_takeover(self, request: Any, head: RequestHead) -> bytes | int:
        """A connection that is not the request's own, such as an HTTP/2 stream of twisted.web: never a switch."""
        other = self._find_otherwise(request, head)
        if other is not None:
            request.render(other)
            return NOT_DONE_YET
        return self._refuse(request, head, Refuse(Reason.NO_TAKEOVER, 400 if head.http_version == b"HTTP/2" else 501))


@implementer(IUpgradeResource)
class _Whole(Resource):
    """An UpgradeResource that answers for a path below its own: traversal ends here, ``postpath`` keeps the rest."""

    isLeaf = True

    def __init__(self, resource: UpgradeResource) -> None:
        super().__init__()
        self._resource = resource

    def render(self, request: Any) -> bytes | int:
        """Answer as the resource itself."""
        return self._resource.render(request)
