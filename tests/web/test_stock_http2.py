"""UpgradeResource on an HTTP/2 stream of twisted.web: never a switch."""

from __future__ import annotations

from typing import Any

import pytest
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived
from twisted.internet import reactor
from twisted.internet.task import deferLater
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import TestCase
from twisted.web.http import H2_ENABLED
from twisted.web.server import Site

from tests.memory import MemoryTransport
from tests.protocols_for_tests import RecorderFactory
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource

pytestmark = pytest.mark.skipif(not H2_ENABLED, reason="twisted.web speaks HTTP/2 only with the package priority")


class StockHttp2Tests(TestCase):
    """A stock Site that negotiated h2."""

    async def ask(self, *extra: tuple[str, str], **arguments: Any) -> tuple[dict[bytes, bytes], bytes]:
        self.factory = RecorderFactory()
        clock = MemoryReactorClock()
        site = Site(UpgradeResource([stream("echo", self.factory)], **arguments), reactor=clock)
        transport = MemoryTransport()
        transport.negotiatedProtocol = b"h2"  # type: ignore[attr-defined]
        transport.protocol = site.buildProtocol(transport.getPeer())
        transport.protocol.makeConnection(transport)
        client = H2Connection()
        client.initiate_connection()
        head = [(":method", "GET"), (":scheme", "https"), (":authority", "a.example"), (":path", "/")]
        client.send_headers(1, [*head, *extra], end_stream=True)
        transport.deliver(client.data_to_send())
        # twisted.web sends the content of HTTP/2 from the process's reactor, not from the site's
        await deferLater(reactor, 0.05)  # type: ignore[arg-type]
        events = client.receive_data(transport.value())
        transport.lose()
        clock.advance(100)
        await deferLater(reactor, 0)  # type: ignore[arg-type]
        (response,) = [event for event in events if isinstance(event, ResponseReceived)]
        content = b"".join(event.data for event in events if isinstance(event, DataReceived))
        return {bytes(name): bytes(value) for name, value in response.headers}, content

    async def test_plain_request(self) -> None:
        """H2-06: no 426, which would need Upgrade; 400 with words that name extended CONNECT."""
        fields, content = await self.ask()
        assert fields[b":status"] == b"400"
        assert b"upgrade" not in fields
        assert b"connection" not in fields
        assert b"extended CONNECT" in content
        assert not self.factory.built

    async def test_otherwise(self) -> None:
        """H2-06: a mixed path answers plain requests as ever."""
        from twisted.web.resource import Resource

        class Plain(Resource):
            isLeaf = True

            def render(self, request: Any) -> bytes:
                return b"plain"

        fields, content = await self.ask(otherwise=Plain())
        assert (fields[b":status"], content) == (b"200", b"plain")
