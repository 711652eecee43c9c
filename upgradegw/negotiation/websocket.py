"""The server's side of the WebSocket opening handshake, read off the request's head (RFC 6455 section 4.2)."""

from __future__ import annotations

import re
from binascii import b2a_base64
from dataclasses import dataclass
from hashlib import sha1
from typing import TYPE_CHECKING

from upgradegw.negotiation.authority import names_host
from upgradegw.negotiation.extensions import DeflateOffer, ExtensionOffer, deflate_offers, parse_extensions
from upgradegw.negotiation.fields import is_token, members, printable
from upgradegw.negotiation.model import Refuse
from upgradegw.negotiation.origin import check_origin
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.upgrade import upgrade_required

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from upgradegw.negotiation.model import RequestHead

__all__ = ["DeflateOffer", "ExtensionOffer", "Handshake", "accept_value", "deflate_offers", "handshake"]

# RFC 6455 section 4.2.2, item 5.4.
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

_VERSIONS = [b"13"]

# 16 bytes in base64: 22 characters of the standard alphabet and two of padding (RFC 6455 section 4.2.1, item 5). The
# four bits that are left over may be anything: RFC 4648 section 3.5 leaves that open, and clients with a key made up
# of random letters exist.
_KEY = re.compile(rb"[A-Za-z0-9+/]{22}==")

# What a subprotocol's name may be made of where it is only passed on: visible characters but those that part a list.
# kubectl port-forward offers ``SPDY/3.1+portforward.k8s.io``, and ``/`` is in no token.
_PASSED_ON = re.compile(rb"[!#-+\--~]+")


@dataclass(slots=True, unsafe_hash=True)
class Handshake:
    """What a WebSocket request says, once it is known to be right.

    Attributes:
        key: The value of Sec-WebSocket-Key; None with extended CONNECT, which has none (RFC 8441 section 5).
        subprotocols: The names offered, in the client's order, without repetition.
        extensions: The extensions offered, in the client's order.
        origin: The value of Origin, or None.
    """

    key: bytes | None
    subprotocols: tuple[str, ...]
    extensions: tuple[ExtensionOffer, ...]
    origin: bytes | None


def handshake(head: RequestHead, origins: Sequence[str] | None, *, any_subprotocol: bool = False) -> Handshake | Refuse:
    """Read and check a request for the token ``websocket``: version, key, subprotocols, extensions, host, origin.

    Args:
        head: The request; `negotiate` has checked its method, version, Upgrade and Connection.
        origins: What `parse_origins` returned; None for the origin of the request itself.
        any_subprotocol: Whether names of subprotocols need be no tokens: whether to take them is another server's
            affair, and clients exist whose names are none.

    Returns:
        What the request says, or 426, 400 or 403 (RFC 6455 sections 4.2.1, 4.2.2 and 4.4). With extended CONNECT the
        key is not looked at, and a wrong version is 400 (RFC 8441 section 5).
    """
    get = head.by_name.get
    on_stream = head.protocol is not None
    versions = get(b"sec-websocket-version", [])
    keys = [] if on_stream else get(b"sec-websocket-key", [])
    refuse = None
    if versions != _VERSIONS:
        refuse = _refuse_version(versions, on_stream)
    elif not on_stream and (len(keys) != 1 or not _KEY.fullmatch(keys[0])):
        refuse = Refuse(Reason.BAD_KEY, 400, detail=_show("Sec-WebSocket-Key", keys))
    if refuse is not None:
        return refuse
    names = get(b"sec-websocket-protocol")
    subprotocols = _read_subprotocols(names, any_subprotocol) if names else ()
    if isinstance(subprotocols, Refuse):
        return subprotocols
    offers = get(b"sec-websocket-extensions", [])
    extensions = parse_extensions(offers) if offers else ()
    if extensions is None:
        return Refuse(Reason.BAD_EXTENSIONS, 400, detail=_show("Sec-WebSocket-Extensions", offers))
    hosts, origin = get(b"host", []), get(b"origin")
    if not names_host(hosts):  # section 4.2.1, item 2; also where the HTTP layer beneath does not look
        refuse = Refuse(Reason.BAD_HOST, 400, detail=_show("Host", hosts))
    elif origin:
        refuse = check_origin(head, origins)
    if refuse is not None:
        return refuse
    return Handshake(keys[0] if keys else None, subprotocols, extensions, origin[0] if origin else None)


def accept_value(key: bytes) -> bytes:
    """Return the value of Sec-WebSocket-Accept for a key (RFC 6455 section 4.2.2, item 5.4)."""
    return b2a_base64(sha1(key + _GUID, usedforsecurity=False).digest(), newline=False)


def _refuse_version(versions: list[bytes], on_stream: bool) -> Refuse:
    """Demand version 13, once and literally (RFC 6455 section 4.2.1, item 6; the answer is section 4.4)."""
    if on_stream:  # where there is no Upgrade field, and so no 426
        known = ((b"Sec-WebSocket-Version", b"13"),)
        return Refuse(Reason.BAD_VERSION, 400, known, _show("Sec-WebSocket-Version", versions))
    answer = (*upgrade_required(b"websocket"), (b"Sec-WebSocket-Version", b"13"))
    return Refuse(Reason.BAD_VERSION, 426, answer, _show("Sec-WebSocket-Version", versions))


def _read_subprotocols(values: list[bytes], any_name: bool) -> tuple[str, ...] | Refuse:
    """Read ``1#token`` without repetition, over any number of lines (RFC 6455 sections 4.1, item 10, and 11.3.4)."""
    names = members(values)
    is_name: Callable[[bytes], object] = _PASSED_ON.fullmatch if any_name else is_token
    if names and all(is_name(name) for name in names) and len(set(names)) == len(names):
        return tuple(name.decode("ascii") for name in names)
    return Refuse(Reason.BAD_SUBPROTOCOL, 400, detail=_show("Sec-WebSocket-Protocol", values))


def _show(name: str, values: list[bytes]) -> str:
    """Show what stood there, for the log."""
    return f"{name}: {printable(b' and '.join(values))}" if values else f"{name} is absent"


def check_close_code(code: int) -> None:
    """Raise ValueError unless a server may send this code in a Close frame.

    RFC 6455 section 7.4: 1000 to 1014 without those that stand for "no code" (1004 to 1006) and the client's own
    (1010), as IANA's registry has them; 3000 to 4999 for libraries and applications.
    """
    registered = 1000 <= code <= 1014 and code not in {1004, 1005, 1006, 1010}  # noqa: PLR2004 - the RFC's
    if not registered and not 3000 <= code <= 4999:  # noqa: PLR2004 - the RFC's
        raise ValueError(f"code={code!r} is no code that a server can close a WebSocket with")
