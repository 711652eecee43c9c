"""The page on moving from twisted.web.websocket: both sides of its diff work, and its tables tell the truth."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import Site
from twisted.web.websocket import WebSocketResource

from tests.protocols.twisted_applications import Application, ApplicationFactory, tree
from tests.source_tree import ROOT
from upgradegw import UpgradeSite
from upgradegw.testing import Client, Reactor, Refused
from upgradegw.testing.client import TRANSPORTS
from upgradegw.testing.frames import TEXT, Frame, encode

PAGE = ROOT / "docs" / "how-to" / "move-from-twisted-websocket.md"

Example = Callable[[str], ModuleType]


@pytest.mark.parametrize(
    ("name", "kind", "over"),
    [
        ("twisted_countdown_before", Site, "http/1.1"),
        *(("twisted_countdown_after", UpgradeSite, over) for over in TRANSPORTS),
    ],
)
def test_both_sides(example: Example, name: str, kind: Any, over: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The same application, unchanged, counts down behind either resource; behind ours on every transport."""
    assert f"{name}.py" in PAGE.read_text()
    site = example(name).site(Reactor())
    assert isinstance(site, kind)
    with Client(site, over) as client:
        alice = client.websocket("/countdown?end=tea!")
        alice.send(b"abc")
        alice.send("3")
        assert alice.messages == ["from where?", b"cba", "3", "2", "1", "tea!"]
        assert alice.close_code == 1000
    assert capsys.readouterr().out == "gone: ConnectionDone\n"


class Tables(SynchronousTestCase):
    """What the tables say happens now; what is not here is tested with ``protocols/twisted_websocket``."""

    def refused(self, *, root: Any = None, fields: Any = (), **asked: Any) -> int:
        with Client(root or tree(Application())) as client, pytest.raises(Refused) as caught:
            client.websocket("/ws", fields=fields, **asked)
        return int(caught.value.status)

    def test_the_opening_handshake(self) -> None:
        """Statuses of the first table."""
        said = PAGE.read_text().split("### The opening handshake", 1)[1].split("### ", 1)[0]
        assert self.refused(origin="https://elsewhere.example") == 403
        assert self.refused(fields={"Sec-WebSocket-Version": "8"}) == 426
        assert self.refused(fields={"Sec-WebSocket-Key": "short"}) == 400
        assert self.refused(root=tree(None)) == 503
        with Client(tree(Application())) as client:
            assert client.get("/ws").status == 426
            assert client.request("PUT", "/ws").status == 405
        for status in (403, 426, 405, 400, 503, 500):
            assert f"| {status}" in said

    def test_compression(self) -> None:
        """It is accepted where that is said."""
        offer = {"Sec-WebSocket-Extensions": "permessage-deflate"}
        for settings, accepted in (({}, None), ({"compression": True}, b"permessage-deflate")):
            with Client(tree(Application(), **settings)) as client:
                found = client.websocket("/ws", fields=offer).response.get("Sec-WebSocket-Extensions")
                assert (found and found.split(b";")[0]) == accepted

    def test_the_open_connection(self) -> None:
        """The server's stop, and violations."""
        application = Application()
        with Client(tree(application)) as client:
            alice, bob = client.websocket("/ws"), client.websocket("/ws")
            bob.tunnel.send(encode(Frame(TEXT, b"\xff")))
            assert bob.close_code == 1007
            client.site.stop()
            assert alice.close_code == 1001

    def test_their_resource_in_our_site(self) -> None:
        """Twisted's WebSocketResource is a 500 in an UpgradeSite."""
        root = Resource()
        root.putChild(b"ws", WebSocketResource(ApplicationFactory(lambda _request: Application())))
        assert self.refused(root=root) == 500
        assert len(self.flushLoggedErrors(AttributeError)) == 1
