"""The two kinds of upgrade that an option can name: a WebSocket factory, and a Twisted protocol under a token."""

from __future__ import annotations

from typing import Any, cast

from autobahn.twisted.websocket import WebSocketServerFactory, WebSocketServerProtocol
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.python.usage import UsageError

from upgradegw.interfaces import Upgrade
from upgradegw.protocols.plugins import find_upgrade
from upgradegw.protocols.stream import parse_token, stream
from upgradegw.protocols.twisted_websocket import is_twisted_factory
from upgradegw.protocols.websocket import websocket
from upgradegw.service.resolving import obtain


def websocket_upgrade(reference: str, settings: dict[str, Any] | None = None) -> Upgrade:
    """Make the upgrade of ``--websocket``.

    Args:
        reference: ``MODULE:ATTRIBUTE`` of an Autobahn server factory, a ``WebSocketServerProtocol`` subclass, a
            factory for ``twisted.web.websocket``, what ``websocket(…)`` returned, or a callable that returns one.
        settings: Arguments of ``websocket``; what it returned already has its own.

    Raises:
        UsageError: It is none of these.
        ValueError: A setting is none.
    """
    found = obtain(
        reference,
        _is_websocket,
        "a WebSocketServerFactory of Autobahn's or twisted.web's, an Autobahn WebSocketServerProtocol class or what "
        "websocket() returned",
    )
    if isinstance(found, type):
        factory = WebSocketServerFactory()
        factory.protocol = found
        factory.noisy = False
        found = factory
    if not _is_upgrade(found):
        return cast("Upgrade", websocket(found, **settings or {}))
    # One of them a route may have for its requests, too.
    beside = next((name for name in settings or () if name != "write_timeout"), None)
    if beside is not None:
        raise UsageError(f"{reference} is what websocket(...) returned: give {beside}= there")
    return cast("Upgrade", found)


def stream_upgrade(token: str, reference: str | None) -> Upgrade:
    """Make the upgrade of ``--upgrade``.

    Args:
        token: The upgrade token, ``name`` or ``name/version``.
        reference: ``MODULE:ATTRIBUTE`` of a protocol factory, a ``Protocol`` subclass, what ``stream(…)`` returned, or
            a callable that returns one of these; None for the upgrade that an installed package brings for the token.

    Raises:
        UsageError: The token is malformed, or the attribute is none of these.
    """
    try:
        wanted = parse_token(token)
        if reference is None:
            return find_upgrade(token)
    except (ValueError, LookupError) as error:
        raise UsageError(str(error)) from None
    if wanted.name.lower() == b"websocket":
        raise UsageError("for WebSocket use --websocket PATH=MODULE:ATTRIBUTE")
    found = obtain(reference, _is_stream, "a protocol factory")
    if isinstance(found, WebSocketServerFactory):
        raise UsageError(f"{reference} is an Autobahn factory: use --websocket PATH={reference}")
    if isinstance(found, type):
        found = Factory.forProtocol(found)
        found.noisy = False
    if not _is_upgrade(found):
        return stream(token, found)
    if not found.protocol.matches(wanted):
        raise UsageError(f"{reference} is an upgrade for the token {found.protocol}")
    return cast("Upgrade", found)


def _is_upgrade(thing: Any) -> bool:
    return not isinstance(thing, type) and all(hasattr(thing, name) for name in ("protocol", "check", "prepare"))


def _is_websocket(thing: Any) -> bool:
    if isinstance(thing, type):
        return issubclass(thing, WebSocketServerProtocol)
    return isinstance(thing, WebSocketServerFactory) or is_twisted_factory(thing) or _is_upgrade(thing)


def _is_stream(thing: Any) -> bool:
    if isinstance(thing, type):
        return issubclass(thing, Protocol)
    return bool(IProtocolFactory.providedBy(thing)) or _is_upgrade(thing)
