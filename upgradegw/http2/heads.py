"""The heads of requests that a client sends again, but for their path: judged once, if they are few and small."""

from __future__ import annotations

from upgradegw.http2.decoding import Field
from upgradegw.http2.validation import Http2Head, Malformed, is_path, validate_request

#: How many heads are kept for a connection, and the bytes that one may have, each field counted with 32 more. A browser
#: sends one and a half thousand, and those of a page differ in few ways; a connection costs more than twice as much.
_MOST, _LARGEST = 4, 2048

#: What stands in a head that is kept where the path was.
_ANYWHERE: Field = (b":path", b"")


class Heads:
    """What one client asks for."""

    __slots__ = ("_extended_connect", "_known")

    def __init__(self, *, extended_connect: bool) -> None:
        """Know none.

        Args:
            extended_connect: Whether SETTINGS_ENABLE_CONNECT_PROTOCOL was sent (RFC 8441 section 3).
        """
        self._extended_connect = extended_connect
        self._known: dict[tuple[Field, ...], Http2Head] = {}

    def judge(self, block: list[Field]) -> Http2Head | Malformed:
        """Judge a request's header block; see ``validate_request``. What the head holds may be other requests', too."""
        others = block.copy()
        path = None
        for at, (name, value) in enumerate(block):
            if name == b":path":
                path, others[at] = value, _ANYWHERE
                break
        key = tuple(others)
        known = self._known.get(key)
        if known is not None and path is not None:
            if known.target == path:
                return known
            if is_path(path):
                return known.with_path(path)
        head = validate_request(block, extended_connect=self._extended_connect)
        if isinstance(head, Http2Head) and head.size <= _LARGEST and head.protocol is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = head
        return head
