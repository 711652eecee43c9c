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
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.interfaces import Accept, Allow, Deny, Respond
from upgradegw.negotiation.fields import has_control
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.switching import checked_fields, checked_switching_fields
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
            ValueError: It holds something that cannot stand in a response.
        """
        if not isinstance(answer, self.kinds):
            names = " or ".join(kind.__name__ for kind in self.kinds)
            raise TypeError(f"{self.what} answered {answer!r}; it must be {names}")
        try:
            _check(answer)
        except ValueError:
            _let_go(answer)
            raise
        return answer


def _check(answer: Any) -> None:
    """Raise ValueError if an answer holds what cannot stand in a response."""
    if isinstance(answer, Deny | Refuse):
        if not 300 <= answer.status <= 599:  # noqa: PLR2004 - RFC 9110 section 15: redirections and errors
            raise ValueError(f"{answer.status} is no status of a refusal: use one from 300 to 599")
        for name, _ in checked_fields(answer.fields):
            if name.lower() == b"transfer-encoding":  # RFC 9112 section 6.1: how it is framed is the server's to say
                raise ValueError("Transfer-Encoding is not the application's to set")
        return
    if isinstance(answer, Accept):
        check_accept(answer)
    elif not isinstance(answer, Respond):
        checked_switching_fields(answer.fields)


def check_accept(accept: Accept) -> None:
    """Raise ValueError if an answer holds what cannot stand in a 101.

    Args:
        accept: The answer.
    """
    checked_switching_fields(accept.fields)
    if has_control(accept.phrase):
        raise ValueError("the reason phrase holds control characters")
    if accept.token is not None and has_control(accept.token):
        raise ValueError("the token holds control characters")


def _let_go(answer: object) -> None:
    """Nobody wants the answer any more."""
    if isinstance(answer, Accept | Respond):
        answer.release()


AUTHORIZE = Step("authorize", (Allow, Deny), Reason.AUTHORIZE_TIMEOUT, Reason.AUTHORIZE_FAILED)
PREPARE = Step("prepare", (Accept, Deny, Refuse, Respond), Reason.PREPARE_TIMEOUT, Reason.PREPARE_FAILED)


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

    def is_answered(self) -> bool:
        """Tell whether there is nobody left to answer: the client has gone, or whoever was asked has answered itself.

        Half an answer costs the connection: it cannot be taken back, and nothing of ours may stand behind it.
        """
        request = self._request
        if self.gone or is_disconnected(request):
            return True
        if request.startedWriting:
            _log.error("the application wrote to a request for which it was only asked; its connection is closed")
            request.loseConnection()
            return True
        return False

    def ask(self, step: Step, seconds: float | None, ask: Callable[[], Any], then: Callable[[Any], None]) -> None:
        """Ask, and go on with the answer, or with a refusal in its place; not at all if the client has left.

        Args:
            step: The question.
            seconds: How long the answer may take; None where whoever is asked has deadlines of its own.
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

    def _wait(self, step: Step, seconds: float | None, waiting: Deferred[Any], then: Callable[[Any], None]) -> None:
        """Wait no longer than allowed, and no longer than the client does."""
        if self._waiting is None:
            self._request.notifyFinish().addErrback(self._client_left)
        self._waiting = waiting
        outcome: Deferred[Any] = Deferred()
        outcome.addCallback(step.checked)
        outcome.addErrback(self._failed, step)
        outcome.addCallback(self._go_on, then)
        outcome.addErrback(self._broken)
        deadline = None if seconds is None else self._clock.callLater(seconds, _give_up, waiting, outcome)
        waiting.addBoth(_answered, outcome, deadline)

    def _go_on(self, answer: Any, then: Callable[[Any], None]) -> None:
        if self.gone:
            _let_go(answer)
        else:
            then(answer)

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


def _give_up(waiting: Deferred[Any], outcome: Deferred[Any]) -> None:
    """Go on without the answer: a coroutine may ignore that it is cancelled, and must not make the client wait."""
    outcome.errback(_TooLateError())
    waiting.cancel()


def _answered(answer: Any, outcome: Deferred[Any], deadline: IDelayedCall | None) -> None:
    if deadline is None:
        outcome.callback(answer)
    elif deadline.active():
        deadline.cancel()
        outcome.callback(answer)
    else:
        _let_go(answer)


def _as_deferred(answer: Any) -> Deferred[Any]:
    if isinstance(answer, Deferred):
        return answer
    if hasattr(answer, "send"):
        return Deferred.fromCoroutine(answer)
    return Deferred.fromCoroutine(_await(answer))


async def _await(answer: Awaitable[T]) -> T:
    return await answer
