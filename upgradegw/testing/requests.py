"""A request as a test means it, before it is known which HTTP version will carry it."""

from __future__ import annotations

from dataclasses import dataclass

from upgradegw.negotiation.model import Fields
from upgradegw.testing.fields import FieldsArgument, with_defaults


@dataclass(frozen=True, slots=True)
class Request:
    """A request.

    Attributes:
        method: The method; on HTTP/2 a request for a switch has another one.
        target: The path and query.
        host: What the client calls the site.
        scheme: The scheme of the connection.
        fields: What the test wants sent.
        content: The content.
        token: The upgrade token that is asked for, or None.
        defaults: Fields that the client sends unless the test says otherwise.
        leading: Bytes that are sent at once behind the request.
        half_closeable: Whether the client's side stays open when the site has ended its own.
    """

    method: bytes
    target: bytes
    host: bytes
    scheme: bytes
    fields: FieldsArgument = ()
    content: bytes = b""
    token: bytes | None = None
    defaults: Fields = ()
    leading: bytes = b""
    half_closeable: bool = False

    def lines(self, *first: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """Return the field lines.

        Args:
            first: What this HTTP version needs beside the client's defaults.
        """
        return with_defaults((*first, *self.defaults), self.fields)
