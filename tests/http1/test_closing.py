"""How connections end: refusals that arrive, FINs, deadlines, and nothing left behind."""

from __future__ import annotations

import pytest
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Echo, Later, Wire, connect, get, make_site
from upgradegw.http1.closing import State


class HalfClose(SynchronousTestCase):
    """A-32: the client ends its side."""

    def test_behind_a_request(self) -> None:
        """A FIN behind a complete request does not destroy its answer."""
        root = Later()
        wire = connect(root).send(get()).fin()
        assert wire.open
        root.requests[0].write(b"still")
        root.requests[0].finish()
        assert wire.answers()[0].body == b"still"
        assert wire.eof
        assert not wire.open

    def test_behind_several(self) -> None:
        """All requests before the FIN are answered."""
        root = Later()
        wire = connect(root).send(get() * 3).fin()
        for number in range(3):
            root.requests[number].finish()
        assert len(wire.answers()) == 3
        assert not wire.open

    def test_idle(self) -> None:
        """A FIN on an idle connection closes it."""
        assert not connect().fin().open
        assert not connect().send(get()).fin().open

    def test_in_a_request(self) -> None:
        """A FIN within a head or content closes the connection; no resource sees the request."""
        for start in (b"GET / HT", get()[:-2], get(b"/", b"Content-Length: 5", method=b"POST") + b"1234"):
            root = Later()
            wire = connect(root).send(start).fin()
            assert not wire.open
            assert root.requests == []
            assert wire.reactor.getDelayedCalls() == []

    def test_an_answer_that_does_not_come(self) -> None:
        """After a FIN, an answer that has not begun within the idle timeout is given up, and its request told."""
        root = Later()
        wire = connect(root).send(get()).fin()
        done = root.requests[0].notifyFinish()
        wire.advance(58)
        assert wire.open
        wire.advance(3)
        assert not wire.open
        self.failureResultOf(done)

    def test_an_answer_that_goes_on(self) -> None:
        """An answer that is being written goes on as long as something is written."""
        root = Later()
        wire = connect(root).send(get()).fin()
        for _ in range(5):
            root.requests[0].write(b"more")
            wire.advance(50)
        assert wire.open
        root.requests[0].finish()
        wire.turn()
        assert not wire.open

    def test_reading_is_not_resumed(self) -> None:
        """After the FIN nothing is read any more: a reactor would report the end again and again."""
        root = Later()
        wire = connect(root).send(get()).fin()
        root.requests[0].write(b"x" * 300_000)
        wire.turn()
        assert wire.transport not in wire.reactor.getReaders()


class Deadlines(SynchronousTestCase):
    """A-25, A-27, A-31: a connection on which nothing happens ends."""

    def test_idle(self) -> None:
        """A connection on which nothing is asked closes after the idle timeout, without a word."""
        for wire in (connect(), connect().send(get())):
            wire.take()
            wire.advance(59)
            assert wire.open
            wire.advance(2)
            assert (wire.open, wire.take()) == (False, b"")

    def test_site_timeout(self) -> None:
        """The idle timeout is Site's ``timeout``; None for none; it can be set on the site."""
        assert not connect(timeout=5).advance(6).open
        assert connect(timeout=None).advance(500).open
        site, reactor = make_site()
        site.timeOut = 7
        assert not Wire(site, reactor).advance(8).open

    def test_head(self) -> None:
        """A-25: a head that is not there 10 s after its first byte is 408, however busily it drips."""
        wire = connect()
        data = get(b"/", b"X: " + b"a" * 500)
        wire.advance(30)
        for at in range(9):
            wire.send(data[at : at + 1]).advance(1)
        assert wire.open
        wire.send(data[9:10]).advance(2)
        (answer,) = wire.answers()
        assert answer.status == 408
        wire.advance(3)
        assert not wire.open
        assert wire.reactor.getDelayedCalls() == []

    def test_head_of_a_second_request(self) -> None:
        """A-25: the deadline of a head holds on a connection that has been used, and ends with the head."""
        wire = connect().send(get(), b"GET ")
        wire.advance(8).send(get()[4:]).advance(30)
        assert [answer.status for answer in wire.answers()] == [200, 200]
        wire.send(b"G").advance(11)
        assert wire.answers()[0].status == 408

    def test_content(self) -> None:
        """A-27: content that stalls for content_timeout is 408; a byte now and then prolongs it."""
        root = Later()
        wire = connect(root, content_timeout=20).send(get(b"/", b"Content-Length: 9", method=b"POST"))
        for _ in range(3):
            wire.send(b"x").advance(15)
        assert wire.open
        wire.advance(7)
        assert wire.answers()[0].status == 408
        assert root.requests == []

    def test_no_deadline_while_answering(self) -> None:
        """An application may take its time; the client's next bytes do not count."""
        root = Later()
        wire = connect(root).send(get(), b"GET").advance(1000)
        assert wire.open
        root.requests[0].finish()
        assert len(wire.answers()) == 1
        wire.advance(11)
        assert wire.answers()[0].status == 408

    def test_close_that_does_not_end(self) -> None:
        """A connection that was closed and whose client takes nothing is aborted after write_timeout."""
        site, reactor = make_site(write_timeout=10)
        channel, transport = site.buildProtocol(None), StringTransport()
        channel.makeConnection(transport)
        channel.dataReceived(get(b"/", b"Connection: close"))
        assert transport.disconnecting
        assert not transport.disconnected
        for _ in range(11):
            reactor.advance(1)
        assert transport.disconnected
        channel.connectionLost()

    def test_a_transport_that_was_taken_without_asking(self) -> None:
        """A resource that helps itself to ``channel.transport`` leaves nothing behind here."""
        root = Later()
        wire = connect(root).send(get())
        wire.protocol.transport = None
        wire.advance(61)
        assert wire.reactor.getDelayedCalls() == []
        assert wire.protocol._context.connections == set()

    def test_no_calls_left(self) -> None:
        """After every way to end there is no delayed call, and no connection in the books."""
        site, reactor = make_site(Echo())
        wires = [Wire(site, reactor) for _ in range(6)]
        assert len(reactor.getDelayedCalls()) == 1
        wires[0].close()
        wires[1].send(get(b"/", b"Connection: close"))
        wires[2].send(b"bad\r\n").fin()
        wires[3].send(get()).fin()
        wires[4].protocol.abort()
        wires[5].send(b"GET")
        for _ in range(70):
            reactor.advance(1)
            wires[5].turn()
        assert site.connections == set()
        assert reactor.getDelayedCalls() == []
        assert wires[0].protocol._state == State.GONE


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_requests_leave_no_calls(version: bytes) -> None:
    """A request that is answered makes no delayed call of its own."""
    site, reactor = make_site()
    wire = Wire(site, reactor)
    (before,) = reactor.getDelayedCalls()
    wire.send(b"GET / HTTP/" + version + b"\r\nHost: a\r\n\r\n")
    assert all(call is before for call in reactor.getDelayedCalls())
