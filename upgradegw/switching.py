"""The switch itself: from a taken connection to a running protocol, in one order that does not vary.

Producers are unregistered and the request detached (the taking) → the protocol receives the transport's events → the
101 is written → ``upgraded(info)`` → ``makeConnection`` → leading data → reading resumes. Leading data is the bytes
that came behind the request; what becomes of it is told in ``switched``.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol

from upgradegw.interfaces import Ending, EndSummary, Taken, UpgradeInfo, Witness
from upgradegw.negotiation.fields import has_control, is_token
from upgradegw.negotiation.model import Fields
from upgradegw.switched import Ended, HalfCloseableSwitched, Switched

#: What a 101 says of the switch, and what would frame a content that it does not have (RFC 9110 section 15.2.2).
_NOT_BESIDE_A_SWITCH = frozenset((b"connection", b"content-length", b"transfer-encoding", b"upgrade"))


#: Names that stand in nearly every 101, and need no look.
_WRITTEN_HERE = frozenset((b"Sec-WebSocket-Accept", b"Sec-WebSocket-Extensions", b"Sec-WebSocket-Protocol"))


def checked_fields(fields: Fields) -> Fields:
    """Return the fields if they can stand in a response head.

    Raises:
        ValueError: A name is no token, or a value holds control characters (RFC 9110 sections 5.1 and 5.5).
    """
    for name, value in fields:
        if name not in _WRITTEN_HERE and not is_token(name):
            raise ValueError(f"{name!r} is no field name")
        if has_control(value):
            raise ValueError(f"the value of {name.decode('latin-1')} holds control characters")
    return fields


def checked_switching_fields(fields: Fields) -> Fields:
    """Return the fields if they can stand in a 101 beside those that announce the switch.

    Raises:
        ValueError: As ``checked_fields``; or a field is one that the switch itself writes, or that frames content.
    """
    for name, _ in checked_fields(fields):
        if name not in _WRITTEN_HERE and name.lower() in _NOT_BESIDE_A_SWITCH:
            raise ValueError(f"{name.decode()} in a 101 is not the application's to set")
    return fields


def http1_switching_head(phrase: bytes, fields: Fields) -> bytes:
    """Return a 101 as it stands on an HTTP/1.1 connection (RFC 9110 section 15.2.2)."""
    return b"\r\n".join([b"HTTP/1.1 101 " + phrase, *[b": ".join(field) for field in fields], b"", b""])


def switch(
    taken: Taken,
    head: tuple[bytes, Fields],
    protocol: IProtocol,
    info: UpgradeInfo,
    ended: Ended,
    ending: Ending | None = None,
    witness: Witness | None = None,
) -> Callable[[], EndSummary]:
    """Announce the switch and start the protocol.

    An exception of the protocol's is logged and costs this connection only.

    Args:
        taken: The connection.
        head: Reason phrase and fields of the 101, already checked.
        protocol: The new protocol.
        info: Given to ``protocol.upgraded`` if there is one.
        ended: Called once, when the connection is gone.
        ending: Who can sum the connection up; without it bytes are counted.
        witness: Who is told of the beginning and the end, around what the protocol is told.

    Returns:
        Tells what has gone through so far.
    """
    half_closeable = IHalfCloseableProtocol.providedBy(protocol)
    switched = (HalfCloseableSwitched if half_closeable else Switched)(protocol, taken.transport, ending, ended)
    taken.attach(switched)
    taken.write_head(*head)
    if ending is None:
        switched.count_writes()
    if witness is not None:
        switched.witness = witness
    if taken.leading_data or taken.resume is not None or taken.read_closed:
        switched.hold(taken.leading_data, taken.resume)
    if taken.read_closed:
        switched.end_read_side()
    try:
        upgraded = getattr(protocol, "upgraded", None)
        if upgraded is not None:
            upgraded(info)
        if witness is not None:
            witness.begins(taken.transport)
        protocol.makeConnection(taken.transport)
    except Exception:  # noqa: BLE001 - the application's; the 101 is out, so there is nothing left to answer
        switched.fail("the protocol failed at the switch")
    switched.release()
    return switched.so_far
