"""Our client of an upgrade against a server that is not ours: Node.js and its ``upgrade`` event."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.protocol import Factory
from twisted.trial.unittest import TestCase

from tests.clients.support import ROOT, tool
from tests.protocols_for_tests import RecorderFactory
from tests.sockets.loopback import Conversation
from upgradegw import UpgradeClientEndpoint, UpgradeRefused


@pytest.fixture(scope="class")
def node_port(request: Any) -> Iterator[None]:
    """A server of Node's for the class."""
    script = ROOT / "tests" / "clients" / "node" / "serve_echo.js"
    command = [tool("node", "nodejs"), str(script)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        request.cls.port = int(process.stdout.readline())
        yield
        process.terminate()


@pytest.mark.usefixtures("node_port")
class NodeTests(TestCase):
    """Node's ``http`` server."""

    port: int

    def endpoint(self, token: str) -> UpgradeClientEndpoint:
        """Return an endpoint for a token."""
        inner = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port)
        return UpgradeClientEndpoint(inner, "/any", token, reactor=reactor)

    async def test_the_switch(self) -> None:
        """CL-02, CL-08: what Node writes behind its 101 comes first, then what is sent comes back."""
        client: Any = await self.endpoint("echo").connect(Factory.forProtocol(Conversation))
        client.write(b"and back")
        assert await client.until(lambda r: len(r) >= 14) == b"hello and back"
        client.transport.loseConnection()
        await client.closed

    async def test_the_refusal(self) -> None:
        """A response that Node writes by hand, and whose content ends with the connection, is read to its end."""
        refused = await self.assertFailure(self.endpoint("other").connect(RecorderFactory()), UpgradeRefused)
        assert (refused.status, refused.body) == (426, b"only echo")
        assert str(refused).endswith("it serves echo here")
