"""The demonstration site: a page that talks to a WebSocket echo, and a raw echo for the token ``echo``."""

from __future__ import annotations

from twisted.web.resource import Resource

from upgradegw.protocols.stream import stream
from upgradegw.protocols.websocket import websocket
from upgradegw.service.demonstration.echo import raw_echo_factory, websocket_echo_factory
from upgradegw.service.demonstration.page import Page
from upgradegw.web.resource import UpgradeResource

#: What the log says, so that nobody takes it for more than it is.
NOTICE = (
    "This is the demonstration site. Serve your own instead: for example"
    " --websocket /chat=myapp:factory --static /=./public (see upgradegw --help)."
)


def site() -> Resource:
    """Return the root: ``/`` the page, ``/ws`` a WebSocket echo, ``/echo`` a raw echo."""
    root = Resource()
    root.putChild(b"", Page())
    root.putChild(b"ws", UpgradeResource([websocket(websocket_echo_factory())]))
    root.putChild(b"echo", UpgradeResource([stream("echo", raw_echo_factory())]))
    return root
