"""Who may connect to one resource: limits on its connections, counted from the decision to the end.

A connection counts while the application is asked about it, too, so that nobody has more than a limit allows by
asking many times at once. It counts for its client as soon as the request is there, and for its context when
``authorize`` has said which that is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.logger import Logger

from upgradegw.interfaces import Allow
from upgradegw.negotiation.client import NOBODY
from upgradegw.negotiation.model import Client, Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.limits import check_limit
from upgradegw.web.drain import Drain, Switched

_log = Logger(namespace="upgradegw")


class _Count:
    """How many there are of one kind, and how many there may be."""

    def __init__(self, name: str, limit: int | None) -> None:
        check_limit(name, limit)
        self.name = name
        self.limit = limit
        self._numbers: dict[Any, int] = {}

    def enter(self, key: Any) -> Callable[[], None] | None:
        """Count one more; return what counts it out, or None if there are as many as there may be.

        Raises:
            TypeError: The key cannot be counted, because it has no hash.
        """
        number = self._numbers.get(key, 0)
        if self.limit is not None and number >= self.limit:
            return None
        self._numbers[key] = number + 1
        return lambda: self._leave(key)

    def _leave(self, key: Any) -> None:
        number = self._numbers.pop(key, 1) - 1
        if number:
            self._numbers[key] = number

    def __len__(self) -> int:
        return sum(self._numbers.values())


class Place:
    """The place of a request, and of the connection that it becomes, where nothing is counted."""

    def until_answered(self, request: Any) -> None:
        """The request waits for its answer: when it has one and has not switched, the place is free again."""

    def count(self, allow: Allow) -> Refuse | None:  # noqa: ARG002 - see below
        """Count for the context; return the refusal if it has its connections already."""
        return None

    def keep(self) -> Refuse | None:
        """The connection is about to switch: it keeps the place. Return the refusal if it must not."""
        return None

    def switched(self, going_away: Callable[[int], None], transport: Any) -> None:
        """The connection has switched."""

    def leave(self) -> None:
        """The connection is gone, or the switch has failed."""


_NO_PLACE = Place()


class Admission:
    """The limits of one resource."""

    def __init__(self, drain: Drain | None, retry_after: int, **limits: int | None) -> None:
        """Start with nobody.

        Args:
            drain: Ends the connections in order; from then on nobody is admitted.
            retry_after: Seconds after which a client that was refused may try again.
            limits: ``max_connections``, ``max_connections_per_client`` and ``max_connections_per_context``.

        Raises:
            ValueError: A limit is none.
        """
        if isinstance(retry_after, bool) or not isinstance(retry_after, int) or retry_after < 0:
            raise ValueError(f"retry_after={retry_after!r} must be a number of whole seconds")
        self.drain = drain
        self._retry = ((b"Retry-After", b"%d" % retry_after),)
        self.route, self.clients, self.contexts = (_Count(name, limit) for name, limit in limits.items())
        self._counts = any(limit is not None for limit in limits.values())

    def enter(self, site: Any, client: Client) -> Place | Refuse:
        """Give a request its place, or refuse it.

        Args:
            site: Where it came in.
            client: Whose it is.
        """
        if self.drain is None and not self._counts:
            return _NO_PLACE
        if self.drain is not None and self.drain.draining:
            return self.refuse_draining()
        place = _CountedPlace(self, site.reactor)
        if self._counts:
            refuse = place.enter(self.route, None) or self._enter_client(place, client, site)
            if refuse is not None:
                place.leave()
                return refuse
        return place

    def _enter_client(self, place: _CountedPlace, client: Client, site: Any) -> Refuse | None:
        # A trusted proxy that names nobody is not counted: it stands for all its clients.
        address, peer = client.address, client.peer
        if address is None or (address == peer and peer in getattr(site, "trusted", NOBODY)):
            return None
        return place.enter(self.clients, address)

    def refuse_draining(self) -> Refuse:
        """Return the answer of a resource that takes no more connections."""
        return Refuse(Reason.DRAINING, 503, self._retry)

    def refuse(self, count: _Count) -> Refuse:
        """Return the answer of a limit: 503 for all (RFC 9110 section 15.6.4), 429 for one (RFC 6585 section 4)."""
        detail = f"{count.name}={count.limit}"
        return Refuse(Reason.TOO_MANY_CONNECTIONS, 503 if count is self.route else 429, self._retry, detail)


class _CountedPlace(Place):
    """A place that is counted, or that a ``Drain`` must know of."""

    __slots__ = ("_admission", "_clock", "_kept", "_leave", "_switched")

    def __init__(self, admission: Admission, clock: Any) -> None:
        self._admission = admission
        self._clock = clock
        self._leave: list[Callable[[], None]] = []
        self._kept = False
        self._switched: Switched | None = None

    def enter(self, count: _Count, key: Any) -> Refuse | None:
        """Count; return the refusal if there are enough."""
        if count.limit is None:
            return None
        leave = count.enter(key)
        if leave is None:
            return self._admission.refuse(count)
        self._leave.append(leave)
        return None

    def until_answered(self, request: Any) -> None:
        request.notifyFinish().addBoth(self._answered)

    def count(self, allow: Allow) -> Refuse | None:
        contexts = self._admission.contexts
        key = allow.context if allow.counted_as is None else allow.counted_as
        if key is None:
            return None
        try:
            return self.enter(contexts, key)
        except TypeError as error:
            _log.error(
                "{limit} cannot count the context of authorize(): {error}; give Allow(counted_as=...)",
                limit=contexts.name,
                error=error,
            )
            return Refuse(Reason.AUTHORIZE_FAILED, 500, (), "the context cannot be counted")

    def keep(self) -> Refuse | None:
        drain = self._admission.drain
        if drain is not None and drain.draining:
            return self._admission.refuse_draining()
        self._kept = True
        if drain is not None:
            self._switched = drain.add(self._clock)
        return None

    def _answered(self, _result: object) -> None:
        """The request has its answer, or its client has gone, or it has switched."""
        if not self._kept:
            self.leave()

    def switched(self, going_away: Callable[[int], None], transport: Any) -> None:
        if self._switched is not None:
            self._switched.ready(going_away, transport)

    def leave(self) -> None:
        leave, self._leave = self._leave, []
        for each in leave:
            each()
        switched, self._switched = self._switched, None
        if switched is not None and self._admission.drain is not None:
            self._admission.drain.remove(switched)
