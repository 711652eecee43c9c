"""Places to listen: what they begin with, and how they end."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import succeed
from twisted.internet.testing import MemoryReactorClock
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.certificates import self_signed
from tests.memory import MemoryTransport
from tests.service.test_running import Port, listening
from upgradegw.service.gateway.door import Door, before_site
from upgradegw.service.gateway.entrances import Entrance, Lead
from upgradegw.service.tls import tls_options
from upgradegw.web.site import UpgradeSite


class Counting(UpgradeSite):
    """Counts how often it was told that a port listens."""

    ports = 0

    def doStart(self) -> None:
        self.ports += 1

    def doStop(self) -> None:
        self.ports -= 1


class Doors(SynchronousTestCase):
    """What a port makes its connections with."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()

    def site(self) -> Counting:
        return Counting(Resource(), reactor=self.reactor)

    def test_a_door_leads_elsewhere_while_the_port_listens(self) -> None:
        """New connections come to the new site, which knows that it is listened for; the old one is told the end."""
        one, two = self.site(), self.site()
        door = Door(one)
        door.doStart()
        first = door.buildProtocol(IPv4Address("TCP", "192.0.2.7", 1))
        door.lead_to(two)
        second = door.buildProtocol(IPv4Address("TCP", "192.0.2.7", 1))
        assert (first.site, second.site) == (one, two)
        assert (one.ports, two.ports) == (0, 1)
        door.doStop()
        assert two.ports == 0
        assert door.logPrefix() == "Counting"

    def test_what_connections_begin_with(self) -> None:
        """A PROXY header, then TLS, then the site."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        files = self_signed(Path(folder))
        tls = tls_options(str(files.cert), str(files.key))
        site = self.site()
        assert before_site(site, None, self.reactor, haproxy=False) is site
        assert isinstance(before_site(site, tls, self.reactor, haproxy=False), TLSMemoryBIOFactory)
        wrapped: Any = before_site(site, tls, self.reactor, haproxy=True)
        protocol = wrapped.buildProtocol(IPv4Address("TCP", "192.0.2.7", 1))
        assert isinstance(wrapped.wrappedFactory, TLSMemoryBIOFactory)
        assert isinstance(protocol.wrappedProtocol, TLSMemoryBIOProtocol)

    def test_a_proxy_header_is_read_and_believed_as_the_site_says(self) -> None:
        """The client is whom the header names, for a site that trusts who sent it."""
        seen: list[Any] = []

        class Shows(Resource):
            isLeaf = True

            def render(self, request: Any) -> bytes:
                seen.append(request.getClientAddress().host)
                return b""

        site = UpgradeSite(Shows(), reactor=self.reactor)
        protocol: Any = before_site(site, None, self.reactor, haproxy=True).buildProtocol(
            IPv4Address("TCP", "192.0.2.7", 1)
        )
        transport = MemoryTransport(peerAddress=IPv4Address("TCP", "192.0.2.7", 1))
        protocol.makeConnection(transport)
        protocol.dataReceived(b"PROXY TCP4 198.51.100.9 192.0.2.1 5000 80\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert seen == ["198.51.100.9"]

    def test_an_entrance_without_a_port_has_no_address(self) -> None:
        """Before it is opened, and behind its end."""
        entrance = Entrance(self.reactor, Lead(listening(succeed(Port("somewhere"))), self.site()))
        assert entrance.url is None
        entrance.open()
        assert entrance.url == "somewhere"
        entrance.close()
        assert entrance.url is None
        self.successResultOf(entrance.close())
