"""A path that is served over TLS only, also where a proxy takes the TLS off."""

from __future__ import annotations

from twisted.web.resource import Resource

import chat
from upgradegw import Allow, Deny, UpgradeResource, client_of, websocket


def over_tls(request):
    """Look at the scheme that the client used."""
    if client_of(request).scheme != b"https":
        return Deny(301, fields=[(b"Location", b"https://app.example" + request.uri)])
    return Allow()


def root():
    """Make the resource tree."""
    tree = Resource()
    tree.putChild(b"greet", UpgradeResource([websocket(chat.factory())], authorize=over_tls))
    return tree
