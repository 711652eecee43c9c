"""One request to one of several upstreams, sent to the next where a connection could not be made."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Protocol

from twisted.internet.interfaces import IConsumer, IProtocol, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.proxy.connecting import NotConnected
from upgradegw.proxy.exchange import Exchange, Receiver, ResponseHead, UpstreamError, UpstreamRequest, UpstreamTunnel
from upgradegw.proxy.health import Health
from upgradegw.proxy.paced import Paced
from upgradegw.shadows import Shadows

#: Bytes of content that are kept for the next upstream while the connection to one is being made. The producer is
#: paused meanwhile, so there is one read of a connection; what sends more on has found its connection.
_MOST_KEPT = 128 * 1024


class Choice(Protocol):
    """Who chooses."""

    def choose(self, tried: Collection[Health]) -> Health | None:
        """Return who is asked next."""

    def nobody(self, last: UpstreamError | None) -> UpstreamError:
        """Return what is said when nobody is left."""

    def soon(self, call: Any, *args: Any) -> None:
        """Call something, but not at once."""


@implementer(IPushProducer)
class _Content:
    """The producer of the content, as one upstream's exchange sees it: an exchange that fails does not stop it."""

    __slots__ = ("_attempts",)

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    def pauseProducing(self) -> None:
        """The upstream takes no more for now."""
        self._attempts.flow(False)

    def resumeProducing(self) -> None:
        """The upstream takes more; it is connected, so there is no next one."""
        self._attempts.settle()
        self._attempts.flow(True)

    def stopProducing(self) -> None:
        """The exchange has ended; its last word follows."""


@implementer(IConsumer, IPushProducer)
class Attempts(Paced):
    """The ``Exchange`` of whoever asks, and the ``Receiver`` of the upstream that is asked."""

    def __init__(self, choice: Choice, request: UpstreamRequest, receiver: Receiver) -> None:
        """Have asked nobody.

        Args:
            choice: Says who is next.
            request: The request.
            receiver: Gets the answer.
        """
        super().__init__()
        self._choice = choice
        self._request = request
        self._receiver = receiver
        self._member: Health | None = None
        self._exchange: Exchange | None = None
        self._tried: list[Health] = []
        self._kept: list[bytes] | None = []
        self._kept_size = 0
        self._finished = request.content_length == 0
        self._paused = False
        self._over = False

    def begin(self) -> None:
        """Ask the first upstream."""
        self._next(None)

    def _next(self, last: UpstreamError | None) -> None:
        """Ask the next upstream, or say that there is none."""
        member = self._choice.choose(self._tried)
        if member is None:
            error = self._choice.nobody(last)
            if last is None:
                self._choice.soon(self._fail, error)
            else:
                self._fail(error)
            return
        self._member = member
        member.active += 1
        self._exchange = exchange = member.asked.ask(self._request, self)
        if self._paused:
            exchange.pauseProducing()
        for piece in self._kept or ():
            exchange.write(piece)
        if self._finished and self._request.content_length != 0:
            exchange.finish()
        elif self._producer is not None:
            exchange.registerProducer(_Content(self), True)

    def _asked(self) -> Health:
        assert self._member is not None  # noqa: S101 - for the type checker: who is not asked does not answer
        return self._member

    def _release(self) -> Health:
        """The upstream is done with, for this request."""
        member = self._asked()
        self._member = self._exchange = None
        member.active -= 1
        return member

    def _fail(self, error: UpstreamError) -> None:
        if not self._over:
            self._end()
            self._receiver.failed(error)

    def _end(self) -> None:
        """Nothing more comes; content that is still to come is not wanted."""
        self._over = True
        self._kept = None
        self._dismiss_producer(complete=self._finished)

    # --- For the content.

    def settle(self) -> None:
        """The upstream has the request: no other will get it."""
        self._kept = None

    # --- For the upstream.

    def interim(self, head: ResponseHead) -> None:
        """Pass it on."""
        self.settle()
        self._receiver.interim(head)

    def head(self, head: ResponseHead) -> None:
        """Pass it on; whoever answers is well, whatever he says."""
        self.settle()
        self._asked().succeeded()
        self._receiver.head(head)

    def data(self, data: bytes) -> None:
        """Pass it on."""
        self._receiver.data(data)

    def end(self) -> None:
        """Pass it on."""
        self._release()
        self._end()
        self._receiver.end()

    def switched(self, head: ResponseHead, tunnel: UpstreamTunnel) -> None:
        """Pass it on; the tunnel counts until it ends."""
        member = self._release()
        self._end()
        member.succeeded()
        self._receiver.switched(head, _counted(member, tunnel))

    def failed(self, error: UpstreamError) -> None:
        """Ask the next if this one got nothing of the request; else pass it on."""
        member = self._release()
        member.failed(error)
        if isinstance(error, NotConnected) and self._kept is not None:
            self._tried.append(member)
            self._next(error)
        else:
            self._fail(error)

    # --- For whoever asks.

    def write(self, data: bytes) -> None:
        """Send a piece of the content."""
        if self._over:
            return
        if self._kept is not None:
            self._kept.append(data)
            self._kept_size += len(data)
            if self._kept_size > _MOST_KEPT:
                self._kept = None
        if self._exchange is not None:
            self._exchange.write(data)

    def finish(self) -> None:
        """The content is complete.

        Raises:
            ValueError: It is shorter than was said; the exchange is cancelled.
        """
        if not self._over:
            self._finished = True
            if self._exchange is not None:
                try:
                    self._exchange.finish()
                except ValueError:  # it is too short, and the upstream is asked no longer
                    self.cancel()
                    raise

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let the producer of the content be paused and resumed.

        Raises:
            RuntimeError: There is one already, or it is not streaming.
        """
        if not self._take_producer(producer, streaming, wanted=not self._over):
            return
        if self._exchange is not None:
            self._exchange.registerProducer(_Content(self), True)
        else:
            self.flow(False)

    def unregisterProducer(self) -> None:
        """Forget the producer of the content."""
        if self._producer is not None:
            self._producer = None
            if self._exchange is not None:
                self._exchange.unregisterProducer()

    def pauseProducing(self) -> None:
        """Read no more of the response."""
        self._paused = True
        if self._exchange is not None:
            self._exchange.pauseProducing()

    def resumeProducing(self) -> None:
        """Read on."""
        self._paused = False
        if self._exchange is not None:
            self._exchange.resumeProducing()

    def stopProducing(self) -> None:
        """The same as ``cancel``."""
        self.cancel()

    def cancel(self) -> None:
        """Nobody wants the answer any more."""
        exchange = self._exchange
        self._over = True
        self._producer = self._kept = None
        if exchange is not None:
            self._release()
            exchange.cancel()


def _counted(member: Health, tunnel: UpstreamTunnel) -> UpstreamTunnel:
    """Return the tunnel with an ``attach`` that counts it as one of the upstream's until its connection is lost."""

    def attach(protocol: IProtocol) -> None:
        shadows = Shadows(protocol)

        def lost(reason: Failure) -> None:
            member.active -= 1
            shadows.lift()
            protocol.connectionLost(reason)

        member.active += 1
        shadows.cover("connectionLost", lost)
        tunnel.attach(protocol)

    return replace(tunnel, attach=attach)
