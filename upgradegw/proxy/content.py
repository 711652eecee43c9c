"""The content of a client's request on its way to the upstream, no faster than the upstream takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from zope.interface import implementer

from upgradegw.http.content import ContentStream
from upgradegw.proxy.exchange import Exchange

#: Bytes read at once from content that lies in a file.
_PIECE = 64 * 1024


def send_content(request: Any, exchange: Exchange, lost: Callable[[tuple[Any, ...] | None], None]) -> None:
    """Begin to send a request's content to the upstream.

    A client that waits for 100 (Continue) is told to go on.

    Args:
        request: The request; it has content.
        exchange: Where it goes.
        lost: Called if the rest will not come: with status, reason and detail if we refuse it, with None if the client
            has left.
    """
    content = request.content
    if isinstance(content, ContentStream):
        content.deliverBody(_Reader(content, exchange, lost))
    else:
        _File(content, exchange).start()


class _Reader(Protocol):
    """Reads content that is still arriving."""

    def __init__(
        self, content: ContentStream, exchange: Exchange, lost: Callable[[tuple[Any, ...] | None], None]
    ) -> None:
        self._content = content
        self._exchange = exchange
        self._lost = lost

    def connectionMade(self) -> None:
        """The content can be paused."""
        self._exchange.registerProducer(self._content, True)

    def dataReceived(self, data: bytes) -> None:
        """Pass a piece on."""
        self._exchange.write(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """All of it has come, or the rest will not."""
        self._exchange.unregisterProducer()
        if reason.check(ResponseDone):
            self._exchange.finish()
        else:
            self._lost(self._content.refused)


@implementer(IPushProducer)
class _File:
    """Sends content that has come in full, and lies in memory or in a file."""

    def __init__(self, file: Any, exchange: Exchange) -> None:
        self._file = file
        self._exchange = exchange
        self._paused = self._sending = self._done = False

    def start(self) -> None:
        """Send as much as is taken."""
        self._file.seek(0)
        self._exchange.registerProducer(self, True)
        self._send()

    def _send(self) -> None:
        """Send until it is paused; the exchange may say so, and take it back, in between."""
        if self._sending:
            return
        self._sending = True
        while not (self._paused or self._done):
            data = self._file.read(_PIECE)
            if data:
                self._exchange.write(data)
            else:
                self._done = True
                self._exchange.unregisterProducer()
                self._exchange.finish()
        self._sending = False

    def pauseProducing(self) -> None:
        """The upstream takes no more for now."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It does again."""
        self._paused = False
        self._send()

    def stopProducing(self) -> None:
        """Nobody wants the rest."""
        self._done = True
