"""Tests of the examples: of the chat, of a protocol of one's own, and of who may come in."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

import authorize
import chat
import shout
from upgradegw import UpgradeResource, stream, websocket
from upgradegw.testing import Client, Refused


class ChatTests(SynchronousTestCase):
    """The chat over HTTP/1.1."""

    over = "http/1.1"

    def setUp(self):
        root = Resource()
        root.putChild(b"chat", UpgradeResource([websocket(chat.factory())]))
        root.putChild(b"talk", UpgradeResource([stream("shout/1", shout.factory)]))
        self.client = Client(root, self.over)
        self.addCleanup(self.client.close)

    def test_what_one_says_all_hear(self):
        alice, bob = self.client.websocket("/chat"), self.client.websocket("/chat")
        alice.send("tea?")
        self.assertEqual(bob.messages, ["tea?"])
        alice.close()
        self.assertEqual(alice.close_code, 1000)
        bob.send("alone now")
        self.assertEqual(bob.messages, ["tea?", "alone now"])

    def test_pages_of_other_sites_stay_out(self):
        self.client.websocket("/chat", origin=self.client.origin)
        with self.assertRaises(Refused) as caught:
            self.client.websocket("/chat", origin="https://elsewhere.example")
        self.assertEqual(caught.exception.status, 403)

    def test_who_falls_silent_is_let_go(self):
        alice = self.client.websocket("/chat")
        self.client.clock.advance(60)
        self.assertFalse(alice.closed)
        alice.answers_pings = False
        self.client.clock.advance(60)
        self.assertTrue(alice.tunnel.ended or alice.tunnel.aborted)

    def test_shouting(self):
        tunnel = self.client.upgrade("shout/1", "/talk", leading=b"sent at once\r\n")
        self.assertEqual(tunnel.receive(), b"hello 192.0.2.7\r\nSENT AT ONCE\r\n")
        tunnel.send(b"tea?\r\n")
        self.assertEqual(tunnel.receive(), b"TEA?\r\n")


class ChatOverTlsTests(ChatTests):
    """The same with TLS."""

    over = "tls"


class ChatOverHttp2Tests(ChatTests):
    """The same on streams of HTTP/2."""

    over = "http/2+tls"


class AuthorizeTests(SynchronousTestCase):
    """Who may come in."""

    def setUp(self):
        self.client = Client(authorize.root())
        self.addCleanup(self.client.close)

    def test_who_has_a_pass_is_greeted(self):
        greeter = self.client.websocket("/greet", cookies={"pass": "tea"})
        self.assertEqual(greeter.receive(), "hello alice")
        self.assertEqual(greeter.response.get_all("Set-Cookie"), [b"seen=yes; HttpOnly"])

    def test_who_has_none_is_told_where_to_get_one(self):
        with self.assertRaises(Refused) as caught:
            self.client.websocket("/greet")
        self.assertEqual(caught.exception.status, 401)
        self.assertTrue(caught.exception.response.get("WWW-Authenticate").startswith(b"Cookie "))
