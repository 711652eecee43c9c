"""A common frame of which only the beginning has come.

Its content is unmasked and, if it is text, validated as it comes, so that a wrong byte ends the connection when it
arrives and not when the frame is complete (RFC 6455 section 8.1 allows both; Autobahn does the former).
"""

from __future__ import annotations

from codecs import utf_8_decode

from upgradegw.protocols.websocket.masking import mask_content


class PartialFrame:
    """The beginning of a frame; its header is complete."""

    __slots__ = ("_head", "_pieces", "_text", "_undecoded", "missing", "received")

    def __init__(self, head: bytes, size: int, *, text: bool) -> None:
        """Begin a frame.

        Args:
            head: Its header, which ends with the mask.
            size: Bytes of its content.
            text: Whether the content must be UTF-8.
        """
        self._head = head
        self._pieces: list[bytes] = []
        self._text = text
        self._undecoded = b""
        #: Bytes of its content that have come, and that have not.
        self.received = 0
        self.missing = size

    @property
    def first(self) -> int:
        """Its first octet."""
        return self._head[0]

    def add(self, masked: bytes) -> bool:
        """Take the next bytes of the content, no more than are missing; tell whether they can be part of it."""
        piece = mask_content(masked, self._mask())
        self._pieces.append(piece)
        self.received += len(piece)
        self.missing -= len(piece)
        return not self._text or self._is_text(piece)

    def _mask(self) -> bytes:
        """Return the mask from where it goes on."""
        mask, at = self._head[-4:], self.received % 4
        return mask[at:] + mask[:at]

    def _is_text(self, piece: bytes) -> bool:
        """Tell whether the content up to here is UTF-8, or the beginning of some."""
        undecoded = self._undecoded
        if undecoded or not piece.isascii():
            undecoded += piece
            try:
                _, decoded = utf_8_decode(undecoded, "strict", False)
            except UnicodeDecodeError:
                return False
            self._undecoded = rest = undecoded[decoded:]
            if rest[:1] == b"\xed" and rest[1:] >= b"\xa0":
                return False  # half a surrogate, which Python would wait for the end of
        return bool(self.missing) or not self._undecoded

    def content(self) -> bytes:
        """Return what has come of the content."""
        return b"".join(self._pieces)

    def as_received(self) -> bytes:
        """Return all that has come, header and masked content, for whoever begins anew."""
        return self._head + mask_content(self.content(), self._head[-4:])
