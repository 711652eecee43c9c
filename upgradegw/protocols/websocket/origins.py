"""Origins that were set on an Autobahn factory (``allowedOrigins``), compared as Autobahn compares them."""

from __future__ import annotations

from typing import Any

from autobahn.websocket.protocol import _url_to_origin

from upgradegw.negotiation.fields import printable
from upgradegw.negotiation.model import Refuse, RequestHead
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.websocket import Handshake, handshake
from upgradegw.protocols.websocket.settings import pristine


class FactoryOrigins:
    """The factory's own list, which holds if somebody has set it and ``origins`` is not given."""

    __slots__ = ("_factory",)

    def __init__(self, factory: Any) -> None:
        """Look at a factory, at each request anew."""
        self._factory = factory

    @property
    def in_force(self) -> bool:
        """Whether somebody has set a list."""
        return bool(self._factory.allowedOrigins != pristine()["allowedOrigins"])

    @property
    def listed(self) -> tuple[str, ...]:
        """What is on it."""
        return (*map(str, self._factory.allowedOrigins), *(("null",) if self._factory.allowNullOrigin else ()))

    def check(self, head: RequestHead) -> Handshake | Refuse:
        """Apply the rules of the handshake, and the list (RFC 6455 section 4.2.2, item 4)."""
        outcome = handshake(head, ("*", "null"))
        if isinstance(outcome, Refuse) or outcome.origin is None:
            return outcome
        try:
            origin = _url_to_origin(outcome.origin.decode("latin-1"))
        except ValueError:
            return Refuse(Reason.BAD_ORIGIN, 400, detail=f"Origin: {printable(outcome.origin)}")
        if origin == "null":
            return outcome if self._factory.allowNullOrigin else Refuse(Reason.ORIGIN_NULL, 403, detail="Origin: null")
        scheme, host, port = origin
        if any(pattern.match(f"{scheme}://{host}:{port}") for pattern in self._factory.allowedOriginsPatterns):
            return outcome
        expected = ", ".join(map(str, self._factory.allowedOrigins))
        compared = f"Origin: {printable(outcome.origin)}, compared as {scheme}://{host}:{port}"
        detail = f"{compared}; expected: one of {expected} (the factory's allowedOrigins, which need the port)"
        return Refuse(Reason.ORIGIN_MISMATCH, 403, detail=detail)
