"""Several upstreams as one: who is asked, who is left out for a while, and who is asked instead."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, get_args

from upgradegw.negotiation.reasons import Reason
from upgradegw.proxy.attempts import Attempts
from upgradegw.proxy.exchange import Asked, Exchange, Receiver, UpstreamError, UpstreamRequest
from upgradegw.proxy.health import Health, HealthSettings, Questions, UpstreamState

Policy = Literal["round_robin", "least_connections"]


class Balanced:
    """Asks one of several upstreams (``Asked``).

    An upstream that has failed some times in a row gets no requests for a while. Where a connection cannot be made,
    nothing was sent, and the next one is asked. If none is left, that is 503 with Retry-After.

    Attributes:
        http_version: That of all upstreams; ``b"HTTP/1.1"`` if they differ.
    """

    def __init__(
        self,
        upstreams: Sequence[Asked],
        policy: Policy = "round_robin",
        *,
        health: HealthSettings | None = None,
        reactor: Any,
    ) -> None:
        """Take all to be well; nothing is asked before the first request.

        Args:
            upstreams: At least one.
            policy: ``"round_robin"``, in turn; or ``"least_connections"``, the one with the fewest requests under way
                and tunnels.
            health: When one is down; None for the defaults.
            reactor: Tells the time.

        Raises:
            ValueError: There is no upstream, or no such policy.
        """
        if not upstreams:
            raise ValueError("no upstream to choose from")
        if policy not in get_args(Policy):
            raise ValueError(f"policy={policy!r} must be one of: {', '.join(get_args(Policy))}")
        settings = health or HealthSettings()
        self._fewest = policy == "least_connections"
        self._reactor = reactor
        self._members = [Health(each, settings, reactor.seconds) for each in upstreams]
        self._questions = Questions(self._members, settings, reactor)
        self._next = 0
        versions = {each.http_version for each in upstreams}
        self.http_version = versions.pop() if len(versions) == 1 else b"HTTP/1.1"

    @property
    def states(self) -> tuple[UpstreamState, ...]:
        """How each upstream is at this moment, in their order."""
        return tuple(member.state for member in self._members)

    def ask(self, request: UpstreamRequest, receiver: Receiver) -> Exchange:
        """Send a request to one of the upstreams; see ``Asked.ask``.

        Args:
            request: The request.
            receiver: Gets the answer, later.
        """
        self._questions.begin()
        attempts = Attempts(self, request, receiver)
        attempts.begin()
        return attempts

    def close(self) -> None:
        """Close all upstreams, and ask none how it is."""
        self._questions.close()
        for member in self._members:
            member.asked.close()

    # --- For the attempts of a request.

    def choose(self, tried: Collection[Health]) -> Health | None:
        """Return who is asked next, or None if nobody is left.

        Args:
            tried: Those to which this request could not be sent.
        """
        members = self._members
        turn = [*members[self._next :], *members[: self._next]]
        left = [member for member in turn if member not in tried and member.up]
        if not left:
            return None
        # Of several with the fewest it is the first in turn.
        chosen = min(left, key=lambda member: member.active) if self._fewest else left[0]
        self._next = (members.index(chosen) + 1) % len(members)
        return chosen

    def nobody(self, last: UpstreamError | None) -> UpstreamError:
        """Return what is said when nobody is left.

        Args:
            last: How the last attempt failed.
        """
        detail = f"none of {len(self._members)} upstreams is left" + (f"; the last: {last}" if last else "")
        return UpstreamError(Reason.NO_UPSTREAM, 503, detail, min(member.wait for member in self._members))

    def soon(self, call: Any, *args: Any) -> None:
        """Call something, but not at once."""
        self._reactor.callLater(0, call, *args)

    def __repr__(self) -> str:
        """Name the upstreams."""
        return f"Balanced({[member.asked for member in self._members]})"

    def __str__(self) -> str:
        """The addresses."""
        return ", ".join(str(member.asked) for member in self._members)
