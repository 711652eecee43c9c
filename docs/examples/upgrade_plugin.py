"""What a package puts into its ``twisted/plugins/`` so that its protocol is known by its token."""

from __future__ import annotations

from twisted.plugin import IPlugin
from zope.interface import implementer

from upgradegw.protocols.plugins import IUpgradeProvider


@implementer(IPlugin, IUpgradeProvider)
class Shout:
    """The protocol of shout.py."""

    token = "shout/1"  # noqa: S105 - an upgrade token is no secret

    def upgrade(self):
        import shout  # noqa: PLC0415 - listing plugins should stay cheap
        from upgradegw import stream  # noqa: PLC0415

        return stream(self.token, shout.factory)


shout = Shout()
