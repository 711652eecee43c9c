"""Tests of the bell: Flask in this thread, the WebSocket with a client in memory."""

from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

import app
from upgradegw.testing import Client, Refused


class AtOnce:
    """Stands for the reactor: what it is to call from a thread is called at once."""

    def callFromThread(self, function, *args):
        function(*args)


class BellTests(SynchronousTestCase):
    def setUp(self):
        self.patch(app, "reactor", AtOnce())
        self.browser = app.app.test_client()
        root = Resource()
        root.putChild(b"bell", app.bell)
        self.client = Client(root, host="localhost")
        self.addCleanup(self.client.close)

    def test_who_has_a_session_hears_the_bell(self):
        self.browser.post("/login", data={"name": "Alice"})
        cookies = {"session": self.browser.get_cookie("session").value}
        alice = self.client.websocket("/bell", cookies=cookies)
        self.assertIn("Hello, Alice", self.browser.get("/").text)
        self.assertEqual(self.browser.post("/ring").status_code, 204)
        self.assertEqual(alice.messages, ["Alice has rung."])

    def test_who_has_none_does_not(self):
        self.browser.post("/login", data={"name": "Alice"})
        forged = self.browser.get_cookie("session").value[:-2] + "xx"
        for cookies in ({"session": forged}, {}):
            with self.assertRaises(Refused) as caught:
                self.client.websocket("/bell", cookies=cookies)
            self.assertEqual(caught.exception.status, 401)
        self.assertEqual(app.app.test_client().post("/ring").status_code, 401)
