"""Ask the application something that it may answer now, later, wrongly or never.

The answer has a deadline, and nobody is kept waiting for a client that has left. What the application raises is logged
and becomes a refusal; it is never an answer of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.interfaces import Accept, Allow, Deny
from upgradegw.negotiation.model import Fields, Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.switching import checked_fields
from upgradegw.takeover import is_disconnected

_log = Logger(namespace="upgradegw")

T = TypeVar("T")


class _TooLateError(Exception):
    """The application had its time."""


@dataclass(frozen=True, slots=True)
class Step:
    """One question to the application, and what its failure is called."""

    what: str
    kinds: tuple[type, ...]
    late: Reason
    failed: Reason

    def checked(self, answer: Any) -> Any:
        """Return the answer if it is one.

        Raises:
            TypeError: It is none.
            ValueError: It has a field that cannot stand in a response.
        """
        if not isinstance(answer, self.kinds):
            names = " or ".join(kind.__name__ for kind in self.kinds)
            raise TypeError(f"{self.what} answered {answer!r}; it must be {names}")
        fields: Fields = answer.fields  # type: ignore[attr-defined] # each kind has them
        try:
            checked_fields(fields)
        except ValueError:
            if isinstance(answer, Accept):
                answer.release()
            raise
        return answer


AUTHORIZE = Step("authorize", (Allow, Deny), Reason.AUTHORIZE_TIMEOUT, Reason.AUTHORIZE_FAILED)
PREPARE = Step("prepare", (Accept, Deny, Refuse), Reason.PREPARE_TIMEOUT, Reason.PREPARE_FAILED)


class Asking:
    """The questions about one request.

    Attributes:
        gone: Whether the client has left while an answer was awaited.
    """

    def __init__(self, request: Any) -> None:
        """Ask about a request.

        Args:
            request: The request.
        """
        self.gone = False
        self._request = request
        self._clock: IReactorTime = request.site.reactor
        self._waiting: Deferred[Any] | None = None

    def ask(self, step: Step, seconds: float, ask: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Ask, and go on with the answer, or with a refusal in its place; not at all if the client has left.

        Args:
            step: The question.
            seconds: How long the answer may take.
            ask: Asks; returns an answer or something that can be awaited.
            then: Goes on.
        """
        try:
            answer = ask()
            if not isinstance(answer, step.kinds) and isawaitable(answer):
                self._wait(step, seconds, _as_deferred(answer), then)
                return
            answer = step.checked(answer)
        except Exception:  # noqa: BLE001 - the application's
            answer = self._failed(Failure(), step)
        then(answer)

    def _wait(self, step: Step, seconds: float, waiting: Deferred[Any], then: Callable[[Any], None]) -> None:
        """Wait no longer than allowed, and no longer than the client does."""
        if self._waiting is None:
            self._request.notifyFinish().addErrback(self._client_left)
        self._waiting = waiting
        waiting.addTimeout(seconds, self._clock, lambda _result, _seconds: Failure(_TooLateError()))
        waiting.addCallback(step.checked)
        waiting.addErrback(self._failed, step)
        waiting.addCallback(self._go_on, then)
        waiting.addErrback(self._broken)

    def _go_on(self, answer: Any, then: Callable[[Any], None]) -> None:
        if not self.gone:
            then(answer)
        elif isinstance(answer, Accept):
            answer.release()

    def _client_left(self, _reason: object) -> None:
        self.gone = True
        if self._waiting is not None:
            self._waiting.cancel()

    def _failed(self, why: Failure, step: Step) -> Refuse:
        if why.check(_TooLateError):
            return Refuse(step.late, 503)
        if self.gone:
            return Refuse(Reason.CLIENT_GONE, 500)
        _log.failure("{what} failed", why, what=step.what)
        return Refuse(step.failed, 500)

    def _broken(self, why: Failure) -> None:
        """Answer 500 after a fault of our own, so that no client waits for ever."""
        if self.gone or is_disconnected(self._request):
            _log.failure("a switch failed", why)
        else:
            self._request.processingFailed(why)


def _as_deferred(answer: Any) -> Deferred[Any]:
    if isinstance(answer, Deferred):
        return answer
    if hasattr(answer, "send"):
        return Deferred.fromCoroutine(answer)
    return Deferred.fromCoroutine(_await(answer))


async def _await(answer: Awaitable[T]) -> T:
    return await answer
