"""Tests of the protocol: the server with a client in memory, and both ends over a real connection."""

from __future__ import annotations

from twisted.internet import endpoints, reactor
from twisted.trial.unittest import SynchronousTestCase, TestCase

import client
import shout_site
from upgradegw import UpgradeRefused, UpgradeSite
from upgradegw.testing import Client


class ServerTests(SynchronousTestCase):
    over = "http/1.1"

    def setUp(self):
        self.client = Client(shout_site.root(), self.over)
        self.addCleanup(self.client.close)

    def test_shouting(self):
        tunnel = self.client.upgrade("shout/1", "/talk", leading=b"sent at once\r\n")
        self.assertEqual(tunnel.receive(), b"hello 192.0.2.7\r\nSENT AT ONCE\r\n")
        tunnel.send(b"tea?\r\n")
        self.assertEqual(tunnel.receive(), b"TEA?\r\n")

    def test_shouting_to_a_browser(self):
        browser = self.client.websocket("/talk")
        browser.send("tea?")
        self.assertEqual(browser.receive(), "TEA?")

    def test_everybody_else(self):
        self.assertEqual(self.client.request("GET", "/talk").content, b"Talk to me.\n")


class ServerOverHttp2Tests(ServerTests):
    over = "http/2+tls"


class BothEndsTests(TestCase):
    async def setUp(self):
        listening = endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1")
        port = await listening.listen(UpgradeSite(shout_site.root(), reactor=reactor))
        self.addCleanup(port.stopListening)
        self.server = f"tcp:127.0.0.1:{port.getHost().port}"

    async def test_the_client_is_heard(self):
        self.assertEqual(await client.shout(reactor, self.server, "tea?"), ["hello 127.0.0.1", "TEA?"])

    async def test_the_client_is_refused(self):
        with self.assertRaises(UpgradeRefused) as caught:
            await client.shout(reactor, self.server, "tea?", offered="shout/2")
        self.assertEqual((caught.exception.status, caught.exception.body), (200, b"Talk to me.\n"))
