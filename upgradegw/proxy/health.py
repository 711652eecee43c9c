"""Whether an upstream is well: what requests have shown of it, and what it answers when it is asked how it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

from twisted.internet.interfaces import IDelayedCall
from twisted.logger import Logger

from upgradegw.protocols.limits import check_limit
from upgradegw.proxy.exchange import Asked, Exchange, ResponseHead, UpstreamError, UpstreamRequest, UpstreamTunnel

_log = Logger(namespace="upgradegw")

#: Statuses that say that an upstream is well: 2xx and 3xx, as for HAProxy.
_WELL = range(200, 400)


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """When an upstream counts as down, and when as up again.

    Attributes:
        path: Is asked for every ``interval``; 2xx and 3xx are well. None: nothing is asked.
        interval: Seconds between two of these questions.
        timeout: Seconds for the head of the answer.
        failures: Failures in a row, of requests or of these questions, after which an upstream is down.
        down_for: Seconds for which an upstream that is down gets no requests. Then one more failure is enough.
    """

    path: str | None = None
    interval: float = 10.0
    timeout: float = 5.0
    failures: int = 3
    down_for: float = 10.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: One of them makes no sense; the text names it.
        """
        for name in ("interval", "timeout", "failures", "down_for"):
            value = getattr(self, name)
            check_limit(name, value)
            if value is None or (name == "failures" and not isinstance(value, int)):
                raise ValueError(f"{name}={value!r} must be a number")
        if self.path is not None and (not self.path.startswith("/") or not self.path.isascii() or " " in self.path):
            raise ValueError(f"path={self.path!r} must be a path, such as /healthz")


@dataclass(frozen=True, slots=True)
class UpstreamState:
    """How an upstream is at this moment, for a person.

    Attributes:
        upstream: Its address.
        up: Whether it is asked; None for one that is alone, which always is.
        active: Its requests under way and tunnels; None if nobody counts them.
    """

    upstream: str
    up: bool | None = None
    active: int | None = None


class Health:
    """How one upstream is.

    Attributes:
        asked: The upstream.
        active: Its requests under way and tunnels.
    """

    def __init__(self, asked: Asked, settings: HealthSettings, now: Callable[[], float]) -> None:
        """Take it to be well.

        Args:
            asked: The upstream.
            settings: When it is not.
            now: Tells the time.
        """
        self.asked = asked
        self.active = 0
        self._settings = settings
        self._now = now
        self._failures = 0
        self._down_until: float | None = None

    @property
    def up(self) -> bool:
        """Whether it may be asked."""
        return self._down_until is None or self._now() >= self._down_until

    @property
    def state(self) -> UpstreamState:
        """What a person is shown of it."""
        return UpstreamState(str(self.asked), self.up, self.active)

    @property
    def wait(self) -> int:
        """Whole seconds, at least 1, until it may be asked again."""
        return 1 if self._down_until is None else max(1, ceil(self._down_until - self._now()))

    def succeeded(self) -> None:
        """It has answered, which shows that it is there."""
        self._failures = 0
        if self._down_until is not None:
            self._down_until = None
            _log.info("upstream {upstream} is up", upstream=self.asked)

    def failed(self, why: object) -> None:
        """It has not answered; with enough of that, in a row, it is down.

        Args:
            why: For the log.
        """
        self._failures += 1
        settings = self._settings
        if self._failures < settings.failures:
            return
        if self._down_until is None:
            _log.warn(
                "upstream {upstream} is down: {failures} failures in a row, the last: {why}",
                upstream=self.asked,
                failures=self._failures,
                why=why,
            )
        # While it is asked how it is, it stays down until the next answer, whichever time is longer.
        patience = settings.interval + settings.timeout if settings.path is not None else 0
        self._down_until = self._now() + max(settings.down_for, patience)


class Questions:
    """Asks each upstream how it is, in turn of the interval, from the first request of a route on."""

    def __init__(self, members: list[Health], settings: HealthSettings, reactor: Any) -> None:
        """Ask nothing yet.

        Args:
            members: The upstreams.
            settings: What to ask for and how often.
            reactor: Tells the time.
        """
        self._members = members
        self._settings = settings
        self._reactor = reactor
        self._call: IDelayedCall | None = None
        self._asking: dict[Health, _Question] = {}
        self._closed = False

    def begin(self) -> None:
        """Ask from now on, if there is anything to ask for; called for each request."""
        if self._call is None and self._settings.path is not None and not self._closed:
            self._turn()

    def close(self) -> None:
        """Ask no more."""
        self._closed = True
        if self._call is not None:
            self._call.cancel()
            self._call = None
        for question in list(self._asking.values()):
            question.drop()

    def _turn(self) -> None:
        self._call = self._reactor.callLater(self._settings.interval, self._turn)
        for member in self._members:
            if member not in self._asking:
                self._asking[member] = question = _Question(member, self._settings, self._reactor, self._asking.pop)
                question.ask()


class _Question:
    """One question to one upstream (``Receiver``)."""

    def __init__(
        self, member: Health, settings: HealthSettings, reactor: Any, done: Callable[[Health], object]
    ) -> None:
        self._member = member
        self._settings = settings
        self._reactor = reactor
        self._done = done
        self._exchange: Exchange
        self._call: IDelayedCall | None = None
        self._judged = False

    def ask(self) -> None:
        path = (self._settings.path or "/").encode("ascii")
        fields = ((b"User-Agent", b"upgradegw"),)
        self._call = self._reactor.callLater(self._settings.timeout, self.late)
        self._exchange = self._member.asked.ask(UpstreamRequest(b"GET", path, b"", fields), self)

    def late(self) -> None:
        """There is no answer in time, or no end of it."""
        self._judge(f"no answer to {self._settings.path} within {self._settings.timeout:g} seconds")
        self.drop()

    def drop(self) -> None:
        """Ask no more."""
        self._judged = True
        self._exchange.cancel()
        self._end()

    def _judge(self, wrong: object) -> None:
        if not self._judged:
            self._judged = True
            if wrong is None:
                self._member.succeeded()
            else:
                self._member.failed(wrong)

    def _end(self) -> None:
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()
        self._done(self._member)

    # --- For the upstream.

    def interim(self, head: ResponseHead) -> None:
        """Say nothing to that."""

    def head(self, head: ResponseHead) -> None:
        """Judge by the status."""
        well = head.status in _WELL
        self._judge(None if well else f"{self._settings.path} was answered with {head.status}")

    def data(self, data: bytes) -> None:
        """Read to the end, so that the connection can be used again; as long as the time is not over."""

    def end(self) -> None:
        """That was all."""
        self._end()

    def switched(self, head: ResponseHead, tunnel: UpstreamTunnel) -> None:
        """Nobody has asked for that (an upstream that was not offered a token has failed)."""

    def failed(self, error: UpstreamError) -> None:
        """There is no answer."""
        self._judge(error)
        self._end()
