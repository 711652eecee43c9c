"""A connection to an address that needs no lookup and no TLS: what stands between the wish for it and its protocol."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure


class Opening(ClientFactory):
    """One attempt.

    Attributes:
        result: Fires with the protocol, or fails; may be cancelled.
    """

    noisy = False

    def __init__(self, start: Callable[[Any], Any], failed: Callable[[Exception], Exception]) -> None:
        """Have not begun.

        Args:
            start: Makes the protocol of a transport and connects it; what it raises is the result.
            failed: Says what it means that there is no connection.
        """
        self.result: Deferred[Any] = Deferred(self._cancel)
        self._start = start
        self._failed = failed
        self._connector: Any = None
        self._deadline: IDelayedCall | None = None
        self._is_over = False

    def begin(self, reactor: Any, connect: Callable[..., Any], where: tuple[Any, ...], seconds: float) -> Deferred[Any]:
        """Connect.

        Args:
            reactor: Tells the time.
            connect: Its method for that.
            where: Its arguments before the factory.
            seconds: How long it may take; then the result is ``failed(TimeoutError)``.

        Returns:
            The result.
        """
        self._deadline = reactor.callLater(seconds, self._too_late)
        try:
            connector = connect(*where, self, None)
        except Exception as error:  # noqa: BLE001 - for whoever waits, that is no connection either
            self._fail(error)
            return self.result
        if not self._is_over:
            self._connector = connector
        return self.result

    def buildProtocol(self, addr: object) -> Any:  # noqa: ARG002 - Twisted's interface
        """Return what takes the transport."""
        return _Newcomer(self)

    def made(self, transport: Any) -> None:
        """There is a connection."""
        if self._is_over:
            transport.abortConnection()
            return
        start = self._start
        self._let_go()
        try:
            protocol = start(transport)
        except Exception:  # noqa: BLE001 - whatever it is, it is told to who waits
            self.result.errback(Failure())
        else:
            self.result.callback(protocol)

    def clientConnectionFailed(self, connector: object, reason: Failure) -> None:  # noqa: ARG002 - Twisted's interface
        """There is none."""
        self._fail(reason.value)

    def _too_late(self) -> None:
        self._deadline = None
        connector = self._connector
        self._fail(TimeoutError())
        connector.stopConnecting()

    def _cancel(self, _result: object) -> None:
        connector = self._connector
        self._let_go()
        if connector is not None:
            connector.stopConnecting()

    def _fail(self, error: BaseException | None) -> None:
        if not self._is_over:
            failed = self._failed
            self._let_go()
            self.result.errback(Failure(failed(error) if isinstance(error, Exception) else error))

    def _let_go(self) -> None:
        """Refer to nobody any more; the connector refers to us as long as the connection lasts."""
        self._is_over = True
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()
        del self._start, self._failed, self._connector


class _Newcomer:
    """Takes the transport; the protocol then is in its place."""

    __slots__ = ("_opening",)

    def __init__(self, opening: Opening) -> None:
        self._opening = opening

    def makeConnection(self, transport: Any) -> None:
        """The connection is there."""
        self._opening.made(transport)
