"""The service: listens, says where, and ends in order.

At a stop the listeners close first, so that another process can take over; then every connection is told: WebSockets
get Close 1001, other upgraded connections end behind what is buffered, running requests are answered. After
``stop_timeout`` seconds what is left is aborted.
"""

from __future__ import annotations

import gc
import signal
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw import __version__
from upgradegw.service.access_log import AccessLog
from upgradegw.service.certificate_watch import CertificateWatch
from upgradegw.service.listening import Listener
from upgradegw.service.notify import Notifier
from upgradegw.service.signals import CaughtSignals
from upgradegw.service.tls import ServerTls, over_tls
from upgradegw.web.site import UpgradeSite


class GatewayService(Service):
    """One site on some listeners."""

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        site: UpgradeSite,
        listeners: list[Listener],
        *,
        access_log: AccessLog,
        tls: ServerTls | None = None,
        stop_timeout: float = 10.0,
        notices: tuple[str, ...] = (),
        notifier: Notifier | None = None,
    ) -> None:
        """Serve a site.

        Args:
            reactor: The reactor.
            site: What is served.
            listeners: Where.
            access_log: Written while the server runs; opened anew at SIGHUP.
            tls: The certificates, or None for cleartext; their files are read again when they change, and at SIGHUP.
            stop_timeout: Seconds that connections have to end at a stop.
            notices: Lines for the log behind the one that says where the server listens.
            notifier: Tells the service manager how things are; None if nobody is to be told.

        Raises:
            UsageError: An endpoint's description is not understood.
        """
        self._reactor = reactor
        self._site = site
        self._secure = tls is not None
        self._factory: IProtocolFactory = site if tls is None else over_tls(tls, site, reactor)
        self._endpoints = [(listener, listener.endpoint(reactor)) for listener in listeners]
        self._access_log = access_log
        self._certificates = CertificateWatch(reactor, tls)
        self._stop_timeout = stop_timeout
        self._notices = notices
        self._notifier = notifier or Notifier(None)
        self._listening = False
        self._ports: list[tuple[Listener, IListeningPort]] = []
        self._urls: dict[int, str] = {}
        self._signals = CaughtSignals(reactor)

    def privilegedStartService(self) -> None:
        """Listen; twistd has become a daemon and not yet given up its privileges.

        Raises:
            Exception: What an endpoint that we do not bind ourselves raised.
        """
        super().privilegedStartService()
        self._listen()

    def _listen(self) -> None:
        self._listening = True
        # Losing a terminal is no reason to end, and logrotate's signal even less.
        self._signals.replace(signal.SIGHUP, self._reload)
        self._access_log.start()
        self._certificates.start()
        for number, (listener, endpoint) in enumerate(self._endpoints):
            failures: list[Any] = []
            listening = endpoint.listen(self._site if listener.cleartext else self._factory)
            listening.addCallback(self._listens, number, listener)
            if not listening.called:
                listening.addErrback(self._listens_not, listener)
                continue
            listening.addErrback(failures.append)
            if failures:
                failures[0].raiseException()

    def _listens(self, port: IListeningPort, number: int, listener: Listener) -> None:
        self._ports.append((listener, port))
        listener.address = port.getHost()
        self._urls[number] = listener.url(port, self._secure)

    def _listens_not(self, why: Failure, listener: Listener) -> None:
        """An endpoint that took its time has failed, too late to end the process for it."""
        self.log.failure("{option}: cannot listen", why, option=listener.option)

    def startService(self) -> None:
        """Say where the server listens."""
        super().startService()
        if not self._listening:  # whoever runs us knows no privileges, as the command ``twist``
            self._listen()
        # Only a running reactor turns signals into an orderly stop, and whoever reads "ready" may send one.
        self._reactor.callWhenRunning(self._reactor.callLater, 0, self._say_ready)

    def _reload(self) -> None:
        """Open the log anew, and read the certificates again."""
        self._notifier.reloading()
        self._access_log.reopen()
        self._certificates.reload()
        self._notifier.ready(self._status())

    def _status(self) -> str:
        return "serving " + " ".join(self._urls[number] for number in sorted(self._urls))

    def _say_ready(self) -> None:
        # What is there by now stays until the end: the garbage collector need not look through it again and again, nor
        # come for every seven hundred objects (Python's default) where a handshake makes a hundred that last.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        urls = " ".join(self._urls[number] for number in sorted(self._urls))
        self.log.info("upgradegw {version} ready: {urls}", version=__version__, urls=urls)
        for notice in self._notices:
            self.log.info("{notice}", notice=notice)
        self._notifier.ready(self._status())
        self._notifier.watch(self._reactor)

    def stopService(self) -> Deferred[Any]:
        """End in order; fires when nothing is left, at the latest a moment behind ``stop_timeout``."""
        super().stopService()
        self._notifier.stopping(f"ending {len(self._site.connections)} connections")
        for number in (signal.SIGINT, signal.SIGTERM):
            # The reactor has taken notice of the first; whoever sends a second one does not want to wait.
            self._signals.replace(number, self._abort)
        closed = DeferredList([listener.stop(port) for listener, port in self._ports], consumeErrors=True)
        self._ports.clear()
        return closed.addCallback(lambda _results: self._site.drain(self._stop_timeout)).addBoth(self._stopped)

    def _stopped(self, _result: object) -> None:
        self._notifier.unwatch()
        self._certificates.stop()
        self._access_log.stop()
        self._signals.restore()

    def _abort(self) -> None:
        self.log.info("{number} connections have not ended: aborting", number=len(self._site.connections))
        self._site.abort()
