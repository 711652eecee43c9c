"""A stock HTTPChannel in the states in which it cannot be taken, and resources within resources."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.memory import Memory, fields_of, upgrade_request
from tests.protocols_for_tests import RecorderFactory
from upgradegw.protocols.stream import stream
from upgradegw.takeover import takeable
from upgradegw.web.resource import UpgradeResource


class Waiting(Resource):
    """Keeps the request and its connection, and answers nothing."""

    isLeaf = True
    request: Any
    connection: Any

    def render(self, request: Any) -> int:
        self.request, self.connection = request, takeable(request)
        return NOT_DONE_YET


class TakingTooLate(SynchronousTestCase):
    """What has ended cannot be taken; nothing is changed by trying."""

    def setUp(self) -> None:
        self.resource = Waiting()
        self.memory = Memory(self.resource, stock=True)
        self.memory.send(upgrade_request())

    def assert_refused(self) -> None:
        with pytest.raises(RuntimeError):
            self.resource.connection.take(self.resource.request)

    def test_client_gone(self) -> None:
        """The client has left."""
        self.memory.transport.lose(ConnectionLost())
        self.assert_refused()
        assert takeable(self.resource.request) is None

    def test_answer_begun(self) -> None:
        """A part of an answer is out, and the rest of it can still be written."""
        self.resource.request.write(b"part")
        self.assert_refused()
        self.resource.request.finish()
        assert self.memory.received.endswith(b"0\r\n\r\n")

    def test_answered(self) -> None:
        """The answer is complete."""
        self.resource.request.finish()
        self.assert_refused()
        assert takeable(self.resource.request) is None


class ClosingBehindTheAnswer(SynchronousTestCase):
    """A-05 on a stock Site."""

    def nested(self) -> Memory:
        inner = UpgradeResource([stream("b", RecorderFactory())])
        return Memory(UpgradeResource([stream("a", RecorderFactory())], otherwise=inner), stock=True)

    def test_nested(self) -> None:
        """One UpgradeResource as the ``otherwise`` of another: both decline, and the answer is the inner one's."""
        memory = self.nested()
        memory.send(upgrade_request(b"foo"))
        assert memory.status == 426
        assert fields_of(memory.received)[b"upgrade"] == b"b"

    def test_nested_with_bytes_behind(self) -> None:
        """A-05: the connection closes, and says so once."""
        memory = self.nested()
        memory.send(upgrade_request(b"foo") + b"GET /hidden HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert memory.received.count(b"HTTP/1.1 ") == 1
        assert fields_of(memory.received)[b"connection"] == b"upgrade, close"
        assert memory.transport.disconnecting
