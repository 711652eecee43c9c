"""Where connections come in: each place with its site, opened, closed and led elsewhere while the server runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakSet

from twisted.internet.defer import Deferred, DeferredList, succeed
from twisted.internet.interfaces import IListeningPort, IProtocolFactory, IStreamServerEndpoint
from twisted.logger import Logger

from upgradegw.http.connected import end_in_order
from upgradegw.service.gateway.door import Door, before_site
from upgradegw.service.gateway.secured import Secured
from upgradegw.service.listening import Listener
from upgradegw.service.tls import ServerTls
from upgradegw.web.site import UpgradeSite


def _alone(root: Any) -> Any:
    """Put nothing before a root."""
    return root


@dataclass(frozen=True, slots=True)
class Lead:
    """What connections come to.

    Attributes:
        listener: The place.
        site: What new connections come to.
        tls: The certificates with which all of them begin; None for cleartext.
        front: Puts before the root of the routes what this listener asks for.
        arguments: What the site was made with.
    """

    listener: Listener
    site: UpgradeSite
    tls: ServerTls | None = None
    front: Callable[[Any], Any] = _alone
    arguments: dict[str, Any] = field(default_factory=dict)


class Entrance:
    """One place to listen.

    Attributes:
        lead: What new connections come to.
    """

    log = Logger()

    def __init__(self, reactor: Any, lead: Lead) -> None:
        """Listen nowhere yet.

        Args:
            reactor: Listens.
            lead: The place, and what connections come to.

        Raises:
            UsageError: Twisted does not understand an endpoint's description.
        """
        self.lead = lead
        self._reactor = reactor
        self._sites = WeakSet([lead.site])
        self._port: IListeningPort | None = None
        self._endpoint: IStreamServerEndpoint = lead.listener.endpoint(reactor)
        self._door = Door(self._before_site(lead))

    @property
    def listener(self) -> Listener:
        """The place."""
        return self.lead.listener

    @property
    def url(self) -> str | None:
        """The address for a person; None while it does not listen."""
        return None if self._port is None else self.listener.url(self._port, self.lead.tls is not None)

    def _before_site(self, lead: Lead) -> IProtocolFactory:
        # An endpoint that only Twisted understands reads PROXY headers itself.
        haproxy = lead.listener.description.haproxy and lead.listener.bound is not None
        return before_site(lead.site, lead.tls, self._reactor, haproxy=haproxy)

    def open(self) -> None:
        """Listen.

        Raises:
            Exception: What an endpoint that we do not bind ourselves raised, if it did so at once.
        """
        self.listener.open(self._endpoint, self._door, self._listens)

    def _listens(self, port: IListeningPort) -> None:
        self._port = port

    def follow(self, lead: Lead, root: Any) -> None:
        """Lead new connections, and the next requests of those that are there, to what is in force now.

        Args:
            lead: What they come to; the place is the same.
            root: The root of the routes.
        """
        before, self.lead = self.lead, lead
        if lead is not before:
            lead.listener.bound, lead.listener.address = before.listener.bound, before.listener.address
            self._sites.add(lead.site)
            haproxy = before.listener.description.haproxy != lead.listener.description.haproxy
            if (before.site, before.tls) != (lead.site, lead.tls) or haproxy:
                self._door.lead_to(self._before_site(lead))
        resource = lead.front(root)
        for site in self._sites:
            site.resource = resource
            site.trusted = lead.site.trusted

    def close(self) -> Deferred[Any]:
        """Accept no more connections."""
        port, self._port = self._port, None
        return succeed(None) if port is None else self.listener.stop(port)

    def end(self, timeout: float) -> int:
        """End the connections that came in here, in order; abort after a time what is left of them.

        Args:
            timeout: Seconds that they have.

        Returns:
            How many there are.
        """
        ours = [each for each in self.lead.site.connections if getattr(each, "site", None) in self._sites]
        for each in ours:
            end_in_order(each)
        if ours:
            self._reactor.callLater(timeout, self._abort)
        return len(ours)

    def _abort(self) -> None:
        for each in list(self.lead.site.connections):
            if getattr(each, "site", None) in self._sites:
                each.abort()


class Entrances:
    """All places where a server listens; connections are counted, and in the end stopped, over all of them.

    Attributes:
        each: The places, in the order of the configuration.
        listening: Whether they are open.
    """

    def __init__(self, each: Iterable[Entrance], certificates: Iterable[Secured] = ()) -> None:
        """Listen nowhere yet.

        Args:
            each: The places, at least one; their sites share their connections.
            certificates: What is watched while the server runs.
        """
        self.each = list(each)
        self.certificates = list(certificates)
        self.listening = False
        self._first = self.each[0].lead.site

    def use(self, each: Iterable[Entrance], certificates: Iterable[Secured]) -> None:
        """Be these from now on; the caller opens and closes.

        Args:
            each: The places.
            certificates: What is used there; those that were watched and are not among them are watched no more.
        """
        before, self.each, self.certificates = self.certificates, list(each), list(certificates)
        if self.listening:
            for secured in before:
                if secured not in self.certificates:
                    secured.watch.stop()
            for secured in self.certificates:
                if secured not in before:
                    secured.watch.start()

    def __iter__(self) -> Iterator[Entrance]:
        """Go through the places."""
        return iter(self.each)

    def open(self) -> None:
        """Listen everywhere; see ``Entrance.open``."""
        self.listening = True
        for secured in self.certificates:
            secured.watch.start()
        for entrance in self.each:
            entrance.open()

    def reload_certificates(self) -> None:
        """Read the files now, whether they have changed or not."""
        for secured in self.certificates:
            secured.watch.reload()

    def stop_watching(self) -> None:
        """Look at no files any more."""
        for secured in self.certificates:
            secured.watch.stop()

    @property
    def urls(self) -> str:
        """Where the server listens, for a person."""
        return " ".join(entrance.url for entrance in self.each if entrance.url is not None)

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._first.connections)

    def close(self) -> Deferred[Any]:
        """Accept no more connections anywhere."""
        self.listening = False
        return DeferredList([entrance.close() for entrance in self.each], consumeErrors=True)

    def drain(self, timeout: float) -> Deferred[int]:
        """End all connections in order; see ``UpgradeSite.drain``."""
        return self._first.drain(timeout)

    def abort(self) -> None:
        """End all connections at once."""
        self._first.abort()
