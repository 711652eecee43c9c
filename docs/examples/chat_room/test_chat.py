"""Tests of the chat, with a client in memory."""

import json

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

import chat
from upgradegw.testing import Client, Refused


class ChatTests(SynchronousTestCase):
    def setUp(self):
        chat.names.clear()
        root = Resource()
        root.putChild(b"login", chat.Login())
        root.putChild(b"chat", chat.chat)
        self.client = Client(root)
        self.addCleanup(self.client.close)

    def log_in(self, name):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.client.request("POST", "/login", fields=form, content=b"name=" + name)

    def come(self, name):
        cookie = self.log_in(name).get("Set-Cookie").split(b";")[0].removeprefix(b"chat=").decode()
        return self.client.websocket("/chat", cookies={"chat": cookie}, origin=self.client.origin)

    def test_everybody_hears_what_one_says(self):
        alice, bob = self.come(b"Alice"), self.come(b"Bob")
        alice.send("tea?")
        heard = {"name": "Alice", "does": "says", "text": "tea?", "here": ["Alice", "Bob"]}
        self.assertEqual(json.loads(alice.messages[-1]), heard)
        self.assertEqual(json.loads(bob.messages[-1]), heard)

    def test_who_leaves_is_missed(self):
        alice, bob = self.come(b"Alice"), self.come(b"Bob")
        alice.close()
        self.assertEqual(json.loads(bob.messages[-1]), {"name": "Alice", "does": "left", "text": "", "here": ["Bob"]})

    def test_strangers_stay_out(self):
        for cookies in ({}, {"chat": "guessed"}):
            with self.assertRaises(Refused) as caught:
                self.client.websocket("/chat", cookies=cookies)
            self.assertEqual(caught.exception.status, 401)

    def test_scripts_do_not_see_the_cookie(self):
        cookie = self.log_in(b"Alice").get("Set-Cookie").lower()
        self.assertIn(b"httponly", cookie)
        self.assertIn(b"samesite=strict", cookie)

    def test_names_are_short(self):
        for name in (b"", b"+", b"a" * 21, b"a%0Ab"):
            self.assertEqual(self.log_in(name).status, 400)
        self.assertEqual(chat.names, {})

    def test_logins_do_not_fill_the_memory(self):
        chat.names.update((b"%d" % number, "somebody") for number in range(10_000))
        alice = self.come(b"Alice")
        self.assertEqual(len(chat.names), 10_000)
        self.assertNotIn(b"0", chat.names)
        self.assertFalse(alice.closed)
