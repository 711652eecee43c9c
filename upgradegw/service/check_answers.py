"""``--check=connect``: one question to an upstream, and what it makes of the end of a tunnel."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from zope.interface import implementer

from upgradegw.proxy.exchange import Asked, ResponseHead, UpstreamError, UpstreamRequest, UpstreamTunnel
from upgradegw.proxy.frames import close_frame
from upgradegw.transports import abort_transport

#: Seconds in which an upstream shows what it makes of the end of one direction.
SETTLING = 1.0
_NORMAL_CLOSURE = 1000  # RFC 6455 section 7.4.1


class Answer:
    """What comes back (``Receiver``), as far as it is of interest: its beginning.

    Attributes:
        response: The head of the response, or of the switch; None if there is none.
        tunnel: The connection, if the upstream has switched.
        error: Why there is no response.
        seconds: How long that took.
    """

    def __init__(self) -> None:
        """Nothing has come yet."""
        self.response: ResponseHead | None = None
        self.tunnel: UpstreamTunnel | None = None
        self.error: UpstreamError | None = None
        self.seconds = 0.0
        self.here: Deferred[None] = Deferred()

    def _come(self) -> None:
        if not self.here.called:
            self.here.callback(None)

    # --- For the upstream.

    def interim(self, head: ResponseHead) -> None:
        """Wait for the final response."""

    def head(self, head: ResponseHead) -> None:
        """There is a response."""
        self.response = head
        self._come()

    def data(self, data: bytes) -> None:
        """Its content is of no interest."""

    def end(self) -> None:
        """Nor is its end."""

    def switched(self, head: ResponseHead, tunnel: UpstreamTunnel) -> None:
        """It has switched."""
        self.response, self.tunnel = head, tunnel
        self._come()

    def failed(self, error: UpstreamError) -> None:
        """There is none."""
        if not self.here.called:
            self.error = error
        self._come()


async def ask(asked: Asked, request: UpstreamRequest, reactor: Any) -> Answer:
    """Ask, and wait for the beginning of the answer.

    Args:
        asked: The upstream.
        request: A request without content.
        reactor: Tells the time.
    """
    answer = Answer()
    begun = reactor.seconds()
    exchange = asked.ask(request, answer)
    await answer.here
    answer.seconds = reactor.seconds() - begun
    if answer.tunnel is None and answer.error is None:
        exchange.cancel()
    return answer


async def end(tunnel: UpstreamTunnel, reactor: Any, *, framed: bool) -> dict[str, str]:
    """End our direction of a tunnel in order, see what the upstream makes of that, and break it off.

    Args:
        tunnel: The tunnel.
        reactor: Tells the time.
        framed: Whether it is a WebSocket, which is ended by a Close of its own.

    Returns:
        ``half-close``: ``open`` if the upstream's direction stays open, ``ended`` if it ends in order as well, or
        ``reset``. For a WebSocket ``close``: ``answered``, or one of these.
    """
    ending = _Ending()
    tunnel.attach(ending)
    ending.makeConnection(tunnel.transport)
    tunnel.resume()
    if tunnel.leading_data:
        ending.dataReceived(tunnel.leading_data)
    before = ending.received
    if framed:
        tunnel.transport.write(close_frame(_NORMAL_CLOSURE, masked=True))
    else:
        tunnel.transport.loseWriteConnection()
    await deferLater(reactor, SETTLING, lambda: None)
    found = ending.found
    if not ending.gone:
        abort_transport(tunnel.transport)
    if framed:
        return {"close": "answered" if ending.received > before else found}
    return {"half-close": found}


@implementer(IHalfCloseableProtocol)
class _Ending(Protocol):
    """Sees how the upstream ends its direction."""

    def __init__(self) -> None:
        self.found = "open"
        self.gone = False
        self.received = 0

    def dataReceived(self, data: bytes) -> None:
        self.received += len(data)

    def readConnectionLost(self) -> None:
        self.found = "ended"

    def writeConnectionLost(self) -> None:
        """What we have done ourselves."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.gone = True
        if self.found == "open":
            self.found = "ended" if reason.check(ConnectionDone) else "reset"
