"""What is watched on an open connection: a mixin put over the class of each protocol that a factory builds.

Autobahn parses frames, validates and calls the application. This mixin hooks in where Autobahn asks itself: it counts
frames of a message and control frames, gives a message a deadline, and answers an exception of the application with a
Close 1011 instead of leaving the parser halfway. Whatever has failed once is not parsed any further.
"""

from __future__ import annotations

from functools import cache
from inspect import iscoroutine
from typing import Any

from autobahn.exception import Disconnected
from autobahn.twisted.websocket import WebSocketServerProtocol
from autobahn.websocket.protocol import WebSocketProtocol
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.websocket.beginning import Begun, begin
from upgradegw.protocols.websocket.closing import Closing
from upgradegw.protocols.websocket.observing import receives_as_autobahn, sends_as_autobahn, untouched
from upgradegw.protocols.websocket.reading import Reading
from upgradegw.protocols.websocket.receiving import ShortReceiving
from upgradegw.protocols.websocket.requests import Described
from upgradegw.protocols.websocket.sending import Sending, ShortSending, send
from upgradegw.protocols.websocket.watch import CLOSED, OPEN

_log = Logger(namespace="upgradegw.websocket")

#: What Autobahn's beginning of a connection consists of.
_BEGINNING = ("connectionMade", "_connectionMade", "setTrackTimings")


class Guarded(Sending, Reading, Closing, Described, Begun):
    """The mixin; ``guarded(cls)`` puts it over a protocol class."""

    #: Whether the application wants to be asked: Autobahn's own ``onConnect`` lets everybody in.
    upgradegw_asks: bool

    #: All settings are on the protocol before Autobahn would copy them one by one, and print them for a debug log.
    CONFIG_ATTRS = ()

    def connectionMade(self) -> None:
        """Begin."""
        self._upgradegw_make()

    # --- The application.

    def onOpen(self) -> None:
        """Tell the application, and watch a coroutine or Deferred that it returns."""
        result = super().onOpen()
        if result is not None:
            self._upgradegw_watch_result(result)

    def _onMessage(self, payload: bytes, isBinary: bool) -> None:
        result = self.onMessage(payload, isBinary)
        if result is not None:
            self._upgradegw_watch_result(result)

    def _onPing(self, payload: bytes) -> None:
        self._upgradegw_watch_result(self.onPing(payload))

    def _onPong(self, payload: bytes) -> None:
        self._upgradegw_watch_result(self.onPong(payload))

    def _onClose(self, wasClean: bool, code: int | None, reason: str | None) -> None:
        try:
            result = self.onClose(wasClean, code, reason)
            if result is not None:
                self._upgradegw_watch_result(result)
        except Exception:  # noqa: BLE001 - the application's; Autobahn has still to count the connection out
            _log.failure("the application failed in onClose")

    def _upgradegw_watch_result(self, result: Any) -> None:
        if iscoroutine(result):
            result = Deferred.fromCoroutine(result)
        if isinstance(result, Deferred):
            result.addErrback(self._upgradegw_failed)

    def _upgradegw_failed(self, failure: Failure) -> None:
        """The application raised: log it, and close (RFC 6455 section 7.4.1: 1011)."""
        is_open = self.state == OPEN
        if is_open or not isinstance(failure.value, Disconnected):
            # To answer a message that arrives behind one's own Close is no fault worth a traceback.
            _log.failure("the application failed on a WebSocket connection", failure=failure)
        if is_open:
            self._upgradegw_refuse(1011, "internal error", Reason.APPLICATION_ERROR)
        else:
            self.failedByMe = True


def _receive(self: Any, data: bytes) -> None:
    """Autobahn's ``dataReceived`` without the text that it makes for a debug log at each read."""
    self._dataReceived(data)


def _open(self: Any) -> None:
    """Autobahn's ``_onOpen``, which asks for the transport's details only to complete those of TLS.

    On an HTTP/2 stream they are complete, for the connection has been there before.
    """
    if isinstance(self.transport, TLSMemoryBIOProtocol):
        WebSocketServerProtocol._onOpen(self)  # noqa: SLF001
    else:
        self.onOpen()


def _lose(self: Any, reason: Failure) -> None:
    """Autobahn's ``connectionLost``, likewise; it logs what only TLS can fail with."""
    if not isinstance(reason.value, ConnectionDone | ConnectionLost | ConnectionAborted):
        WebSocketServerProtocol.connectionLost(self, reason)
        return
    if self._upgradegw_closed is None:
        self.state = CLOSED  # nobody has asked for ``is_closed``, so it need not be made only to fire
    WebSocketProtocol._connectionLost(self, reason)  # noqa: SLF001
    self.factory.countConnections -= 1


@cache
def guarded(kind: Any) -> Any:
    """Return a subclass of a protocol class that is watched.

    Its instances are instances of the application's class, and ``protocol.__class__`` can be set to it.
    """
    receives_plainly, sends_plainly = receives_as_autobahn(kind), sends_as_autobahn(kind)
    # What the application overrides is called as ever.
    names = {
        "_upgradegw_send": send if untouched(kind, "sendData") else kind.sendData,
        "_upgradegw_make": begin if untouched(kind, *_BEGINNING) else kind.connectionMade,
        "_upgradegw_lose": _lose if untouched(kind, "connectionLost", "_connectionLost") else kind.connectionLost,
        "upgradegw_asks": not untouched(kind, "onConnect"),
        "upgradegw_receives_plainly": receives_plainly,
        "upgradegw_sends_plainly": sends_plainly,
        "_onOpen": _open if untouched(kind, "_onOpen") else kind._onOpen,  # noqa: SLF001
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
    }
    if not receives_plainly:
        names["_upgradegw_receive"] = _receive if untouched(kind, "dataReceived") else kind.dataReceived
    ways = ((ShortReceiving,) if receives_plainly else ()) + ((ShortSending,) if sends_plainly else ())
    return type(kind)(kind.__name__, (*ways, Guarded, kind), names)
