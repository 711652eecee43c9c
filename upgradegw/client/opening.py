"""One connection from the request to the running protocol.

The connection's events go through here in all its time, as they go through the protocol with which every endpoint of
Twisted watches for a connection; so this works above TLS, a proxy or whatever an endpoint has put in between. The
transport is the connection's own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IFileDescriptorReceiver,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IProtocolFactory,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import directlyProvides, implementer

from upgradegw.client.errors import UpgradeRefused
from upgradegw.client.reading import ResponseReader
from upgradegw.client.response import SWITCHING_PROTOCOLS, BadUpgradeResponse, UpgradeResponse, wrong_switch
from upgradegw.interfaces import EndSummary
from upgradegw.negotiation.model import UpgradeProtocol
from upgradegw.switched import HalfCloseableSwitched, Switched
from upgradegw.transports import abort_transport


class _Uncounted:
    """Nobody keeps books of a client's connection."""

    def going_away(self, code: int = 1001) -> None:
        """Nobody stops it but its owner."""

    def summary(self) -> EndSummary:
        """There is nothing to sum up."""
        return EndSummary(0, 0)


class Opening(Protocol):
    """Asks, reads the answer, and from then on passes everything on to the protocol."""

    transport: Any

    def __init__(self, protocol: IProtocol, reader: ResponseReader, token: UpgradeProtocol) -> None:
        """Wait for a connection, and then to be told to ask: of several that an endpoint tries only one may.

        Args:
            protocol: The protocol that runs behind the switch.
            reader: Reads the answer.
            token: What is offered.
        """
        self._protocol = protocol
        self._reader = reader
        self._token = token
        self._switched: Any = None
        self._waiting: Deferred[IProtocol] | None = None
        self._lost: Failure | None = None
        self._handshake = False
        directlyProvides(self, *_half_of(protocol))

    @property
    def refusal(self) -> UpgradeRefused | None:
        """The refusal as far as it has come, or None if the answer is not one, or not known yet."""
        response = self._reader.response
        if response is None or response.status == SWITCHING_PROTOCOLS:
            return None
        return UpgradeRefused(response, self._reader.body, self._token)

    def ask(self, request: bytes) -> Deferred[IProtocol]:
        """Send the request; the Deferred gets the protocol when it runs.

        Args:
            request: Head and content.
        """
        waiting: Deferred[IProtocol] = Deferred(lambda _: self._leave())
        if self._lost is not None:
            waiting.errback(self._lost)
            return waiting
        self._waiting = waiting
        self.transport.write(request)
        return waiting

    def _leave(self) -> None:
        self._waiting = None
        abort_transport(self.transport)

    def _fail(self, reason: Failure | Exception, *, gone: bool = False) -> None:
        """Say why there is no protocol, and leave; what else comes is nobody's."""
        waiting, self._waiting = self._waiting, None
        self._lost = reason if isinstance(reason, Failure) else Failure(reason)
        if not gone:
            self._leave()
        if waiting is not None:
            waiting.errback(self._lost)

    # --- Until the switch.

    def dataReceived(self, data: bytes) -> None:
        """Read the answer; from the switch on, pass bytes on."""
        if self._switched is not None:
            self._switched.dataReceived(data)
            return
        if self._lost is not None:
            return
        if self._waiting is None:
            self._fail(BadUpgradeResponse("the server spoke before it was asked"))
            return
        try:
            self._reader.feed(data)
        except BadUpgradeResponse as error:
            self._fail(error)
            return
        if self._reader.complete and self._reader.response is not None:
            self._answered(self._reader.response)

    def _answered(self, response: UpgradeResponse) -> None:
        refusal = self.refusal
        if refusal is not None:
            self._fail(refusal)
            return
        wrong = wrong_switch(response, self._token)
        if wrong is not None:
            self._fail(BadUpgradeResponse(f"the server announced {wrong}"))
            return
        self._switch(response)

    def _switch(self, response: UpgradeResponse) -> None:
        """Start the protocol: the notice, the connection, whoever waits for it, and then what came behind the 101."""
        protocol = self._protocol
        half_closeable = IHalfCloseableProtocol.providedBy(protocol)
        kind = HalfCloseableSwitched if half_closeable else Switched
        self._switched = switched = kind(protocol, self.transport, _Uncounted(), lambda _: None)
        switched.hold(self._reader.leading_data, None)
        try:
            upgraded = getattr(protocol, "upgraded", None)
            if upgraded is not None:
                upgraded(response)
            protocol.makeConnection(self.transport)
            if self._handshake:
                IHandshakeListener(protocol).handshakeCompleted()
        except Exception:  # noqa: BLE001 - the application's; it is told to whoever waits for the protocol
            self._fail(Failure())
            return
        waiting, self._waiting = self._waiting, None
        if waiting is not None:  # the protocol may have cancelled it
            waiting.callback(protocol)
        switched.release()

    def _ended(self, reason: Failure, *, gone: bool) -> None:
        """The server has ended its side, or the connection is gone: some responses end so."""
        if self._lost is not None:
            return
        refusal = self.refusal
        if refusal is None and reason.check(ConnectionDone):
            # Told apart from a connection that had its time.
            reason = Failure(ConnectionDone("the server closed the connection without an answer"))
        self._fail(refusal or reason, gone=gone)

    # --- All the time.

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The connection is gone."""
        if self._switched is not None:
            self._switched.connectionLost(reason)
        else:
            self._ended(reason, gone=True)

    def readConnectionLost(self) -> None:
        """The server has ended its side."""
        if self._switched is not None:
            self._switched.readConnectionLost()
        else:
            self._ended(Failure(ConnectionDone()), gone=False)

    def writeConnectionLost(self) -> None:
        """Our side has ended."""
        if self._switched is not None:
            self._switched.writeConnectionLost()

    def fileDescriptorReceived(self, descriptor: int) -> None:
        """A file came over a UNIX socket; before the switch it is nobody's."""
        if self._switched is None:
            os.close(descriptor)
        else:
            self._protocol.fileDescriptorReceived(descriptor)  # type: ignore[attr-defined]

    def handshakeCompleted(self) -> None:
        """TLS is ready; a protocol that wants to know is told behind its ``makeConnection``."""
        self._handshake = True

    def logPrefix(self) -> str:
        """Stand in the log as the protocol."""
        return type(self._protocol).__name__


def _half_of(protocol: IProtocol) -> list[Any]:
    """Return what Twisted asks a protocol whether it provides, as far as this one does."""
    asked = IHalfCloseableProtocol, IFileDescriptorReceiver, IHandshakeListener
    return [interface for interface in asked if interface.providedBy(protocol)]


@implementer(IProtocolFactory)
class Openings:
    """What the inner endpoint connects: builds the caller's protocol and puts an ``Opening`` before it."""

    noisy = False

    def __init__(self, factory: Any, opening: Callable[[IProtocol], Opening]) -> None:
        """Wrap a factory.

        Args:
            factory: The caller's.
            opening: Makes what asks on behalf of a protocol.
        """
        self._factory = factory
        self._opening = opening

    def doStart(self) -> None:
        """Start the caller's factory."""
        self._factory.doStart()

    def doStop(self) -> None:
        """Stop it."""
        self._factory.doStop()

    def buildProtocol(self, addr: Any) -> Opening | None:
        """Build the caller's protocol; None, as there, lets the endpoint fail with ``NoProtocol``."""
        protocol = self._factory.buildProtocol(addr)
        return None if protocol is None else self._opening(protocol)
