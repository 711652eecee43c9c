"""Descriptors that are not uvloop's to read from: whoever reads is called in the shortest way.

Twisted makes a context for each call, for the sake of log lines that may be written in it. Here such a line asks whose
turn it is, as it does where connections read.
"""

from __future__ import annotations

import contextlib
from typing import Any

from twisted.logger import Logger

from upgradegw.reactor.streams import Streams
from upgradegw.reactor.timers import TimedReactor


class WatchingReactor(TimedReactor):
    """Calls readers.

    Attributes:
        streams: What the connections share; it is told who reads.
    """

    log = Logger()
    streams: Streams

    def addReader(self, reader: Any) -> None:
        """See ``IReactorFDSet.addReader``."""
        if reader in self._readers:
            return
        super().addReader(reader)
        with contextlib.suppress(OSError):  # Twisted polls what the system does not watch
            self.loop.add_reader(reader.fileno(), self._read, reader)

    def _read(self, reader: Any) -> None:
        self.streams.reading = reader
        try:
            self._readOrWrite(reader, True)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - as Twisted has it, also what would end the process
            self.log.failure("doRead failed")
        finally:
            self.streams.reading = None
