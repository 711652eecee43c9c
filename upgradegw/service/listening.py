"""Listeners of the running server: bound sockets adopted by the reactor, other endpoints asked to listen."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred, execute, maybeDeferred
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.usage import UsageError
from zope.interface import implementer

from upgradegw.service.binding import Bound, bind
from upgradegw.service.descriptions import Description, Inherited, Other, Tcp, Unix, parse
from upgradegw.service.inheriting import InheritedUnixPort, inherit

_log = Logger()


@dataclass(slots=True)
class Listener:
    """One ``--listen``, ``--port`` or ``--redirect``.

    Attributes:
        option: As it was typed, for messages.
        description: What it means.
        bound: Its socket, if we bind it.
        cleartext: Whether there is no TLS on it, although there is a certificate.
        address: Where it listens, once it does.
    """

    option: str
    description: Description
    bound: Bound | None = None
    cleartext: bool = False
    address: Any = None

    @property
    def port(self) -> int | None:
        """The TCP port, once it is known; None where there is none."""
        port = self.bound.port if self.bound is not None else getattr(self.address, "port", None)
        return port if isinstance(port, int) else None

    def endpoint(self, reactor: Any) -> IStreamServerEndpoint:
        """Return the endpoint that listens when the service starts.

        A PROXY header is not its affair, but that of the factory.

        Raises:
            UsageError: Twisted does not understand the description.
        """
        if self.bound is not None:
            return _AdoptingEndpoint(reactor, self.bound)
        if not isinstance(self.description.place, Other):
            raise UsageError(f"{self.option}: not bound")
        try:
            return cast("IStreamServerEndpoint", serverFromString(reactor, self.description.place.text))
        except Exception as error:  # noqa: BLE001 - endpoint plugins may raise anything
            raise UsageError(f"{self.option}: {' '.join(str(error).split()) or type(error).__name__}") from None

    @property
    def place(self) -> tuple[object, ...] | None:
        """What no other listener can have, and tells it again when the configuration is read anew; None for port 0."""
        place = self.description.place
        if isinstance(place, Tcp):
            return None if place.port == 0 else ("tcp", place.port, place.interface, place.ipv6)
        return ("unix", os.path.abspath(place.path)) if isinstance(place, Unix) else (place,)  # noqa: PTH100 - no links

    def open(
        self, endpoint: IStreamServerEndpoint, factory: IProtocolFactory, opened: Callable[[IListeningPort], None]
    ) -> None:
        """Listen.

        Args:
            endpoint: What ``endpoint`` returned.
            factory: Makes what connections speak with.
            opened: Called with the port, as soon as there is one.

        Raises:
            Exception: What an endpoint that we do not bind ourselves raised, if it did so at once. One that fails later
                is logged, for that is too late to end the process.
        """

        def listens(port: IListeningPort) -> None:
            self.address = port.getHost()
            opened(port)

        failures: list[Failure] = []
        listening = endpoint.listen(factory)
        listening.addCallback(listens)
        if not listening.called:
            listening.addErrback(lambda why: _log.failure("{option}: cannot listen", why, option=self.option))
            return
        listening.addErrback(failures.append)
        if failures:
            failures[0].raiseException()

    def url(self, port: IListeningPort, secure: bool) -> str:
        """Return the address for a person, once the port listens."""
        secure = secure and not self.cleartext
        if self.bound is not None:
            return self.bound.url(secure) + (" (all addresses)" if self.bound.everywhere else "")
        host: Any = port.getHost()
        if isinstance(host, UNIXAddress):
            return f"unix:{os.fsdecode(host.name or b'')}"
        if isinstance(getattr(host, "port", None), int):
            name = f"[{host.host}]" if ":" in host.host else host.host
            secure = secure or self.description.has_tls
            return f"http{'s' * secure}://{name}:{host.port}/"
        return str(host)

    def stop(self, port: IListeningPort) -> Deferred[Any]:
        """Close a port, and give the lock back, so that another server can take the place.

        The file of a UNIX socket that this user may no longer remove stays behind.
        """
        stopped: Deferred[Any] = maybeDeferred(port.stopListening)
        stopped.addErrback(_trap_os_error)
        if self.bound is not None:
            stopped.addBoth(self._unlock, self.bound)
        return stopped

    @staticmethod
    def _unlock(result: Any, bound: Bound) -> Any:
        bound.unlock()
        return result


def _trap_os_error(failure: Failure) -> None:
    failure.trap(OSError)


def read_listeners(wishes: Iterable[tuple[str, str]]) -> list[Listener]:
    """Understand the options that say where to listen.

    Args:
        wishes: The option as it was typed, and the endpoint description that it means.

    Raises:
        UsageError: One is malformed.
    """
    listeners = []
    for option, text in wishes:
        try:
            listeners.append(Listener(option, parse(text)))
        except UsageError as error:
            raise UsageError(f"{option}: {error}") from None
    return listeners


def check_listeners(listeners: list[Listener], *, secure: bool) -> None:
    """Look for listeners that cannot be together, or cannot be with certificates.

    Args:
        listeners: All of them.
        secure: Whether TLS is put on all that are not ``cleartext``.

    Raises:
        UsageError: There are some.
    """
    places: dict[Any, Listener] = {}
    for listener in listeners:
        place = listener.place
        if secure and not listener.cleartext and listener.description.has_tls:
            raise UsageError(f"{listener.option}: this has TLS of its own; with --tls-cert, write tcp: instead")
        if place in places:
            raise UsageError(f"{listener.option}: {places[place].option} is the same place")
        if place is not None:
            places[place] = listener


def bind_all(listeners: list[Listener]) -> None:
    """Bind the sockets of all listeners that we know how to bind; none stays bound if one fails.

    Raises:
        UsageError: One cannot be bound.
    """
    for listener in listeners:
        place = listener.description.place
        if isinstance(place, Other):
            continue
        try:
            listener.bound = inherit(place) if isinstance(place, Inherited) else bind(place)
            _check_used_once(listener, listeners)
        except UsageError as error:
            release_all(listeners)
            raise UsageError(f"{listener.option}: {error}") from None


def _check_used_once(listener: Listener, listeners: list[Listener]) -> None:
    """Refuse to use one of systemd's sockets for two purposes."""
    for other in listeners:
        if other is listener or other.bound is None or listener.bound is None:
            continue
        if other.bound.socket.fileno() == listener.bound.socket.fileno():
            listener.bound.socket.detach()
            listener.bound = None
            raise UsageError(f"this socket is used by {other.option}")


def release_all(listeners: list[Listener]) -> None:
    """Close all sockets that have been bound."""
    for listener in listeners:
        if listener.bound is not None:
            listener.bound.close()
            listener.bound = None


@implementer(IStreamServerEndpoint)
class _AdoptingEndpoint:
    """Listens by handing a socket that is already bound to the reactor."""

    def __init__(self, reactor: Any, bound: Bound) -> None:
        self._reactor = reactor
        self._bound = bound

    def listen(self, protocolFactory: IProtocolFactory) -> Deferred[IListeningPort]:
        return execute(self._adopt, protocolFactory)

    def _adopt(self, factory: IProtocolFactory) -> IListeningPort:
        bound = self._bound
        family = bound.socket.family
        if isinstance(bound.place, Inherited) and family == socket.AF_UNIX:
            inherited = InheritedUnixPort(self._reactor, bound.socket, factory)
            inherited.startListening()
            return inherited
        port: IListeningPort = self._reactor.adoptStreamPort(bound.socket.fileno(), family, factory)
        if isinstance(bound.place, Unix):
            # The reactor sets the mode and the backlog of every UNIX socket to Twisted's defaults.
            Path(bound.place.path).chmod(bound.place.mode)
            bound.socket.listen(bound.place.backlog)
            bound.renew_lock()
        # The reactor listens on a copy; while ours is open, clients could still connect behind a stop.
        bound.socket.close()
        return port
