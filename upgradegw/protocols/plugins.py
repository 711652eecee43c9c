"""Upgrades from other packages, found by their token.

A package puts a module into ``twisted/plugins/`` with an object that provides ``IUpgradeProvider``. From then on the
token's name stands for the protocol wherever an upgrade is expected: ``UpgradeResource(["feed/2"])``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from twisted.logger import Logger
from twisted.plugin import IPlugin, getPlugins
from zope.interface import Attribute, Interface

from upgradegw.interfaces import Upgrade
from upgradegw.negotiation.model import UpgradeProtocol
from upgradegw.protocols.stream import parse_token

_log = Logger(namespace="upgradegw")


class IUpgradeProvider(Interface):
    """A plugin that brings a protocol; it must also provide ``twisted.plugin.IPlugin``."""

    token = Attribute("The upgrade token as text, for example 'feed/2'.")

    def upgrade() -> Upgrade:
        """Return what ``stream(...)`` or ``websocket(...)`` returns, or anything else that is an ``Upgrade``."""


def _brings(provider: Any, wanted: UpgradeProtocol) -> bool:
    """Tell whether a plugin brings a token; one that is written wrongly brings none, and hides no other."""
    try:
        return parse_token(provider.token).matches(wanted)
    except ValueError as error:
        _log.error("the plugin {provider!r} is ignored: {error}", provider=provider, error=error)
        return False


def find_upgrade(token: str, providers: Iterable[Any] | None = None) -> Upgrade:
    """Return the upgrade that an installed package brings for a token.

    Args:
        token: The token, compared as tokens are: name without regard to case, version literally.
        providers: Where to look; by default all plugins of Twisted.

    Raises:
        LookupError: No installed package brings it, or more than one does.
    """
    wanted = parse_token(token)
    if providers is None:
        providers = getPlugins(IUpgradeProvider)
    found = [provider for provider in providers if _brings(provider, wanted)]
    if not found:
        raise LookupError(f"no installed package brings an upgrade for the token {token!r}")
    if len(found) > 1:
        raise LookupError(f"more than one installed package brings an upgrade for the token {token!r}: {found!r}")
    return cast("Upgrade", found[0].upgrade())


__all__ = ["IPlugin", "IUpgradeProvider", "find_upgrade"]
