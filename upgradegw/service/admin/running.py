"""The operator's listener beside the others: it opens with them and closes behind them, when they have stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python.usage import UsageError

from upgradegw.events import access_events
from upgradegw.negotiation.tls_upgrade import tokens_of
from upgradegw.service.admin.gauges import Gauges
from upgradegw.service.admin.metrics import Metrics
from upgradegw.service.admin.site import AdminPages, AdminSite
from upgradegw.service.config.model import Admin
from upgradegw.service.gateway.gateway import Gateway
from upgradegw.service.listening import Listener

#: Tokens that are served without being named: by a route's ``websocket``, and by the demonstration site.
_UNNAMED = ("websocket", "echo")
#: What a listener's ``tls_upgrade`` switches to (RFC 2817).
_TLS = [token.decode("ascii") for token in tokens_of(("1.3", "1.2"))]


def _nothing() -> None:
    """There is no subscription."""


class AdminService:
    """The pages of one gateway."""

    log = Logger()

    def __init__(self, reactor: Any, table: Admin, listener: Listener, gateway: Gateway) -> None:
        """Listen nowhere yet.

        Args:
            reactor: Listens.
            table: Who may ask.
            listener: Where, bound if we bind it.
            gateway: What the pages are about; it keeps a table of upgraded connections.

        Raises:
            UsageError: Twisted does not understand the endpoint, or a network is none.
        """
        self._gateway = gateway
        self._listener = listener
        self._metrics = Metrics()
        self._metrics.registry.register(Gauges(gateway))
        self.refresh()
        try:
            pages = AdminPages(gateway, self._metrics.registry, table.allow)
        except ValueError as error:
            raise UsageError(f"{table.at('allow')}: {error}") from None
        self._site = AdminSite(pages, reactor=reactor)
        self._endpoint = listener.endpoint(reactor)
        self._port: IListeningPort | None = None
        self._unsubscribe: Callable[[], None] = _nothing

    def refresh(self) -> None:
        """Learn the names of the routes and tokens in force.

        Earlier ones stay known: what came through a route that is no more is still counted for it.
        """
        metrics, routes = self._metrics, self._gateway.routes
        metrics.routes |= {route.name for route in routes}
        tokens = [token for route in routes for token in (*route.config.upgrade, *route.config.upgrades)]
        if any(listen.tls_upgrade for listen in self._gateway.config.listen):
            tokens += _TLS
        metrics.tokens |= {token.lower() for token in (*_UNNAMED, *tokens)}

    def open(self) -> None:
        """Listen, and count from now on.

        Raises:
            Exception: What an endpoint that we do not bind ourselves raised, if it did so at once.
        """
        self._unsubscribe = access_events.subscribe(self._metrics)
        self._listener.open(self._endpoint, self._site, self._listens)

    def _listens(self, port: IListeningPort) -> None:
        self._port = port
        self.log.info("Operator's pages: {url}", url=self._listener.url(port, False))

    def close(self) -> Deferred[Any]:
        """The gateway has stopped: close, too."""
        unsubscribe, self._unsubscribe = self._unsubscribe, _nothing
        unsubscribe()
        port, self._port = self._port, None
        closed: Deferred[Any] = succeed(None) if port is None else self._listener.stop(port)
        return closed.addCallback(lambda _: self._site.drain(0))
