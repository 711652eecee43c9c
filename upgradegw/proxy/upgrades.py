"""Upgrades that an upstream serves: ``prepare`` is the upstream's answer to the client's request.

What goes to the upstream is what the client has offered and the route allows. What comes back is judged (``judging``)
before anything is a tunnel.
"""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Awaitable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from twisted.internet.interfaces import IReactorTime

from upgradegw.interfaces import Accept, Respond, UpgradeInfo
from upgradegw.negotiation.fields import is_token
from upgradegw.negotiation.model import Refuse, RequestHead, UpgradeProtocol
from upgradegw.negotiation.origin import check_origin, parse_origins
from upgradegw.negotiation.websocket import Handshake, handshake
from upgradegw.proxy.exchange import Asked
from upgradegw.proxy.fields import ANY, may_be_tunnelled
from upgradegw.proxy.judging import Offer, is_websocket, tokens_for
from upgradegw.proxy.offering import Offering
from upgradegw.proxy.outgoing import Rules, upstream_request, with_fewer_forwards
from upgradegw.proxy.tunnel import Watch

#: What a route may let pass although it is against the specifications, for clients that exist: Upgrade without
#: Connection, and with a space in its value (IF-T/TLS); WebSocket without a key, behind which no frames follow.
NO_CONNECTION_OPTION, WITHOUT_KEY = LENIENT = ("no-connection-option", "websocket-without-key")

#: Every origin: where the pages may come from is the upstream's to say, unless the route does.
_EVERY_ORIGIN = parse_origins(("*", "null"))

_WEBSOCKET = UpgradeProtocol(b"websocket")
_KEY = b"sec-websocket-key"


class _AnyMethod(tuple[bytes, ...]):
    """All methods: with which a protocol may be asked for is the upstream's to say."""

    __slots__ = ()

    def __contains__(self, _method: object) -> bool:
        """Tell that a method is among them."""
        return True


class _OtherToken(UpgradeProtocol):
    """Stands for every token that may be tunnelled but WebSocket, which has rules of its own."""

    __slots__ = ()

    def matches(self, other: UpgradeProtocol) -> bool:
        """Tell whether a token may be tunnelled."""
        return may_be_tunnelled(other, (ANY,)) and not is_websocket(other)


def parse_tokens(tokens: Iterable[str], lenient: Collection[str] = ()) -> tuple[UpgradeProtocol, ...]:
    """Read the tokens that a route lets through.

    Args:
        tokens: Names such as ``websocket`` or ``SPDY/3.1``; ``*`` for all but h2c and h2.
        lenient: What of ``LENIENT`` holds for the route.

    Raises:
        ValueError: One of them is none, or never goes through; the text says so.
    """
    found = dict.fromkeys(UpgradeProtocol.parse(token.encode("latin-1", "replace")) for token in tokens)
    for token in found:
        version = token.version
        if version is not None and NO_CONNECTION_OPTION in lenient:
            version = version.replace(b" ", b"")
        if not is_token(token.name) or not (version is None or is_token(version)):
            raise ValueError(f"{str(token)!r} is no upgrade token: use a name, or name and version, as in 'SPDY/3.1'")
        if token != ANY and not may_be_tunnelled(token, (ANY,)):
            raise ValueError(f"{str(token)!r} is never passed on: HTTP/2 would hide requests from the gateway")
    return tuple(found)


def proxied_upgrades(
    asked: Asked,
    rules: Rules,
    *,
    origins: Iterable[str] | None = None,
    lenient: Collection[str] = (),
    idle_timeout: float | None = 3600.0,
    reactor: IReactorTime | None = None,
) -> list[ProxiedUpgrade]:
    """Return the upgrades of a route whose upstream serves them.

    Args:
        asked: The upstream.
        rules: How requests are passed on, and which tokens may be tunnelled (``parse_tokens``).
        origins: The origins whose pages may open a WebSocket, as for ``websocket``; None leaves that to the upstream.
        lenient: What of ``LENIENT`` is let pass.
        idle_timeout: Seconds without a byte in either direction after which a tunnel ends, found out with an eighth's
            delay; None for no limit.
        reactor: Tells the time; by default that of the site through which requests come.

    Raises:
        ValueError: A word of ``lenient`` or an origin is none, or the time is no number above 0.
    """
    for word in lenient:
        if word not in LENIENT:
            raise ValueError(f"lenient={word!r} must be one of {', '.join(map(repr, LENIENT))}")
    if idle_timeout is not None and (isinstance(idle_timeout, bool) or not 0 < idle_timeout < float("inf")):
        raise ValueError(f"idle_timeout={idle_timeout!r} must be a number of seconds above 0, or None for no limit")
    listed = _EVERY_ORIGIN if origins is None else parse_origins(origins)
    route = _Route(asked, rules, listed, frozenset(lenient), idle_timeout, reactor)
    tokens = (_WEBSOCKET, _OtherToken(b"*")) if ANY in rules.tokens else rules.tokens
    return [ProxiedUpgrade(token, route) for token in tokens]


@dataclass(slots=True)
class _Route:
    """What the upgrades of one route share."""

    asked: Asked
    rules: Rules
    origins: tuple[str, ...]
    lenient: frozenset[str]
    idle_timeout: float | None
    reactor: IReactorTime | None
    _watch: Watch | None = None

    def watch(self, request: Any) -> Watch:
        """Return the clock of the route's tunnels."""
        if self._watch is None:
            self._watch = Watch(self.reactor or request.site.reactor, self.idle_timeout)
        return self._watch


class ProxiedUpgrade:
    """One token of a route, as an ``interfaces.Upgrade``.

    Attributes:
        protocol: The token.
        methods: The methods with which it may be asked for.
        content: Whether the request may have content.
        streams_content: It is passed on as it comes.
        wants_request: The answer may be written by whoever passes plain requests on.
        needs_connection_option: Whether ``Connection: upgrade`` is demanded.
    """

    streams_content = True
    wants_request = True

    def __init__(self, protocol: UpgradeProtocol, route: _Route) -> None:
        """Serve a token; see ``proxied_upgrades``."""
        self.protocol = protocol
        self._route = route
        # A WebSocket is asked for with GET, without content (RFC 6455 section 4.1).
        self.methods: Sequence[bytes] = (b"GET",) if is_websocket(protocol) else _AnyMethod()
        self.content = not is_websocket(protocol)
        self.needs_connection_option = NO_CONNECTION_OPTION not in route.lenient

    def check(self, head: RequestHead) -> Refuse | Offer:
        """Find out what goes to the upstream; a WebSocket request must be a right one."""
        route = self._route
        tokens = tokens_for(head, route.rules.tokens, lenient=not self.needs_connection_option)
        opening = self._check_websocket(head) if any(map(is_websocket, tokens)) else None
        if isinstance(opening, Refuse):
            return opening
        return Offer(tokens, opening, self.needs_connection_option)

    def _check_websocket(self, head: RequestHead) -> Handshake | Refuse | None:
        """Read a WebSocket request; None if it has no key, and need not have one."""
        route = self._route
        has_key = head.protocol is not None or head.get_all(_KEY)
        if not has_key and WITHOUT_KEY in route.lenient:
            return check_origin(head, route.origins)
        opening = handshake(head, route.origins, any_subprotocol=True)
        if isinstance(opening, Refuse) or opening.key is not None or route.asked.http_version == b"HTTP/2":
            return opening
        # HTTP/2 has no key, and HTTP/1.1 none without one (RFC 8441 section 5.1, RFC 6455 section 4.1).
        return replace(opening, key=b64encode(os.urandom(16)))

    def prepare(
        self,
        info: UpgradeInfo,
        transport: Any,  # noqa: ARG002 - the interface's
    ) -> Accept | Refuse | Respond | Awaitable[Accept | Refuse | Respond]:
        """Ask the upstream."""
        route, head, request, offer = self._route, info.head, info.request, info.checked
        assert isinstance(offer, Offer)  # noqa: S101 - for the type checker: it is what ``check`` returned
        outgoing = upstream_request(request, head, route.rules, tuple(map(bytes, offer.tokens)))
        if isinstance(outgoing, Refuse):
            return outgoing
        forwarded = with_fewer_forwards(outgoing)
        if forwarded is None:
            return Respond(_answer_here)
        if head.protocol is not None and offer.handshake is not None and offer.handshake.key is not None:
            fields = tuple((name, value) for name, value in forwarded.fields if name.lower() != _KEY)
            forwarded = replace(forwarded, fields=(*fields, (b"Sec-WebSocket-Key", offer.handshake.key)))
        return Offering(request, route.rules, head, offer, route.watch(request)).ask(route.asked, forwarded)


def _answer_here(request: Any) -> bytes:
    """Answer what must not be passed on further (RFC 9110 section 7.6.2)."""
    request.responseHeaders.removeHeader(b"Content-Type")
    return b""
