"""The service: listens, says where, and ends in order.

At a stop the listeners close first, so that another process can take over; then every connection is told: WebSockets
get Close 1001, other upgraded connections end behind what is buffered, running requests are answered. After
``stop_timeout`` seconds what is left is aborted.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from upgradegw import __version__
from upgradegw.service.access_log import AccessLog
from upgradegw.service.gateway.entrances import Entrances
from upgradegw.service.notify import Notifier
from upgradegw.service.signals import CaughtSignals


class Beside(Protocol):
    """What listens beside the gateway, from its beginning to its end."""

    def open(self) -> None:
        """Listen."""

    def refresh(self) -> None:
        """The gateway may have another configuration."""

    def close(self) -> Deferred[Any]:
        """Listen no more; the gateway has ended."""


class GatewayService(Service):
    """What listens, with its logs, for as long as it runs."""

    log = Logger()

    def __init__(
        self,
        reactor: Any,
        entrances: Entrances,
        *,
        access_log: AccessLog,
        stop_timeout: Callable[[], float] = lambda: 10.0,
        notices: Sequence[str] = (),
        notifier: Notifier | None = None,
        reload: Callable[[], object] | None = None,
        beside: Beside | None = None,
    ) -> None:
        """Serve.

        Args:
            reactor: The reactor.
            entrances: Where, and what is served there.
            access_log: Written while the server runs; opened anew at SIGHUP.
            stop_timeout: Returns the seconds that connections have to end at a stop.
            notices: Lines for the log behind the one that says where the server listens.
            notifier: Tells the service manager how things are; None if nobody is to be told.
            reload: Reads the configuration again at SIGHUP, if there is one; must not raise.
            beside: The operator's pages, which are there until the last connection has ended; None without any.
        """
        self._reactor = reactor
        self._entrances = entrances
        self._access_log = access_log
        self._stop_timeout = stop_timeout
        self._notices = notices
        self._notifier = notifier or Notifier(None)
        self._reload_configuration = reload
        self._beside = beside
        self._listening = False
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
        self._reactor.addSystemEventTrigger("before", "shutdown", self._hurry_at_a_second_signal)
        self._access_log.start()
        if self._beside is not None:
            self._beside.open()
        self._entrances.open()

    def startService(self) -> None:
        """Say where the server listens."""
        super().startService()
        if not self._listening:  # whoever runs us knows no privileges, as the command ``twist``
            self._listen()
        # Only a running reactor turns signals into an orderly stop, and whoever reads "ready" may send one.
        self._reactor.callWhenRunning(self._reactor.callLater, 0, self._say_ready)

    def _reload(self) -> None:
        """Open the log anew, and read the certificates and the configuration again."""
        if not self.running:
            return  # the stop has begun, and what would be opened now nobody would close
        self._notifier.reloading()
        self._access_log.reopen()
        self._entrances.reload_certificates()
        if self._reload_configuration is not None:
            self._reload_configuration()
        if self._beside is not None:
            self._beside.refresh()
        self._notifier.ready(self._status())

    def _status(self) -> str:
        return "serving " + self._entrances.urls

    def _say_ready(self) -> None:
        # What is there by now stays until the end: the garbage collector need not look through it again and again, nor
        # come for every seven hundred objects (Python's default) where a handshake makes a hundred that last.
        gc.collect()
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        self.log.info("upgradegw {version} ready: {urls}", version=__version__, urls=self._entrances.urls)
        for notice in self._notices:
            self.log.info("{notice}", notice=notice)
        self._notifier.ready(self._status())
        self._notifier.watch(self._reactor)

    def stopService(self) -> Deferred[Any]:
        """End in order; fires when nothing is left, at the latest a moment behind ``stop_timeout``."""
        super().stopService()
        self._notifier.stopping(f"ending {self._entrances.connections} connections")
        closed = self._entrances.close()
        return closed.addCallback(lambda _results: self._entrances.drain(self._stop_timeout())).addBoth(self._stopped)

    def _stopped(self, _result: object) -> Deferred[Any] | None:
        closed = None if self._beside is None else self._beside.close()
        self._notifier.unwatch()
        self._entrances.stop_watching()
        self._access_log.stop()
        self._signals.restore()
        return closed

    def _hurry_at_a_second_signal(self) -> None:
        # The reactor has taken notice of the first, and would call a second one, however late, a mistake. It does not
        # take its handlers away when it has stopped, and nor do we.
        signals = CaughtSignals(self._reactor)
        for number in (signal.SIGINT, signal.SIGTERM):
            signals.replace(number, self._abort)

    def _abort(self) -> None:
        if not self._entrances.connections:
            return
        self.log.info("{number} connections have not ended: aborting", number=self._entrances.connections)
        self._entrances.abort()
