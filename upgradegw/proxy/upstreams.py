"""What the addresses of a route lead to: upstreams that are made when the reactor is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.balance import Balanced, Policy
from upgradegw.proxy.exchange import Asked, Exchange, Receiver, UpstreamRequest
from upgradegw.proxy.health import HealthSettings, UpstreamState
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.proxy.upstream import upstream_for


class Upstreams:
    """One upstream, or several among which is chosen (``Asked``).

    Attributes:
        addresses: Where they are.
        settings: The bounds of each.
        http_version: ``b"HTTP/1.1"`` or ``b"HTTP/2"``.
    """

    _asked: Asked | None = None

    def __init__(
        self,
        urls: Iterable[str],
        settings: UpstreamSettings | None = None,
        *,
        balance: Policy = "round_robin",
        health: HealthSettings | None = None,
        reactor: Any = None,
    ) -> None:
        """Read the addresses; nothing is connected to.

        Args:
            urls: The addresses, as ``UpstreamAddress.parse`` reads them.
            settings: The bounds of each; None for the defaults.
            balance: How one of several is chosen.
            health: When one is down; None for the defaults. One that is alone is watched only if this is given.
            reactor: Connects and tells the time; without it ``start`` must be called.

        Raises:
            ValueError: An address is none, or none is given, or they do not speak the same version of HTTP; or there
                is no such way to choose.
        """
        self.addresses = tuple(UpstreamAddress.parse(url) for url in urls)
        self.settings = settings = settings or UpstreamSettings()
        if not self.addresses:
            raise ValueError("no upstream is given: write 'http://HOST:PORT', or several of these")
        if balance not in get_args(Policy):
            raise ValueError(f"balance={balance!r} must be one of {', '.join(map(repr, get_args(Policy)))}")
        over_http2 = settings.http_version == 2  # noqa: PLR2004 - the version
        versions = {over_http2 or address.scheme == "h2c" for address in self.addresses}
        if len(versions) > 1:
            raise ValueError("h2c:// upstreams and others cannot stand for one another")
        self.http_version = b"HTTP/2" if True in versions else b"HTTP/1.1"
        self._balance: Policy = balance
        self._health = health
        if reactor is not None:
            self.start(reactor)

    def start(self, reactor: Any) -> None:
        """Make the upstreams, once.

        Args:
            reactor: Connects and tells the time.

        Raises:
            ValueError: A file of the TLS settings cannot be read.
        """
        if self._asked is not None:
            return
        made = [upstream_for(address, self.settings, reactor) for address in self.addresses]
        if len(made) == 1 and self._health is None:
            self._asked = made[0]
        else:
            self._asked = Balanced(made, self._balance, health=self._health, reactor=reactor)

    @property
    def states(self) -> tuple[UpstreamState, ...]:
        """How each upstream is at this moment, in the order of the addresses."""
        if isinstance(self._asked, Balanced):
            return self._asked.states
        return tuple(UpstreamState(str(address)) for address in self.addresses)

    def ask(self, request: UpstreamRequest, receiver: Receiver) -> Exchange:
        """Send a request; see ``Asked.ask``.

        Args:
            request: The request.
            receiver: Gets the answer, later.

        Raises:
            RuntimeError: ``start`` has not been called.
        """
        if self._asked is None:
            raise RuntimeError("no reactor was given, and start() was not called")
        return self._asked.ask(request, receiver)

    def close(self) -> None:
        """Take no more requests in hand; see ``Asked.close``."""
        if self._asked is not None:
            self._asked.close()

    def __repr__(self) -> str:
        """Name the addresses."""
        return f"Upstreams({[str(address) for address in self.addresses]!r})"

    def __str__(self) -> str:
        """The addresses."""
        return ", ".join(map(str, self.addresses))
