"""What the tests of resources share: both kinds of site, and a resource that says where it was found."""

from __future__ import annotations

from typing import Any

from twisted.web.resource import Resource

from tests.memory import Memory
from tests.protocols_for_tests import RecorderFactory, echo
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource

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
