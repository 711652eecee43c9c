"""What a connection to an upstream asks of those around it: who owns it, and whose request is under way on it."""

from __future__ import annotations

from typing import Any, Protocol

from upgradegw.http.wheel import Wheel
from upgradegw.proxy.exchange import Receiver, ResponseHead, UpstreamError, UpstreamTunnel
from upgradegw.proxy.settings import UpstreamSettings


class Keeper(Protocol):
    """Who owns connections and keeps the idle ones.

    Attributes:
        settings: The upstream's bounds.
        wheel: The clock of all its connections.
    """

    settings: UpstreamSettings
    wheel: Wheel

    def now(self) -> float:
        """Return the time."""

    def put(self, connection: Any) -> bool:
        """Keep an idle connection; return whether it is kept."""

    def lost(self, connection: Any) -> None:
        """A connection has ended, or is no longer one of HTTP."""


class User(Protocol):
    """The exchange that has a connection.

    Attributes:
        receiver: Gets what comes between head and end.
        sent: Whether the request is complete.
        has_head: Whether the head of the response has come.
    """

    receiver: Receiver
    sent: bool
    has_head: bool

    def answered(self, head: ResponseHead) -> None:
        """The head of the final response has come."""

    def ended(self) -> None:
        """The response is complete."""

    def failed(self, error: UpstreamError) -> None:
        """There is no response, or no more of it."""

    def lost(self, error: UpstreamError, *, unheard: bool) -> None:
        """The connection has ended; ``unheard``: an earlier request's, and the upstream may not have seen this one."""

    def flow(self, more: bool) -> None:
        """The connection takes more of the content, or for now no more."""

    def wrong_switch(self) -> str | None:
        """Say why a 101 cannot be right, or return None."""

    def switched(self, head: ResponseHead, tunnel: UpstreamTunnel) -> None:
        """A 101 has come, and the connection is no longer one of HTTP."""
