"""A broadcast to clients that do not read."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.web.resource import Resource

from tests.protocols.websocket.support import CLOSE, Connection, Several
from tests.testing.applications import EchoFactory
from upgradegw.protocols.websocket import WebSocketUpgrade, websocket
from upgradegw.testing import Client
from upgradegw.testing.client import TRANSPORTS
from upgradegw.web.resource import UpgradeResource

KIB = 1 << 10
MIB = 1 << 20


@pytest.mark.parametrize("over", TRANSPORTS)
def test_a_slow_client_on_every_transport(over: Any) -> None:
    """A-21: a client that does not read gets Close 1008 behind what was queued for it, and nothing after that."""
    upgrade = websocket(EchoFactory(), max_unsent=200_000, ping_interval=None)
    root = Resource()
    root.putChild(b"ws", UpgradeResource([upgrade]))
    with Client(root, over) as client, Client(client.site, over) as other:
        slow, quick = client.websocket("/ws"), other.websocket("/ws")
        slow.tunnel.pause()
        sent = []
        for number in range(100):
            sent.append(upgrade.broadcast(b"%04d" % number + bytes(20_000)))
            assert len(quick.messages) == number + 1
        assert (sent[0], sent[-1]) == (2, 1)
        assert [message[:4] for message in quick.messages] == [b"%04d" % number for number in range(100)]
        slow.tunnel.resume()
        queued = sent.count(2)
        assert [message[:4] for message in slow.messages] == [b"%04d" % number for number in range(queued)]
        assert (slow.close_code, slow.closed) == (1008, True)


class Slow(Several):
    """A-21: clients that do not read."""

    def fill(self, **options: Any) -> tuple[WebSocketUpgrade, Connection, Connection]:
        """Open a connection that is over its limit, and one that reads."""
        options.setdefault("max_unsent", MIB)
        upgrade = websocket(self.factory, ping_interval=None, **options)
        slow, quick = self.connect(upgrade=upgrade, window=1000), self.connect(upgrade=upgrade)
        while slow.protocol.upgradegw_watch.writes.unsent() <= options["max_unsent"]:
            assert upgrade.broadcast(bytes(100 * KIB)) == 2
            slow.flush()
            quick.flush()
            self.clock.advance(0)
        return upgrade, slow, quick

    def test_closed_with_1008(self) -> None:
        """The Close is the last thing that is queued; whoever reads on after all finds it there."""
        upgrade, slow, quick = self.fill()
        assert upgrade.broadcast("more") == 1
        assert upgrade.broadcast("still more") == 1
        slow.wire.window = None
        slow.flush()
        assert slow.frames[-1][0] == CLOSE
        self.assert_ended(slow, 1008, "slow_reader")
        quick.flush()
        assert quick.messages[-2:] == [b"more", b"still more"]
        self.end(quick)

    def test_dropped_in_time(self) -> None:
        """A client that never reads is dropped after close_timeout, and the log says why."""
        for close_timeout, seconds in ((2, 2.5), (None, 70)):
            upgrade, slow, quick = self.fill(close_timeout=close_timeout)
            upgrade.broadcast("more")
            assert slow.open
            self.advance(seconds)
            assert slow.wire.aborted
            assert slow.summary is not None
            assert slow.summary.reason == "slow_reader"
            assert slow.protocol.seen[-1][:3] == ("close", False, 1006)
            self.end(quick)

    def test_skipped(self) -> None:
        """``slow="skip"`` leaves it out; it gets what comes when it has read."""
        upgrade, slow, quick = self.fill()
        assert upgrade.broadcast("lost", slow="skip") == 1
        slow.wire.window = None
        slow.flush()
        assert upgrade.broadcast("found", slow="skip") == 2
        slow.flush()
        assert slow.messages[-1] == b"found"
        assert b"lost" not in slow.messages
        self.end_all(slow, quick)

    def test_bounded(self) -> None:
        """What is kept for it is at most the limit, one message and one Close frame, whatever is sent."""
        upgrade, slow, quick = self.fill()
        for _ in range(50):
            upgrade.broadcast(bytes(100 * KIB))
            self.clock.advance(0)
        assert len(slow.wire.dataBuffer) + slow.wire._tempDataLen < MIB + 101 * KIB
        self.end_all(slow, quick)

    def test_limits_below_a_buffer(self) -> None:
        """A limit smaller than the transport's own buffer holds as well."""
        upgrade = websocket(self.factory, max_unsent=10, ping_interval=None)
        slow = self.connect(upgrade=upgrade, window=0)
        slow.wire.window = 0
        slow.wire.write(bytes(11))
        assert upgrade.broadcast("tea") == 0
        assert slow.protocol.state == slow.protocol.STATE_CLOSING
        self.end(slow)

    def test_no_limit(self) -> None:
        """max_unsent=None: nobody is slow."""
        upgrade = websocket(self.factory, max_unsent=None, ping_interval=None, write_timeout=None)
        slow = self.connect(upgrade=upgrade, window=10)
        assert [upgrade.broadcast(bytes(MIB)) for _ in range(20)] == [1] * 20
        self.end(slow)

    def test_a_transport_that_does_not_tell(self) -> None:
        """Where nobody knows what is unsent, what was written since the buffer was last empty is taken for it."""
        upgrade = websocket(self.factory, max_unsent=MIB, ping_interval=None)
        slow = self.connect(upgrade=upgrade, window=10)
        writes = slow.protocol.upgradegw_watch.writes
        writes._transport = object()
        writes.burst = MIB
        assert not writes.over_limit(writes.unsent())
        writes.burst = MIB + 1
        assert writes.over_limit(writes.unsent())
        writes._transport = slow.wire
        self.end(slow)
