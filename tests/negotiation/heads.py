"""Request heads for the tests of the negotiation: a right one, and ways to change it."""

from __future__ import annotations

from dataclasses import dataclass

from upgradegw.negotiation.model import Client, Fields, Refuse, RequestHead, UpgradeProtocol
from upgradegw.negotiation.websocket import Handshake, handshake

#: The key of the example in RFC 6455 section 1.3.
KEY = b"dGhlIHNhbXBsZSBub25jZQ=="

#: A right WebSocket handshake of a browser, without Origin.
WEBSOCKET: Fields = (
    (b"Host", b"app.example"),
    (b"Connection", b"Upgrade"),
    (b"Upgrade", b"websocket"),
    (b"Sec-WebSocket-Version", b"13"),
    (b"Sec-WebSocket-Key", KEY),
)

CLIENT = Client("192.0.2.1", b"http", b"app.example", "192.0.2.1")


#: The same over HTTP/2: no field of the connection's own, and no key (RFC 8441 section 5).
ON_STREAM: Fields = ((b"host", b"app.example"), (b"sec-websocket-version", b"13"))


def replaced(fields: Fields, name: bytes, *values: bytes) -> Fields:
    """The fields with all lines of a name replaced by one line for each value, at the end."""
    kept = tuple((n, value) for n, value in fields if n.lower() != name.lower())
    return kept + tuple((name, value) for value in values)


def head_of(
    fields: Fields = WEBSOCKET,
    *,
    method: bytes = b"GET",
    http_version: bytes = b"HTTP/1.1",
    has_content: bool = False,
    client: Client = CLIENT,
) -> RequestHead:
    """A request head; the WebSocket handshake if nothing is said."""
    return RequestHead(method, b"/ws", http_version, fields, has_content, client)


def with_lines(name: bytes, *values: bytes) -> RequestHead:
    """The WebSocket handshake with these lines in place of all lines of the name."""
    return head_of(replaced(WEBSOCKET, name, *values))


@dataclass(frozen=True)
class Offer:
    """A protocol that a resource offers, and that refuses nothing."""

    protocol: UpgradeProtocol
    methods: tuple[bytes, ...] = (b"GET",)
    content: bool = False

    def check(self, head: RequestHead) -> object:
        """Have no rules."""
        return f"checked {self.protocol}"


_WEBSOCKET = UpgradeProtocol(b"websocket")


@dataclass(frozen=True)
class WebSocketOffer:
    """The WebSocket protocol with its rules."""

    origins: tuple[str, ...] | None = None
    protocol: UpgradeProtocol = _WEBSOCKET
    methods: tuple[bytes, ...] = (b"GET",)
    content: bool = False

    def check(self, head: RequestHead) -> Handshake | Refuse:
        """Apply the handshake's rules."""
        return handshake(head, self.origins)


def offer(token: bytes, *methods: bytes, content: bool = False) -> Offer:
    """An offer by its token as it stands in a field."""
    return Offer(UpgradeProtocol.parse(token), methods or (b"GET",), content)


def stream_head(protocol: bytes | None = b"websocket", fields: Fields = ON_STREAM) -> RequestHead:
    """The head of an extended CONNECT (RFC 8441 section 4), or of a plain GET over HTTP/2."""
    method = b"GET" if protocol is None else b"CONNECT"
    return RequestHead(method, b"/ws", b"HTTP/2", fields, False, CLIENT, protocol)
