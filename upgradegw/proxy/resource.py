"""ProxyResource: a path of a Twisted site that another server answers for, upgrades among its answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from upgradegw.interfaces import Allow, Deny
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.balance import Policy
from upgradegw.proxy.exchange import Asked
from upgradegw.proxy.forwarding import forward
from upgradegw.proxy.health import HealthSettings
from upgradegw.proxy.outgoing import Rules
from upgradegw.proxy.responding import ResponseWriter, set_response_fields
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upgrades import parse_tokens, proxied_upgrades
from upgradegw.proxy.upstreams import Upstreams
from upgradegw.web.asking import AUTHORIZE, Asking
from upgradegw.web.drain import Drain
from upgradegw.web.heads import request_head
from upgradegw.web.resource import Authorize, UpgradeResource


class ProxyResource(UpgradeResource):
    """Pass requests on to an upstream, as streams, and become a tunnel where it switches to an allowed protocol.

    It answers its own path and everything below it. The upstream's address comes from the arguments alone, never from
    a request. Limits on the content that clients may send are those of the site, unless ``limit`` sets others.
    """

    def __init__(
        self,
        upstream: str | Iterable[str] | Asked,
        *,
        upgrades: Iterable[str] = ("websocket",),
        strip_path: bool = False,
        host: str = "keep",
        forwarded: str = "x-forwarded",
        settings: UpstreamSettings | None = None,
        balance: Policy = "round_robin",
        health: HealthSettings | None = None,
        authorize: Authorize | None = None,
        authorize_timeout: float = 10.0,
        origins: Iterable[str] | None = None,
        lenient: Collection[str] = (),
        idle_timeout: float | None = 3600.0,
        max_connections: int | None = None,
        max_connections_per_client: int | None = None,
        max_connections_per_context: int | None = None,
        retry_after: int = 10,
        drain: Drain | None = None,
        reactor: Any = None,
    ) -> None:
        """Stand before an upstream.

        Args:
            upstream: Its address: ``http://HOST[:PORT][/PREFIX]``, ``https://…``, ``h2c://…`` or ``unix:/PATH``; or
                several of these, or anything else that can be asked.
            upgrades: The tokens that may be tunnelled; ``"*"`` for all but h2c and h2, which never are.
            strip_path: Whether the path at which this resource stands is taken off before a request is passed on.
            host: What the upstream reads in Host: ``"keep"`` for what the client sent, ``"upstream"`` for its own
                host and port, or a host that is always sent.
            forwarded: How the upstream is told of the client: ``"x-forwarded"``, ``"forwarded"`` (RFC 7239) or
                ``"both"``. What a trusted proxy said before is kept, what a stranger says of itself is not.
            settings: Timeouts, limits and TLS towards the upstream; None for the defaults. Not for what can be asked.
            balance: How one of several is chosen: ``"round_robin"`` or ``"least_connections"``.
            health: When one of several is down.
            authorize: As for ``UpgradeResource``, but called for every request, before anything is passed on.
            authorize_timeout: Seconds for ``authorize``; then 503.
            origins: The origins whose pages may open a WebSocket, as for ``websocket``; None leaves that to the
                upstream.
            lenient: What is let pass although it is against the specifications: ``"no-connection-option"``,
                ``"websocket-without-key"``.
            idle_timeout: Seconds without a byte in either direction after which a tunnel ends; None for no limit.
            max_connections: Tunnels at a time, as for ``UpgradeResource``, as the following.
            max_connections_per_client: The same for one client address.
            max_connections_per_context: The same for one ``Allow(context=…)``.
            retry_after: Seconds after which a client that was refused for one of these may come again.
            drain: Ends the tunnels in order.
            reactor: Connects; by default that of the site through which the first request comes.

        Raises:
            ValueError: An argument is none of these; the text says what to write.
        """
        rules = Rules(parse_tokens(upgrades, lenient), host, strip_path, forwarded)
        if isinstance(upstream, str):
            upstream = (upstream,)
        if isinstance(upstream, Iterable):
            upstream = Upstreams(upstream, settings, balance=balance, health=health, reactor=reactor)
        elif settings is not None or health is not None:
            raise ValueError("settings and health are for addresses; what can be asked has its own")
        self.asked: Asked = upstream
        self.rules = rules
        super().__init__(
            proxied_upgrades(
                self.asked, rules, origins=origins, lenient=lenient, idle_timeout=idle_timeout, reactor=reactor
            ),
            otherwise=_Plain(self),
            authorize=authorize,
            authorize_timeout=authorize_timeout,
            prepare_timeout=None,  # the exchange with the upstream has deadlines of its own
            max_connections=max_connections,
            max_connections_per_client=max_connections_per_client,
            max_connections_per_context=max_connections_per_context,
            retry_after=retry_after,
            drain=drain,
        )

    def render(self, request: Any) -> bytes | int:
        """Decide, and pass the request on or start to switch."""
        if isinstance(self.asked, Upstreams):
            self.asked.start(request.site.reactor)
        return super().render(request)

    def resource_for_server(self) -> ProxyResource:
        """Return what answers ``OPTIONS *`` where this resource is a site's root: the upstream is the server."""
        return self

    def close(self) -> None:
        """Ask the upstream nothing more: idle connections to it are closed, others behind their last response."""
        self.asked.close()


class _Plain(Resource):
    """Answers the requests that are not switched."""

    isLeaf = True
    streams_content = True

    def __init__(self, resource: ProxyResource) -> None:
        super().__init__()
        self._resource = resource

    def render(self, request: Any) -> int:
        """Ask whether the request may pass, and pass it on."""
        resource = self._resource
        if not request.requestHeaders.hasHeader(b"Upgrade"):
            request.upgrade_outcome = None  # that a request is a plain one is nothing to be told in the log
        if resource.authorize is None:
            self._pass_on(request)
        else:
            authorize = resource.authorize
            asking = Asking(request)
            asking.ask(
                AUTHORIZE,
                resource.authorize_timeout,
                lambda: authorize(request),
                lambda permission: self._authorized(asking, request, permission),
            )
        return NOT_DONE_YET

    def _authorized(self, asking: Asking, request: Any, permission: Allow | Deny | Refuse) -> None:
        if asking.is_answered():
            return
        if isinstance(permission, Allow):
            set_response_fields(request, permission.fields)
            self._pass_on(request)
        elif isinstance(permission, Deny):
            refuse = Refuse(Reason.DENIED, permission.status, permission.fields)
            ResponseWriter(request).refuse(refuse, permission.body)
        else:
            ResponseWriter(request).refuse(permission)

    def _pass_on(self, request: Any) -> None:
        forward(request, request_head(request), self._resource.asked, self._resource.rules)
