"""Tests of the notes, with a client in memory."""

import json

from twisted.trial.unittest import SynchronousTestCase

import notes
from upgradegw.testing import Client


class NotesTests(SynchronousTestCase):
    over = "http/1.1"

    def setUp(self):
        notes.notes.clear()
        self.client = Client(notes.site(), self.over)
        self.addCleanup(self.client.close)

    def add(self, note):
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.client.request("POST", "/notes", fields=form, content=b"note=" + note)

    def test_who_looks_sees_a_new_note(self):
        alice, bob = self.client.websocket("/live"), self.client.websocket("/live")
        self.assertEqual(self.add(b"Buy+tea").status, 200)
        self.assertEqual(alice.messages, ["Buy tea"])
        self.assertEqual(bob.messages, ["Buy tea"])

    def test_the_page_opens_the_websocket(self):
        page = self.client.get("/")
        self.assertIn(b'new URL("live"', page.content)

    def test_notes_are_kept(self):
        self.add(b"Buy+tea")
        self.assertEqual(json.loads(self.client.get("/notes").content), ["Buy tea"])

    def test_old_notes_go(self):
        for number in range(101):
            self.add(b"%d" % number)
        self.assertEqual(notes.notes, [str(number) for number in range(1, 101)])


class NotesOverHttp2Tests(NotesTests):
    over = "http/2+tls"
