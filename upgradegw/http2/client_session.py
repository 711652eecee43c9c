"""The h2 connection behind a connection that we have opened: the side that asks."""

from __future__ import annotations

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.settings import SettingCodes, Settings

from upgradegw.http2.limits import Http2Limits
from upgradegw.http2.session import Session
from upgradegw.negotiation.model import Fields

_CONFIGURATION = H2Configuration(client_side=True)

#: Fields that stay out of the compression table: requests of many clients share it, and whoever can send some and
#: see how many bytes go on would find out those of others by trying (RFC 7541 section 7.1).
_SECRET = frozenset((b"authorization", b"cookie", b"proxy-authorization"))


class ClientSession(Session):
    """The side that asks."""

    def __init__(self, limits: Http2Limits, max_head: int) -> None:
        """Prepare the preface and our SETTINGS: no pushes, which nobody has asked for (RFC 9113 section 8.4).

        Args:
            limits: The bounds.
            max_head: Bytes of a response's header section, each field counted with 32 more.
        """
        h2 = H2Connection(_CONFIGURATION)
        settings = {
            SettingCodes.ENABLE_PUSH: 0,
            SettingCodes.INITIAL_WINDOW_SIZE: limits.stream_window,
            SettingCodes.MAX_HEADER_LIST_SIZE: max_head,
        }
        h2.local_settings = Settings(client=True, initial_values=settings)
        h2.initiate_connection()
        super().__init__(h2, limits, max_head, _SECRET)

    @property
    def max_streams(self) -> int:
        """How many streams the server lets us have at a time (RFC 9113 section 5.1.2)."""
        return self._h2.remote_settings.max_concurrent_streams

    @property
    def extended_connect(self) -> bool:
        """Whether the server lets us ask for a switch (RFC 8441 section 3)."""
        return bool(self._h2.remote_settings.enable_connect_protocol)

    def ask(self, stream_id: int, fields: Fields, *, ends: bool) -> None:
        """Open a stream with a request's head.

        Args:
            stream_id: The next odd number.
            fields: Pseudo-header fields first, names in lower case.
            ends: Whether there is no content.
        """
        self.add(stream_id)
        self.send_headers(stream_id, fields, ends=ends)
