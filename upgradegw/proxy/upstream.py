"""An upstream that is asked over HTTP/1.1, and the choice between the versions."""

from __future__ import annotations

from typing import Any

from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.connecting import Connector
from upgradegw.proxy.exchange import Asked, Exchange, Receiver, UpstreamRequest
from upgradegw.proxy.http1.exchange import Http1Exchange
from upgradegw.proxy.http1.head import request_head
from upgradegw.proxy.http2 import Http2Upstream
from upgradegw.proxy.pool import Pool
from upgradegw.proxy.settings import UpstreamSettings


class Upstream:
    """One upstream over HTTP/1.1, with connections that are used again (``Asked``).

    Attributes:
        http_version: ``b"HTTP/1.1"``.
        address: Where it is.
        settings: Its bounds.
    """

    http_version = b"HTTP/1.1"

    def __init__(self, address: UpstreamAddress, settings: UpstreamSettings, reactor: Any) -> None:
        """Connect to nothing yet.

        Args:
            address: Where it is.
            settings: Its bounds.
            reactor: Connects and tells the time.

        Raises:
            ValueError: A file of the TLS settings cannot be read.
        """
        self.address = address
        self.settings = settings
        self._pool = Pool(Connector(address, settings, reactor), settings, reactor)

    def ask(self, request: UpstreamRequest, receiver: Receiver) -> Exchange:
        """Send a request; see ``Asked.ask``.

        Args:
            request: The request; its target gets the address's prefix.
            receiver: Gets the answer, later.

        Raises:
            ValueError: The request holds a line end where none may stand.
        """
        address = self.address
        authority = request.authority or address.authority
        head = request_head(request, address.target(request.target), authority, keep=self.settings.max_idle > 0)
        exchange = Http1Exchange(self._pool, request, head, receiver)
        exchange.start()
        return exchange

    def close(self) -> None:
        """Close idle connections, and others behind their last response; see ``Asked.close``."""
        self._pool.close()

    def __repr__(self) -> str:
        """Name the address."""
        return f"Upstream({str(self.address)!r})"

    def __str__(self) -> str:
        """The address, as it stands in a configuration."""
        return str(self.address)


def upstream_for(address: UpstreamAddress, settings: UpstreamSettings, reactor: Any) -> Asked:
    """Return what speaks to an address: HTTP/2 for ``h2c://`` and where ``http_version`` is 2, else HTTP/1.1.

    Args:
        address: Where the upstream is.
        settings: Its bounds.
        reactor: Connects and tells the time.

    Raises:
        ValueError: A file of the TLS settings cannot be read.
    """
    if address.scheme == "h2c" or settings.http_version == 2:  # noqa: PLR2004 - the version
        return Http2Upstream(address, settings, reactor)
    return Upstream(address, settings, reactor)
