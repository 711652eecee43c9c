"""permessage-deflate (RFC 7692): which offer is accepted, and an inflater that no client can confuse or blow up."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

from autobahn.exception import PayloadCorruptError
from autobahn.websocket.compress import (
    PERMESSAGE_COMPRESSION_EXTENSION,
    PerMessageDeflate,
    PerMessageDeflateOffer,
    PerMessageDeflateOfferAccept,
)

from upgradegw.negotiation.websocket import DeflateOffer, ExtensionOffer, deflate_offers

#: Our own acceptance: windows of 4 KiB both ways and small tables, about 64 KiB a connection instead of 316 KiB, as
#: the ``websockets`` library has it. Larger windows make messages of ordinary size little smaller.
WINDOW_BITS = 12
MEM_LEVEL = 5

#: Autobahn cannot ask a client for less (zlib raises 8 to 9).
_MIN_WINDOW_BITS = 9

#: Streams that one call may begin. A sender that finishes its stream does so once a message; a million finished
#: streams of two bytes each would cost more than all they could hold.
_MAX_STREAMS = 16

Accepting = Callable[[list[Any]], Any]


def negotiate_compression(
    extensions: Sequence[ExtensionOffer], compression: bool | None, accepting: Accepting, max_message_size: int
) -> Any:
    """Return Autobahn's acceptance of one of the client's offers, or None.

    Args:
        extensions: What the client offered.
        compression: True accepts the first offer with our parameters, False none; None lets the factory decide.
        accepting: The factory's ``perMessageCompressionAccept``.
        max_message_size: The limit for an inflated message, in bytes; 0 for none.
    """
    if compression is False:
        return None
    read = deflate_offers(extensions)
    if not read:
        return None
    offers = [_as_autobahn(offer) for offer in read]
    if compression:
        return _accept_own(read[0], offers[0], max_message_size)
    accept = accepting(offers)
    if accept is not None:
        _respect_hint(accept, dict(zip(map(id, offers), read, strict=True)))
    return accept


def _as_autobahn(offer: DeflateOffer) -> PerMessageDeflateOffer:
    return PerMessageDeflateOffer(
        accept_no_context_takeover=True,
        accept_max_window_bits=offer.client_max_window_bits is not None,
        request_no_context_takeover=offer.server_no_context_takeover,
        request_max_window_bits=offer.server_max_window_bits or 0,
    )


def _accept_own(read: DeflateOffer, offer: PerMessageDeflateOffer, max_message_size: int) -> Any:
    hint = read.client_max_window_bits
    # A client that announces a window no larger than ours need not be asked for one (RFC 7692 section 7.1.2.2).
    request = WINDOW_BITS if hint is True or (hint is not None and hint > WINDOW_BITS) else 0
    return PerMessageDeflateOfferAccept(
        offer,
        request_max_window_bits=request,
        window_bits=min(WINDOW_BITS, read.server_max_window_bits or WINDOW_BITS),
        mem_level=MEM_LEVEL,
        max_message_size=max_message_size or None,
    )


def _respect_hint(accept: Any, read: dict[int, DeflateOffer]) -> None:
    """Never ask a client for a window larger than it said it can have (RFC 7692 section 7.1.2.2)."""
    offer = read.get(id(getattr(accept, "offer", None)))
    hint = offer.client_max_window_bits if offer else None
    if hint is not None and hint is not True and accept.request_max_window_bits > hint:
        accept.request_max_window_bits = hint if hint >= _MIN_WINDOW_BITS else 0


def create_compressor(accept: Any) -> Any:
    """Return the object that compresses and inflates, for an acceptance."""
    kind = PERMESSAGE_COMPRESSION_EXTENSION[accept.EXTENSION_NAME]["PMCE"]
    if kind is PerMessageDeflate:
        kind = Deflate
    return kind.create_from_offer_accept(True, accept)


class Deflate(PerMessageDeflate):  # type: ignore[misc]
    """Autobahn's permessage-deflate, with final blocks read as RFC 7692 section 7.2.3.4 allows them.

    A block with BFINAL set ends zlib's stream, and what follows, in this message and in the next, would be ignored
    without a word. Here a new stream begins behind it. Its window is empty, as zlib's is on the other side, too; a
    reference beyond it is an error, never wrong data.
    """

    _decompressor: Any

    def decompress_message_data(self, data: bytes, max_output_len: int | None = None) -> bytes:
        """Inflate within the limits.

        Raises:
            PayloadExceededError: The message is larger than allowed.
            PayloadCorruptError: The data is no deflate stream.
        """
        inflated: bytes = super().decompress_message_data(data, max_output_len)
        streams = 1
        while self._decompressor.eof and self._decompressor.unused_data:
            streams += 1
            if streams > _MAX_STREAMS:
                raise PayloadCorruptError("too many final blocks")
            left = None if max_output_len is None else max_output_len - len(inflated)
            inflated += super().decompress_message_data(self._begin_anew(), left)
        return inflated

    def end_decompress_message(self) -> None:
        """Inflate the end of a message, which is not sent (RFC 7692 section 7.2.2).

        Raises:
            PayloadCorruptError: The data is no deflate stream.
        """
        super().end_decompress_message()
        if self._decompressor.eof:
            self._begin_anew()

    def _begin_anew(self) -> bytes:
        """Start another stream; return what zlib did not read."""
        rest: bytes = self._decompressor.unused_data
        self._decompressor = zlib.decompressobj(-self.client_max_window_bits)
        return rest
