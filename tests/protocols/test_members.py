"""The open connections of a stream, and what is broadcast to them."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.memory import MemoryTransport
from tests.protocols_for_tests import Recorder, RecorderFactory, fail
from upgradegw.events import access_events
from upgradegw.protocols.members import Member, Members
from upgradegw.protocols.stream import StreamUpgrade, stream
from upgradegw.testing import Client
from upgradegw.testing.client import TRANSPORTS
from upgradegw.web.resource import UpgradeResource


def feed(factory: RecorderFactory, **options: Any) -> tuple[StreamUpgrade, Resource]:
    """Make a stream at /feed."""
    upgrade = stream("feed", factory, **options)
    root = Resource()
    root.putChild(b"feed", UpgradeResource([upgrade]))
    return upgrade, root


@pytest.mark.parametrize("over", TRANSPORTS)
class TestBroadcasts:
    """On every transport."""

    def test_who_is_there(self, over: Any) -> None:
        """A protocol is among the connections when it is connected, and no more when it learns that it is not."""
        seen: list[tuple[str, int]] = []

        def note(step: str) -> Any:
            return lambda protocol: seen.append((step, len(upgrade.connections) * (protocol in upgrade.connections)))

        upgrade, root = feed(RecorderFactory(made=note("made"), lost=note("lost"), upgraded=note("upgraded")))
        with Client(root, over) as client:
            tunnel = client.upgrade("feed", "/feed")
            assert len(upgrade.connections) == 1
            tunnel.lose()
        assert seen == [("upgraded", 0), ("made", 1), ("lost", 0)]
        assert len(upgrade.connections) == 0

    def test_to_all_and_to_some(self, over: Any) -> None:
        """All get the bytes; or those for which ``where`` is true."""
        factory = RecorderFactory()
        upgrade, root = feed(factory)
        with Client(root, over) as client:
            tunnels = [client.upgrade("feed", "/feed") for _ in range(3)]
            assert upgrade.broadcast(b"one") == 3
            assert upgrade.broadcast(b"two", where=lambda protocol: protocol is not factory.built[1]) == 2
            assert tunnels[0].received == b"onetwo"
            tunnels[0].lose()
            assert upgrade.broadcast(b"three") == 2
            assert [tunnel.received for tunnel in tunnels] == [b"onetwo", b"onethree", b"onetwothree"]

    def test_one_that_does_not_read(self, over: Any) -> None:
        """A-21: beyond max_unsent the connection is aborted, and its end event says why; the others go on."""
        events: list[Any] = []
        upgrade, root = feed(RecorderFactory(), max_unsent=100_000)
        unsubscribe = access_events.subscribe(events.append)
        try:
            with Client(root, over) as client, Client(client.site, over) as other:
                slow = client.upgrade("feed", "/feed")
                quick = other.upgrade("feed", "/feed")
                slow.pause()
                sent = []
                for number in range(100):
                    sent.append(upgrade.broadcast(bytes(50_000)))
                    assert len(quick.received) == 50_000 * (number + 1)
                assert sent[0] == 2
                assert sent[-1] == 1
                assert len(upgrade.connections) == 1
                slow.resume()
                assert slow.aborted
        finally:
            unsubscribe()
        (first, *_) = [event["reason"] for event in events if event["event"] == "end"]
        assert first == "slow_reader"


class Faults(SynchronousTestCase):
    """What must not keep a broadcast from the others."""

    def connect(self, members: Members, transport: Any, protocol: Any = None) -> Member:
        member = Member(members, protocol or Recorder(RecorderFactory()))
        member.begins(transport)
        return member

    def test_a_transport_that_fails(self) -> None:
        """One failure is logged, and counts as not sent."""

        class Broken(MemoryTransport):
            def write(self, data: bytes) -> None:
                raise RuntimeError("broken")

        members, well = Members(None), MemoryTransport()
        for transport in (Broken(), well):
            self.connect(members, transport)
        assert members.broadcast(b"tea", None, "close") == 1
        assert well.value() == b"tea"
        assert len(self.flushLoggedErrors(RuntimeError)) == 1

    def test_closed_ones_are_left_out(self) -> None:
        """Nothing is written behind a close, nor to a connection that ``where`` or an earlier write has ended."""
        members = Members(None)
        closing = MemoryTransport()
        closing.disconnecting = True
        self.connect(members, closing)
        ended = self.connect(members, MemoryTransport())

        def where(_protocol: Any) -> bool:
            ended.ends()
            return True

        assert members.broadcast(b"tea", where, "close") == 0
        assert closing.value() == b""

    def test_skip(self) -> None:
        """``slow="skip"`` leaves a slow client out and lets it live; unknown transports are never slow."""
        members, transport = Members(10), MemoryTransport()
        transport.unsent = 11  # type: ignore[attr-defined]
        member = self.connect(members, transport)
        self.connect(members, MemoryTransport())
        assert members.broadcast(b"tea", None, "skip") == 1
        assert not transport.disconnecting
        assert member.ends() is None
        transport.unsent = 10  # type: ignore[attr-defined]
        member.begins(transport)
        assert members.broadcast(b"tea", None, "close") == 2

    def test_arguments(self) -> None:
        """Text, an unknown way with slow clients and a limit that is none are errors, before anything is written."""
        members, transport = Members(None), MemoryTransport()
        self.connect(members, transport)
        with pytest.raises(TypeError, match="is bytes, not str"):
            members.broadcast("tea", None, "close")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="slow="):
            members.broadcast(b"tea", None, "wait")  # type: ignore[arg-type]
        with pytest.raises(ZeroDivisionError):
            members.broadcast(b"tea", lambda _: bool(1 // 0), "close")
        assert transport.value() == b""
        with pytest.raises(ValueError, match="max_unsent"):
            stream("feed", RecorderFactory(), max_unsent=0)

    def test_a_protocol_that_fails_at_the_switch(self) -> None:
        """It is not among the connections afterwards."""
        for step in ("upgraded", "made"):
            upgrade, root = feed(RecorderFactory(**{step: fail}))
            with Client(root) as client:
                assert client.start_upgrade("feed", "/feed").closed
            assert len(upgrade.connections) == 0
            assert len(self.flushLoggedErrors(RuntimeError)) == 1
