"""Inflating a whole message in one frame, on the short way (RFC 7692 section 7.2.2).

What cannot be inflated, is too large or is no text ends the connection, and Autobahn says why: its state machine gets
the frame with a stand-in for the inflater, which has been asked already and cannot be asked again.
"""

from __future__ import annotations

from autobahn.exception import PayloadCorruptError, PayloadExceededError
from autobahn.websocket.protocol import FrameHeader
from autobahn.websocket.xormasker import XorMaskerNull

from upgradegw.protocols.websocket.compression import Deflate
from upgradegw.protocols.websocket.framing import TEXT
from upgradegw.protocols.websocket.watch import Watched


class Inflating(Watched):
    """Inflates with what was negotiated."""

    def _upgradegw_is_text(self, content: bytes) -> bool:
        """Tell whether a message may be text: it is UTF-8, or nobody wants to know."""
        try:
            content.decode()
        except UnicodeDecodeError:
            return not self.utf8validateIncoming
        return True

    def _upgradegw_inflate(self, content: bytes, head: bytes) -> bytes | None:
        """Return a message inflated; None if that failed, and the connection with it.

        Args:
            content: The frame's content, unmasked.
            head: The frame's head, with its mask.
        """
        compressor = self._perMessageCompress
        limit = self.maxMessagePayloadSize
        inflated: bytes | None = None
        error: Exception | None = None
        compressor.start_decompress_message()
        try:
            inflated = compressor.decompress_message_data(content, max_output_len=limit or None)
            compressor.end_decompress_message()
        except (PayloadCorruptError, PayloadExceededError) as why:
            error = why
        if (
            error is None
            and inflated is not None
            and not 0 < limit < len(inflated)
            and (head[0] & 0x0F != TEXT or inflated.isascii() or self._upgradegw_is_text(inflated))
        ):
            return inflated
        self._perMessageCompress = _Asked(inflated, error)
        try:
            self._upgradegw_repeat(content, head)
        finally:
            self._perMessageCompress = compressor
        return None

    def _upgradegw_repeat(self, content: bytes, head: bytes) -> None:
        """Let Autobahn's state machine have a frame whose head it need not read."""
        self.current_frame = FrameHeader(head[0] & 0x0F, True, head[0] >> 4 & 7, len(content), head[-4:])
        self.current_frame_masker = XorMaskerNull()
        self.current_frame_masker.process(content)
        self.onFrameBegin()
        if not self.failedByMe and self.onFrameData(content) is not False:
            self.onFrameEnd()


class _Asked:
    """Stands in for an inflater that has been asked."""

    EXTENSION_NAME = Deflate.EXTENSION_NAME

    def __init__(self, inflated: bytes | None, error: Exception | None) -> None:
        """Answer as the inflater did: with what it raised, at the beginning if it returned nothing."""
        self._inflated = inflated
        self._error = error

    def start_decompress_message(self) -> None:
        """Part of the interface."""

    def decompress_message_data(self, _data: bytes, max_output_len: int | None = None) -> bytes:  # noqa: ARG002
        """Answer the first question."""
        if self._inflated is None:
            raise self._error or PayloadCorruptError
        return self._inflated

    def end_decompress_message(self) -> None:
        """Answer the second."""
        if self._error is not None:
            raise self._error
