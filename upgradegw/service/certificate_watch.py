"""Certificates exchanged while the server runs: files that change are read again, all together or not at all.

Every other second the files are looked at, not read. When they have changed and then stayed as they are for one more
look, they are read: certificate and key are written one after the other, and half of an exchange is no error. What
cannot be used is said once for each change, and what was in use stays in use.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.usage import UsageError

from upgradegw.service.certificate_words import expiry, names, now, time_warnings
from upgradegw.service.tls import ServerTls

#: Seconds between two looks at the files; a change is in use after twice that at the latest.
POLL_SECONDS = 2.0
#: Seconds between two warnings of the same expiry.
_WARN_SECONDS = 86400


class CertificateWatch:
    """Keeps the certificates of a running server up to date with their files."""

    log = Logger()

    def __init__(self, reactor: Any, tls: ServerTls | None, *, time_of_day: Callable[[], dt.datetime] = now) -> None:
        """Watch nothing yet.

        Args:
            reactor: Gives the time between two looks.
            tls: What gives connections their certificates; None for cleartext, of which nothing is watched.
            time_of_day: The clock for expiry.
        """
        self._tls = tls
        self._reactor = reactor
        self._now = time_of_day
        self._files = None if tls is None else tls.files
        # Always that of a moment before the files are read, so that no change goes unseen.
        self._used = () if tls is None else tls.signature
        self._seen = self._used
        self._warned = 0.0
        self._looking = LoopingCall(self._look)
        self._looking.clock = reactor

    def start(self) -> None:
        """Warn of what expires soon, and begin to look; a server without files has nothing to look at."""
        self._warn()
        if self._files is not None and not self._looking.running:
            self._looking.start(POLL_SECONDS, now=False)

    def stop(self) -> None:
        """Look no more."""
        if self._looking.running:
            self._looking.stop()

    def reload(self) -> None:
        """Read the files now, whether they have changed or not."""
        if self._files is not None:
            self._read(self._files.signature(), asked=True)

    def _look(self) -> None:
        assert self._files is not None  # noqa: S101 - nothing looks without files
        before, self._seen = self._seen, self._files.signature()
        if self._seen != self._used and self._seen == before:
            self._read(self._seen, asked=False)
        if self._reactor.seconds() - self._warned >= _WARN_SECONDS:
            self._warn()

    def _read(self, signature: tuple[object, ...], *, asked: bool) -> None:
        tls, files = self._tls, self._files
        assert tls is not None  # noqa: S101 - files are those of a ServerTls
        assert files is not None  # noqa: S101 - only called with files
        self._used = self._seen = signature
        try:
            material = files.read()
            unchanged = material.same_as(tls.material)
            if not unchanged:
                tls.use(material)
        except UsageError as error:
            self.log.error(  # noqa: TRY400 - the message says all, a traceback nothing
                "Certificates cannot be exchanged, the ones in use stay: {error}", error=error
            )
            return
        except Exception:  # noqa: BLE001 - whatever a file may hold, the next one must be looked at
            self.log.failure("Certificates cannot be exchanged, the ones in use stay")
            return
        if asked or not unchanged:
            when = self._now()
            self.log.info(
                "Certificates {what}: {certificates}",
                what="read again, nothing has changed" if unchanged else "exchanged",
                certificates=", ".join(
                    f"{names(pair)} {expiry(pair.certificate, when)}" for pair in tls.material.pairs
                ),
            )
        if not unchanged:
            self._warn()

    def _warn(self) -> None:
        """Say what expires soon or has expired, one line for each certificate."""
        self._warned = self._reactor.seconds()
        if self._tls is None:
            return
        for pair in self._tls.material.pairs:
            for warning in time_warnings(pair, self._now()):
                self.log.warn(  # noqa: G010 - Twisted's Logger has no other
                    "{file} ({names}): {warning}", file=pair.file, names=names(pair), warning=warning
                )
