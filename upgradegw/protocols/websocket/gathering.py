"""One write for all that is sent while one read is worked off.

A client that has several messages under way sends them in one segment, and gets the answers in one. Whoever asks the
protocol for its transport while something is gathered gets it with that written, so that the order stays.
"""

from __future__ import annotations

from typing import Any

from upgradegw.protocols.websocket.watch import Watched
from upgradegw.transports import at_once


class Gathering(Watched):
    """Has the transport, and what is on its way there."""

    @property
    def transport(self) -> Any:
        """The transport, with all that was sent up to now."""
        if self.upgradegw_watch.gathered:
            self._upgradegw_flush()
        return self.__dict__.get("transport")

    @transport.setter
    def transport(self, transport: Any) -> None:
        self.__dict__["transport"] = transport
        self.upgradegw_watch.write = at_once(transport)

    def _upgradegw_flush(self) -> None:
        """Write what is gathered."""
        gathered = self.upgradegw_watch.gathered
        if gathered:
            data = gathered[0] if len(gathered) == 1 else b"".join(gathered)
            gathered.clear()
            self.upgradegw_watch.write(data)
