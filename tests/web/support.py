"""What the tests of resources share: both kinds of site, and a resource that says where it was found."""

from __future__ import annotations

from typing import Any

from twisted.web.resource import Resource
from twisted.web.server import Site

from tests.memory import Memory
from tests.protocols_for_tests import RecorderFactory, echo
from upgradegw.protocols.stream import stream
from upgradegw.testing import Client, Reactor
from upgradegw.testing.client import TRANSPORTS
from upgradegw.web.resource import UpgradeResource

#: Each transport of our own site, and those that a stock Site has.
SITES = [*((over, False) for over in TRANSPORTS), ("http/1.1", True), ("tls", True)]

GET = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"


class Where(Resource):
    """Says where it was found."""

    isLeaf = True

    def render(self, request: Any) -> bytes:
        return b"/".join(request.prepath) + b"|" + b"/".join(request.postpath)


class OnEachSite:
    """Tests that run on both kinds of site."""

    stock: bool

    def connect(self, *upgrades: Any, **arguments: Any) -> Memory:
        """Connect to a site whose root serves these upgrades, or an echo."""
        if not upgrades:
            self.factory = RecorderFactory(data=echo)
            upgrades = (stream("echo", self.factory),)
        return self.serve(UpgradeResource(upgrades, **arguments))

    def serve(self, root: Any) -> Memory:
        """Connect to a site with this root."""
        return Memory(root, stock=self.stock)


def open_client(root: Any, over: Any, stock: bool) -> Client:
    """Come to a site of either kind."""
    return Client(Site(root, reactor=Reactor()) if stock else root, over)
