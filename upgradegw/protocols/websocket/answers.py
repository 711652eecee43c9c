"""What the application's ``onConnect`` says, turned into a subprotocol and fields, or into a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autobahn.websocket.types import ConnectionAccept, ConnectionDeny

from upgradegw.interfaces import Deny
from upgradegw.negotiation.model import Fields
from upgradegw.switching import checked_fields

#: Fields of a 101 that are not the application's to set (RFC 9110 section 15.2.2, RFC 6455 section 4.2.2).
_RESERVED = frozenset(
    (
        b"connection",
        b"content-length",
        b"sec-websocket-accept",
        b"sec-websocket-extensions",
        b"sec-websocket-protocol",
        b"transfer-encoding",
        b"upgrade",
    )
)


def read_answer(answer: Any, offered: Sequence[str], preferred: Sequence[str]) -> tuple[str | None, Fields]:
    """Read what ``onConnect`` returned.

    Args:
        answer: None, a subprotocol, a pair of subprotocol (or None) and headers, or a ``ConnectionAccept``.
        offered: The subprotocols that the client offered.
        preferred: What to choose from if the application chose none: the first of the client's that is in it.

    Returns:
        The subprotocol and the fields to add to the 101.

    Raises:
        ValueError: The subprotocol was not offered (RFC 6455 section 4.2.2, item 5.5), or a field cannot stand in a
            response.
    """
    if answer is None and not offered:
        return None, ()
    headers: Mapping[str, Any] = {}
    if isinstance(answer, ConnectionAccept):
        answer = (answer.subprotocol, answer.headers)
    if isinstance(answer, tuple):
        answer, headers = (*answer, None, None)[:2]
    if answer is None:
        answer = next((name for name in offered if name in preferred), None)
    elif answer not in offered:
        raise ValueError(f"onConnect chose the subprotocol {answer!r}, which the client did not offer")
    return answer, header_fields(headers or {})


def header_fields(headers: Mapping[str, Any]) -> Fields:
    """Turn headers as Autobahn has them (a value, or several) into fields.

    Raises:
        ValueError: A name is no token, a value holds control characters, or the field is not the application's to set.
    """
    if not headers:
        return ()
    fields = tuple(
        (name.encode("utf-8"), str(value).encode("utf-8"))
        for name, values in headers.items()
        for value in _each(values)
    )
    for name, _ in fields:
        if name.lower() in _RESERVED:
            raise ValueError(f"{name.decode()} belongs to the handshake and cannot be set by the application")
    return checked_fields(fields)


def _each(values: Any) -> Iterable[Any]:
    return values if isinstance(values, Iterable) and not isinstance(values, str | bytes) else (values,)


def read_denial(denial: ConnectionDeny) -> Deny:
    """Turn a ``ConnectionDeny`` into a response.

    A code of 3xx with a reason is a redirection to that URL. An attribute ``headers`` (a dict, as ``onConnect``
    returns it) adds fields, for example ``WWW-Authenticate``.

    Raises:
        ValueError: The code is no status of a refusal, or a field cannot stand in a response.
    """
    code, reason = denial.code, denial.reason or ""
    if not 300 <= code <= 599:  # noqa: PLR2004 - RFC 9110 section 15: redirections and errors
        raise ValueError(f"ConnectionDeny({code}) is no refusal: use a status from 300 to 599")
    fields = header_fields(getattr(denial, "headers", None) or {})
    if code < 400 and reason:  # noqa: PLR2004
        return Deny(code, (*fields, *checked_fields(((b"Location", reason.encode("utf-8")),))))
    if not reason:
        return Deny(code, fields)
    return Deny(code, (*fields, (b"Content-Type", b"text/plain; charset=utf-8")), reason.encode("utf-8") + b"\n")
