"""Tests of the bell: Django in this thread, with a database in memory."""

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client as Browser
from django.test import override_settings
from twisted.internet.defer import execute
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

import bell
import wsgi
from upgradegw.testing import Client, Refused


class AtOnce:
    """Stands for the reactor: what it is to call from a thread is called at once."""

    def callFromThread(self, function, *args):
        function(*args)


class BellTests(SynchronousTestCase):
    def setUp(self):
        self.patch(bell, "reactor", AtOnce())
        self.patch(bell, "deferToThread", execute)
        self.assertTrue(wsgi.application)  # Django is set up
        before = connection.settings_dict["NAME"]
        connection.creation.create_test_db(verbosity=0)
        self.addCleanup(connection.creation.destroy_test_db, before, verbosity=0)
        self.alice = get_user_model().objects.create_user("alice")
        self.browser = Browser(headers={"Host": "localhost"})
        root = Resource()
        root.putChild(b"bell", bell.bell)
        self.client = Client(root, host="localhost")
        self.addCleanup(self.client.close)

    def cookies(self):
        return {"sessionid": self.browser.cookies["sessionid"].value}

    def test_who_has_logged_in_hears_the_bell(self):
        self.browser.force_login(self.alice)
        alice = self.client.websocket("/bell", cookies=self.cookies())
        self.assertIn(b"Hello, alice", self.browser.get("/").content)
        self.assertEqual(self.browser.post("/ring").status_code, 204)
        self.assertEqual(alice.messages, ["alice has rung."])

    def test_who_has_logged_out_does_not(self):
        self.browser.force_login(self.alice)
        cookies = self.cookies()
        self.browser.logout()
        for each in (cookies, {"sessionid": "guessed"}, {}):
            with self.assertRaises(Refused) as caught:
                self.client.websocket("/bell", cookies=each)
            self.assertEqual(caught.exception.status, 401)

    def test_who_has_a_session_from_before_a_new_secret_key_keeps_it(self):
        self.browser.force_login(self.alice)
        with override_settings(SECRET_KEY=secrets.token_hex(), SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
            self.client.websocket("/bell", cookies=self.cookies())
            self.assertIn(b"Hello, alice", self.browser.get("/").content)

    def test_a_user_who_is_blocked_does_not(self):
        self.browser.force_login(self.alice)
        get_user_model().objects.update(is_active=False)
        with self.assertRaises(Refused):
            self.client.websocket("/bell", cookies=self.cookies())
