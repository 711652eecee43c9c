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
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.negotiation.reasons import Reason
from upgradegw.protocols.websocket.closing import Closing
from upgradegw.protocols.websocket.reading import Reading
from upgradegw.protocols.websocket.watch import OPEN
from upgradegw.protocols.websocket.writing import HIGH_WATER

_log = Logger(namespace="upgradegw.websocket")


class Guarded(Reading, Closing):
    """The mixin; ``guarded(cls)`` puts it over a protocol class."""

    #: All settings are on the protocol before Autobahn would copy them one by one, and print them for a debug log.
    CONFIG_ATTRS = ()

    # --- The application.

    def onOpen(self) -> None:
        """Tell the application, and watch a coroutine or Deferred that it returns."""
        self._upgradegw_watch_result(super().onOpen())

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
            self._upgradegw_watch_result(self.onClose(wasClean, code, reason))
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

    # --- Writing.

    def sendMessage(self, payload: bytes, *args: Any, **kwargs: Any) -> None:
        """Send a message. The limit on messages is about those received; Autobahn would apply it here, too."""
        limit = self.maxMessagePayloadSize
        if not 0 < limit < len(payload):
            super().sendMessage(payload, *args, **kwargs)
            return
        self.maxMessagePayloadSize = 0
        try:
            super().sendMessage(payload, *args, **kwargs)
        finally:
            self.maxMessagePayloadSize = limit

    def sendData(self, data: bytes, sync: bool = False, chopsize: int | None = None) -> None:
        """Write, and watch whether the client reads."""
        writes = self.upgradegw_watch.writes
        if writes is not None:
            writes.burst += len(data)
            if writes.burst > HIGH_WATER:
                writes.swell(len(data))
        self._upgradegw_send(data, sync, chopsize)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Register a producer of the application's."""
        writes = self.upgradegw_watch.writes
        if writes is None:
            raise RuntimeError("a producer can be registered when the connection is open, not in onConnect")
        writes.register(producer, streaming)

    def unregisterProducer(self) -> None:
        """Unregister the application's producer; before the opening the transport is not ours to touch."""
        writes = self.upgradegw_watch.writes
        if writes is not None:
            writes.unregister()


def _receive(self: Any, data: bytes) -> None:
    """Autobahn's ``dataReceived`` without the text that it makes for a debug log at each read."""
    self._dataReceived(data)


def _send(self: Any, data: bytes, sync: bool, chopsize: int | None) -> None:
    """Autobahn's ``sendData`` without the text that it makes for a debug log at each write."""
    if sync or chopsize or self.send_queue or self.logOctets:
        WebSocketServerProtocol.sendData(self, data, sync, chopsize)
        return
    if self.state == OPEN:
        # Before the write, which may find the buffer full and look at how much has been sent.
        self.trafficStats.outgoingOctetsWireLevel += len(data)
    self.transport.write(data)


@cache
def guarded(kind: Any) -> Any:
    """Return a subclass of a protocol class that is watched.

    Its instances are instances of the application's class, and ``protocol.__class__`` can be set to it.
    """
    # What the application overrides is called as ever.
    receive = _receive if kind.dataReceived is WebSocketServerProtocol.dataReceived else kind.dataReceived
    send = _send if kind.sendData is WebSocketServerProtocol.sendData else kind.sendData
    names = {
        "_upgradegw_receive": receive,
        "_upgradegw_send": send,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
    }
    return type(kind)(kind.__name__, (Guarded, kind), names)
