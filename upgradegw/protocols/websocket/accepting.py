"""What the 101 of a WebSocket says beyond the switch: subprotocol, extension, fields. Deciding it changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from upgradegw.negotiation.model import Fields
from upgradegw.negotiation.websocket import Handshake, accept_value
from upgradegw.protocols.websocket.answers import header_fields, read_answer
from upgradegw.protocols.websocket.compression import negotiate_compression
from upgradegw.protocols.websocket.settings import pristine


class Acceptance(NamedTuple):
    """What a client is told.

    Attributes:
        subprotocol: The subprotocol, or None.
        compression: Autobahn's acceptance of an offer of compression, or None.
        fields: The fields of the 101 that say so, and those of the application.
    """

    subprotocol: str | None
    compression: Any
    fields: Fields


class Acceptor:
    """What all connections of an upgrade are accepted by."""

    def __init__(self, factory: Any, compression: bool | None, subprotocols: Sequence[str]) -> None:
        """Accept for a factory.

        Args:
            factory: Autobahn's; its ``headers`` are sent.
            compression: As ``negotiate_compression`` takes it.
            subprotocols: As ``websocket`` takes them.
        """
        self._factory = factory
        self._compression = compression
        self._subprotocols = subprotocols

    def decides_alone(self, kind: Any, checked: Handshake) -> bool:
        """Tell whether nothing of the application's is called to decide.

        Args:
            kind: The class of the protocol, with its settings.
            checked: What the request says.
        """
        if not checked.extensions:
            return True
        if type(kind.maxMessagePayloadSize) is not int:
            return False  # only a protocol can tell
        default = pristine()["perMessageCompressionAccept"].__code__
        return self._compression is not None or getattr(kind.perMessageCompressionAccept, "__code__", None) is default

    def decide(self, settings: Any, checked: Handshake, answer: Any) -> Acceptance:
        """Decide.

        Args:
            settings: The protocol, or the class of those with its settings.
            checked: What the request says.
            answer: What ``onConnect`` returned.

        Raises:
            ValueError: The answer cannot be given.
        """
        subprotocol, more = read_answer(answer, checked.subprotocols, self._subprotocols)
        offers, compression = checked.extensions, None
        if offers:
            accepting = settings.perMessageCompressionAccept
            compression = negotiate_compression(offers, self._compression, accepting, settings.maxMessagePayloadSize)
        fields = [] if checked.key is None else [(b"Sec-WebSocket-Accept", accept_value(checked.key))]
        if subprotocol is not None:
            fields.append((b"Sec-WebSocket-Protocol", subprotocol.encode("ascii")))
        if compression is not None:
            fields.append((b"Sec-WebSocket-Extensions", compression.get_extension_string().encode("ascii")))
        fields += header_fields(self._factory.headers)
        fields += more
        return Acceptance(subprotocol, compression, tuple(fields))
