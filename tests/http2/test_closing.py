"""How an HTTP/2 connection ends."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.http1.wire import Echo, Later, Rendered, make_site
from tests.http2.client import PROTOCOL_ERROR, REFUSED_STREAM, Client, data, fields, frame, ping, rst
from upgradegw.http2.frames import PREFACE, Kind


def left(request: Any) -> list[Any]:
    """Return a list that gets the failure when the request's client leaves."""
    log: list[Any] = []
    request.notifyFinish().addErrback(lambda failure: log.append(failure.value))
    return log


class Errors(SynchronousTestCase):
    """H2-05: after a connection error there is a GOAWAY, and the end within two seconds."""

    def test_goaway_and_end(self) -> None:
        """The GOAWAY names the last stream, the end of the connection follows at once, and nothing more is answered."""
        root = Later()
        client = Client(root)
        client.send(client.head(1), client.head(3))
        lost = [left(request) for request in root.requests]
        client.send(frame(Kind.PUSH_PROMISE, b"\0\0\0\2", 4, 1))
        assert client.goaway == (PROTOCOL_ERROR, 3)
        assert client.eof
        assert [len(each) for each in lost] == [1, 1]
        client.frames.clear()
        client.send(ping() * 100)
        assert client.frames == []
        client.advance(3)
        assert not client.wire.open
        assert len(client.site.connections) == 0
        assert client.reactor.getDelayedCalls() == []

    def test_what_was_answered_is_sent(self) -> None:
        """Answers that were ready before the error reach the client."""
        client = Client()
        client.send(client.head(1) + frame(Kind.PING, b"", 0, 0))
        assert client.goaway is not None

    def test_a_client_that_goes_on(self) -> None:
        """A client that sends on without end is cut off after a megabyte."""
        client = Client().send(frame(Kind.PING))
        assert client.eof
        client.send(*(b"x" * 60_000 for _ in range(20)))
        assert not client.wire.open


class Idle(SynchronousTestCase):
    """Connections without streams."""

    def test_timeout(self) -> None:
        """An idle connection is told GOAWAY without error, and closed; a stream puts that off."""
        client = Client(timeout=60)
        client.advance(50)
        client.send(client.head(1))
        client.advance(50)
        assert client.goaway is None
        client.advance(12)
        assert client.goaway == (0, 1)
        assert client.eof
        assert not client.wire.open

    def test_no_timeout(self) -> None:
        """Without a timeout it stays."""
        assert Client(timeout=None).advance(300).goaway is None

    def test_a_long_answer(self) -> None:
        """A stream that waits for its resource is not idle."""
        root = Later()
        client = Client(root, timeout=60)
        client.send(client.head(1))
        client.advance(300)
        root.requests[0].finish()
        client.turn()
        assert client[1].status == 200


class Stop(SynchronousTestCase):
    """An orderly stop."""

    def test_idle(self) -> None:
        """An idle connection is told GOAWAY and closed at once."""
        client = Client()
        done = client.site.stop()
        client.turn()
        assert client.goaway == (0, 0)
        assert client.eof
        self.successResultOf(done)

    def test_running(self) -> None:
        """Running streams finish, new ones are refused, then the connection closes and the Deferred fires."""
        root = Later()
        client = Client(root)
        client.send(client.head(1), client.head(3, fields(b"POST"), end=False))
        done = client.site.stop()
        client.turn()
        assert client.goaway == (0, 3)
        client.send(client.head(5), data(3, b"content", end=True))
        assert client[5].code == REFUSED_STREAM
        for request in root.requests:
            request.write(b"late")
            request.finish()
        assert not done.called
        client.turn()
        assert [client[number].body for number in (1, 3)] == [b"late"] * 2
        assert client.eof
        self.successResultOf(done)

    def test_a_long_last_answer(self) -> None:
        """The last answer is sent in full before the connection closes."""
        client = Client(Rendered(lambda _: b"x" * 400_000), values={4: 2**30}, buffer=8192)
        client.wire.send(frame(Kind.WINDOW_UPDATE, (2**30).to_bytes(4, "big")))
        client.wire.socket.send(client.head(1))
        client.wire.turn(read=False)
        client.reactor.advance(0)
        done = client.site.stop()
        client.turn()
        assert len(client[1].body) == 400_000
        self.successResultOf(done)

    def test_stalled(self) -> None:
        """A stop ends with abort, which ends everything at once and tells the requests."""
        root = Later()
        client = Client(root)
        client.send(client.head(1))
        lost = left(root.requests[0])
        done = client.site.stop()
        client.turn()
        client.site.abort()
        client.turn()
        assert len(lost) == 1
        self.successResultOf(done)
        assert client.reactor.getDelayedCalls() == []

    def test_within_a_request(self) -> None:
        """A resource may stop its site: its own answer is sent."""
        site: list[Any] = []
        client = Client(Rendered(lambda _: site[0].stop() and b"the last"))
        site.append(client.site)
        client.send(client.head(1) + client.head(3))
        assert client[1].body == b"the last"
        assert client[3].code == REFUSED_STREAM
        assert client.eof

    def test_before_the_preface(self) -> None:
        """A connection that has not begun is closed."""
        client = Client(hello=False).send(PREFACE)
        done = client.site.stop()
        client.turn()
        assert client.eof
        self.successResultOf(done)


class TheClientLeaves(SynchronousTestCase):
    """The other side ends."""

    def test_reset(self) -> None:
        """A-14: a request whose stream is reset is told so; what it writes later goes nowhere."""
        root = Later()
        client = Client(root)
        client.send(client.head(1), client.head(3))
        lost = left(root.requests[0])
        client.send(rst(1))
        assert [type(value) for value in lost] == [ConnectionLost]
        root.requests[0].write(b"nobody reads this")
        client.turn()
        root.requests[1].finish()
        client.turn()
        assert client[3].ended
        assert client[1].heads == []

    def test_reset_of_what_is_answered_already(self) -> None:
        """A reset in the segment of its request comes before the answer, which is not sent."""
        client = Client()
        client.send(client.head(1) + rst(1) + client.head(3))
        assert client[1].heads == []
        assert client[3].status == 200

    def test_fin(self) -> None:
        """A client that ends its side gets what it asked in full; what it did not ask in full is dropped."""
        root = Later()
        client = Client(root)
        client.send(client.head(1), client.head(3, fields(b"POST"), end=False))
        client.wire.fin()
        assert len(root.requests) == 1
        root.requests[0].write(b"full")
        root.requests[0].finish()
        client.turn()
        assert client[1].body == b"full"
        assert client.eof

    def test_fin_of_an_idle_client(self) -> None:
        """A client that ends its side and has asked nothing is closed."""
        client = Client()
        client.wire.fin()
        client.turn()
        assert client.eof

    def test_fin_and_nothing_moves(self) -> None:
        """A client that has ended its side does not keep a silent request for ever."""
        root = Later()
        client = Client(root, timeout=60)
        client.send(client.head(1))
        lost = left(root.requests[0])
        client.wire.fin()
        client.advance(59)
        assert lost == []
        client.advance(4)
        assert len(lost) == 1

    def test_gone(self) -> None:
        """A connection that is lost tells all its requests, and leaves nothing behind."""
        root = Later()
        client = Client(root)
        client.send(client.head(1), client.head(3, fields(b"POST"), end=False))
        lost = left(root.requests[0])
        client.connection.abort()
        client.turn()
        assert len(lost) == 1
        assert len(client.site.connections) == 0
        assert client.reactor.getDelayedCalls() == []

    def test_many_connections(self) -> None:
        """Connections of both kinds stand beside each other."""
        site = make_site(Echo())
        clients = [Client(site=site) for _ in range(5)]
        for client in clients:
            client.send(client.head(1))
            assert client[1].ended
        assert len(site[0].connections) == 5
