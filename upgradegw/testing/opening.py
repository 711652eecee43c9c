"""What a client sends for a switch, and what it must find in the answer before it believes in it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha1

from upgradegw.negotiation.fields import get_all, members
from upgradegw.negotiation.model import Fields
from upgradegw.testing.responses import Response, Violation

#: The key of every handshake. Real clients take a new one each time (RFC 6455 section 4.1); a test can be read.
_KEY = b"dGhlIHNhbXBsZSBub25jZQ=="
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def opening_fields(origin: str | None, subprotocols: Iterable[str], *, key: bool) -> Fields:
    """Return the fields of an opening handshake beside those of the switch (RFC 6455 section 4.1).

    Args:
        origin: The Origin, as a browser sends it; None for none.
        subprotocols: The subprotocols that are offered.
        key: Whether there is a Sec-WebSocket-Key: not on HTTP/2 (RFC 8441 section 5).
    """
    fields = [(b"Sec-WebSocket-Key", _KEY)] if key else []
    fields.append((b"Sec-WebSocket-Version", b"13"))
    if origin is not None:
        fields.append((b"Origin", origin.encode("latin-1")))
    offered = ", ".join(subprotocols)
    if offered:
        fields.append((b"Sec-WebSocket-Protocol", offered.encode("latin-1")))
    return tuple(fields)


def check_switch(response: Response, sent: Fields) -> None:
    """Judge the response that announces a switch.

    Args:
        response: The response.
        sent: The field lines of the request; on HTTP/2 there is no Upgrade among them, and none may come back.

    Raises:
        Violation: A client would have to fail the connection: RFC 9110 sections 7.8 and 15.2.2, RFC 9113 section 8.2.2.
    """
    offered = {token.lower() for token in members(get_all(sent, b"upgrade"))}
    chosen = members(get_all(response.fields, b"upgrade"))
    if any(token.lower() not in offered for token in chosen):
        raise Violation(f"Upgrade is {chosen}, and {sorted(offered)} was offered")
    for name in (b"content-length", b"transfer-encoding"):
        if get_all(response.fields, name):
            raise Violation(f"{name.decode()} beside a switch, which has no content")


def check_opening(response: Response, sent: Fields) -> None:
    """Judge the server's half of an opening handshake (RFC 6455 section 4.1).

    Args:
        response: The response that announced the switch.
        sent: The field lines of the request.

    Raises:
        Violation: A client would have to fail the connection.
    """
    check_switch(response, sent)
    # On HTTP/2 keys mean nothing (RFC 8441 section 5).
    keys = get_all(sent, b"sec-websocket-key") if get_all(sent, b"upgrade") else []
    expected = [b64encode(sha1(key + _GUID).digest()) for key in keys]  # noqa: S324 - the RFC's
    accepts = response.get_all("Sec-WebSocket-Accept")
    if accepts != expected:
        raise Violation(f"Sec-WebSocket-Accept is {accepts}, not {expected}")
    subprotocols = response.get_all("Sec-WebSocket-Protocol")
    if len(subprotocols) > 1 or not {*subprotocols} <= {*members(get_all(sent, b"sec-websocket-protocol"))}:
        raise Violation(f"the subprotocol {subprotocols} was not offered")
    if response.get("Sec-WebSocket-Extensions") and not get_all(sent, b"sec-websocket-extensions"):
        raise Violation("an extension that was not offered")
