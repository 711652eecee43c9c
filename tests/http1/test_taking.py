"""The channel as Takeable: what comes behind a request, and where it goes."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.resource import Resource

from tests.http1.wire import Later, Wire, connect, get, make_site, post
from upgradegw.interfaces import Taken


class Next(Protocol):
    """The protocol that takes over."""

    def __init__(self) -> None:
        self.data = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.lost = True


OFFER = (b"Upgrade: next", b"Connection: Upgrade")
SWITCH = (b"Switching Protocols", ((b"Upgrade", b"next"), (b"Connection", b"Upgrade")))


def switch(request: Any) -> tuple[Taken, Next]:
    """Take a request's connection and put another protocol on it, as the switch does."""
    taken = request.channel.take(request)
    protocol = Next()
    taken.attach(protocol)
    taken.write_head(*SWITCH)
    protocol.makeConnection(taken.transport)
    if taken.leading_data:
        protocol.dataReceived(taken.leading_data)
    if taken.resume is not None:
        taken.resume()
    return taken, protocol


class Taking(SynchronousTestCase):
    """HTTP ends."""

    def test_the_transport_goes_over(self) -> None:
        """UP-01, UP-02, UP-15: one 101 with its fields is written, and bytes go both ways without HTTP."""
        root = Later()
        wire = connect(root).send(get(b"/", *OFFER))
        (request,) = root.requests
        assert request.channel.transport_to_be() is wire.transport
        assert not request.channel.bytes_behind()
        taken, protocol = switch(request)
        assert taken.transport is wire.transport
        assert wire.take() == b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: next\r\nConnection: Upgrade\r\n\r\n"
        wire.send(b"GET / HTTP/1.1\r\n\r\n")
        assert protocol.data == b"GET / HTTP/1.1\r\n\r\n"
        protocol.transport.write(b"raw")  # type: ignore[union-attr]
        assert wire.take() == b"raw"

    def test_leading_data(self) -> None:
        """UP-12: what came behind the request is handed over, all of it, wherever the segments were cut."""
        for size in (0, 1, 20_000, 100_000):
            data = bytes(number % 251 for number in range(size))
            for cut in (0, 1, len(get(b"/", *OFFER)) - 1, len(get(b"/", *OFFER)), len(get(b"/", *OFFER)) + 1):
                root = Later()
                whole = get(b"/", *OFFER) + data
                wire = connect(root)
                wire.send(whole[:cut], whole[cut:])
                assert root.requests[0].channel.bytes_behind() is bool(size)
                _, protocol = switch(root.requests[0])
                assert protocol.data == data
                wire.send(b"more")
                assert protocol.data == data + b"more"

    def test_leading_data_beyond_the_bound(self) -> None:
        """A-27: reading stops at max_leading_data while a switch is prepared, and goes on behind it."""
        root = Later()
        wire = connect(root, max_leading_data=1000).send(get(b"/", *OFFER))
        wire.send(b"x" * 5000)
        assert wire.transport not in wire.reactor.getReaders()
        wire.socket.send(b"y" * 1000)
        _, protocol = switch(root.requests[0])
        wire.turn()
        assert protocol.data == b"x" * 5000 + b"y" * 1000

    def test_behind_pipelined_requests(self) -> None:
        """A-06: a switch on a used connection, behind pipelined requests, in order."""
        root = Later()
        wire = connect(root).send(get(b"/1") + post(b"abc", b"/2") + get(b"/3", *OFFER) + b"leading")
        for number in range(2):
            root.requests[number].write(b"%d" % number)
            root.requests[number].finish()
        _, protocol = switch(root.requests[2])
        answers = wire.answers()
        assert [answer.status for answer in answers] == [200, 200, 101]
        assert protocol.data == b"leading"

    def test_nothing_stays(self) -> None:
        """No deadline, no producer and no reference to the request stay; the connection is still counted."""
        root = Later()
        site, reactor = make_site(root)
        wire = Wire(site, reactor).send(get(b"/", *OFFER))
        (request,) = root.requests
        channel, finished = request.channel, request.notifyFinish()
        _, protocol = switch(request)
        self.successResultOf(finished)
        reactor.advance(60)  # the wheel turns once more, and finds nothing
        assert reactor.getDelayedCalls() == []
        assert wire.transport.producer is None
        assert request.channel is None
        assert channel._request is None
        assert site.connections == {channel}
        wire.close()
        assert protocol.lost
        channel.ended()
        assert site.connections == set()

    def test_a_slow_answer_before(self) -> None:
        """What of an earlier answer still waits goes out before the 101."""

        class Root(Later):
            def render(self, request: Any) -> Any:
                if request.path == b"/big":
                    return b"x" * 400_000
                return super().render(request)

        root = Root()
        site, reactor = make_site(root)
        wire = Wire(site, reactor, buffer=4096)
        wire.socket.send(get(b"/big") + get(b"/", *OFFER))
        wire.turn(read=False)
        assert root.requests == []
        wire.turn()
        switch(root.requests[0])
        assert [answer.status for answer in wire.answers()] == [200, 101]

    def test_what_the_application_wrote_before(self) -> None:
        """An unfinished interim write is sent before the 101, not lost."""
        root = Later()
        wire = connect(root).send(get(b"/", *OFFER, b"Expect: 100-continue"))
        switch(root.requests[0])
        assert [answer.status for answer in wire.answers()] == [100, 101]

    def test_after_a_fin(self) -> None:
        """A-32: a client that has ended its side already is told of in ``read_closed``."""
        root = Later()
        connect(root).send(get(b"/", *OFFER)).fin()
        taken, _ = switch(root.requests[0])
        assert taken.read_closed

    def test_only_the_present_request(self) -> None:
        """A request that has been answered cannot take the connection from the next one."""
        root = Later()
        wire = connect(root).send(get() + get())
        root.requests[0].finish()
        with pytest.raises(RuntimeError):
            wire.protocol.take(root.requests[0])

    def test_stopping(self) -> None:
        """An orderly stop tells the protocol, and is done when it has ended."""
        root = Later()
        site, reactor = make_site(root)
        Wire(site, reactor).send(get(b"/", *OFFER))
        channel, told = root.requests[0].channel, []
        switch(root.requests[0])
        standing = channel.switched(lambda _code: told.append("going away"))
        stopped = site.stop()
        assert told == ["going away"]
        self.assertNoResult(stopped)
        standing.ended()
        self.successResultOf(stopped)


class Refusing(SynchronousTestCase):
    """An offer that is refused."""

    class Refuse(Resource):
        isLeaf = True

        def render(self, request: Any) -> bytes:
            request.channel.close_after_response()
            request.setResponseCode(426)
            request.setHeader(b"Connection", b"upgrade")
            return b"no"

    def test_with_bytes_behind(self) -> None:
        """A-05, WS-22: behind a refused offer with bytes behind it, the connection closes and nothing is parsed."""
        wire = connect(self.Refuse()).send(get(b"/", *OFFER) + post(b"", b"/admin"))
        (answer,) = wire.answers()
        assert answer.get(b"connection") == b"upgrade, close"
        assert wire.eof

    def test_without_the_connection_option(self) -> None:
        """A-05: the same for an offer without ``Connection: upgrade``, which a resource may let pass."""
        wire = connect(self.Refuse()).send(get(b"/", b"Upgrade: IF-T/TLS 1.0") + post(b"", b"/admin"))
        assert len(wire.answers()) == 1
        assert wire.eof

    def test_alone(self) -> None:
        """UP-13: a refused offer with nothing behind it leaves the connection usable."""
        wire = connect(self.Refuse())
        for _ in range(2):
            (answer,) = wire.send(get(b"/", *OFFER)).answers()
            assert answer.get(b"connection") == b"upgrade"
        assert wire.open

    def test_plain_requests(self) -> None:
        """Pipelined requests behind one that offered nothing are answered."""
        wire = connect(self.Refuse()).send(get() * 3)
        assert len(wire.answers()) == 3
        assert wire.open
