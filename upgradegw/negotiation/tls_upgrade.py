"""The offer of TLS in an Upgrade field (RFC 2817): which version it leads to, and what is left of the request in TLS.

Clients that send it are those of CUPS, which name every version they know: ``TLS/1.3,TLS/1.2,TLS/1.1,TLS/1.0``. The
versions are numbers of one protocol, and so the highest is taken, whatever the order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from upgradegw.negotiation.fields import get_all, members

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from upgradegw.negotiation.model import Fields

#: Tokens that mean nothing inside TLS: it is there, and HTTP/2 is agreed on with ALPN (RFC 9113 section 3.2).
_DONE_WITH = (b"h2c", b"h2")


def choose_tls(fields: Fields, supported: Sequence[bytes]) -> bytes | None:
    """Return the first of the supported tokens that is offered.

    Args:
        fields: The request's field lines; that ``Connection`` names ``Upgrade`` has been seen to.
        supported: Tokens such as ``b"TLS/1.3"``, the highest version first.
    """
    offered = {_canonical(member) for member in members(get_all(fields, b"upgrade"))}
    return next((token for token in supported if token in offered), None)


def inside_tls(fields: Fields) -> Fields:
    """Return the field lines of a request as it is answered in TLS: without the offer that has been accepted.

    Other tokens stay: what else the client would speak, it would speak in TLS. ``HTTP2-Settings`` goes with ``h2c``.

    Args:
        fields: The field lines.
    """
    kept = [member for member in members(get_all(fields, b"upgrade")) if not _is_done_with(member)]
    gone = {b"http2-settings"} if kept else {b"http2-settings", b"upgrade"}
    lines: list[tuple[bytes, bytes]] = []
    for name, value in fields:
        lower_name = name.lower()
        if lower_name == b"connection":
            options = [option for option in members([value]) if option.lower() not in gone]
            if options:
                lines.append((name, b", ".join(options)))
        elif lower_name == b"upgrade":
            tokens = [member for member in members([value]) if not _is_done_with(member)]
            if tokens:
                lines.append((name, b", ".join(tokens)))
        elif lower_name not in gone:
            lines.append((name, value))
    return tuple(lines)


def tokens_of(versions: Iterable[str]) -> tuple[bytes, ...]:
    """Return the tokens of some versions, the highest first.

    Args:
        versions: ``"1.2"``, ``"1.3"``.
    """
    return tuple(b"TLS/" + version.encode("ascii") for version in sorted(versions, reverse=True))


def _canonical(member: bytes) -> bytes:
    """Return a token with its name in capitals; names are compared without regard to case, versions literally."""
    name, slash, version = member.partition(b"/")
    return name.upper() + slash + version


def _is_done_with(member: bytes) -> bool:
    lower = member.lower()
    return lower in _DONE_WITH or lower.partition(b"/")[0] == b"tls"
