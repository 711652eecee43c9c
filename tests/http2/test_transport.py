"""A stream as the transport of another protocol: its end, and back-pressure."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.trial.unittest import SynchronousTestCase

from tests.http2.client import (
    CANCEL,
    INITIAL_WINDOW_SIZE,
    NO_ERROR,
    Client,
    connect_fields,
    data,
    rst,
    window_update,
)
from tests.http2.talking import HalfTalker, Switching, tunnel
from tests.producers import Producer
from upgradegw.http2.frames import Kind


class Ending(SynchronousTestCase):
    """EC-08: END_STREAM is an orderly end, RST_STREAM with CANCEL is not; siblings live on."""

    def test_the_client_ends(self) -> None:
        """END_STREAM ends a protocol that knows no half-closed ones, and is answered with END_STREAM."""
        client, root, talker = tunnel()
        talker.transport.write(b"last words")
        client.send(data(1, b"bye", end=True))
        assert (talker.data, talker.end) == (b"bye", ConnectionDone)
        assert client[1].body == b"last words"
        assert client[1].ended
        assert client[1].code is None
        assert [(end.bytes_in, end.bytes_out, end.reason) for end in root.ends] == [(3, 10, "closed")]

    def test_half_closed(self) -> None:
        """A protocol that knows half-closed connections goes on writing, and ends its side itself."""
        client, _, talker = tunnel(Switching(HalfTalker))
        client.send(data(1, b"question", end=True))
        assert talker.read_ended  # type: ignore[attr-defined]
        assert talker.end is None
        talker.transport.write(b"answer")
        client.turn()
        talker.transport.loseConnection()
        client.turn()
        assert client[1].body == b"answer"
        assert client[1].ended
        assert talker.end is ConnectionDone

    def test_our_half(self) -> None:
        """We may end our side and read on."""
        client, _, talker = tunnel(Switching(HalfTalker))
        talker.transport.write(b"question")
        talker.transport.loseWriteConnection()
        client.turn()
        assert client[1].ended
        client.send(data(1, b"answer"))
        assert (talker.data, talker.end) == (b"answer", None)
        client.send(data(1, b"!", end=True))
        assert (talker.data, talker.end) == (b"answer!", ConnectionDone)
        assert client.connection._streams.live == {}

    def test_we_close(self) -> None:
        """loseConnection sends what is written, then END_STREAM; a client that does not close, too, is reset."""
        client, root, talker = tunnel()
        talker.transport.write(b"bye")
        talker.transport.loseConnection()
        talker.transport.write(b"not this")
        client.turn()
        assert client[1].body == b"bye"
        assert client[1].ended
        assert talker.end is ConnectionDone
        client.send(data(1, b"late"))
        assert talker.data == b""
        assert client[1].code is None
        client.advance(4)
        assert client[1].code == NO_ERROR
        assert len(root.ends) == 1
        assert client.goaway is None

    def test_we_close_and_the_client_does(self) -> None:
        """Where both have ended there is no reset."""
        client, _, talker = tunnel()
        talker.transport.loseConnection()
        client.turn()
        client.send(data(1, end=True)).advance(5)
        assert client[1].code is None
        assert client.connection._streams.live == {}

    def test_we_abort(self) -> None:
        """abortConnection resets with CANCEL and drops what waits."""
        client, _, talker = tunnel()
        talker.transport.write(b"lost" * 1000)
        talker.transport.abortConnection()
        client.turn()
        assert client[1].code == CANCEL
        assert client[1].body == b""
        assert talker.end is ConnectionLost

    def test_the_client_resets(self) -> None:
        """A reset is a lost connection; siblings go on."""
        root = Switching()
        client = Client(root)
        client.send(client.head(1, connect_fields(), end=False), client.head(3, connect_fields(), end=False))
        client.send(rst(1))
        assert [talker.end for talker in root.talkers] == [ConnectionLost, None]
        client.send(data(3, b"still"))
        assert root.talkers[1].data == b"still"

    def test_the_connection_is_lost(self) -> None:
        """All tunnels of a connection that is lost are lost."""
        client, root, talker = tunnel()
        client.connection.abort()
        client.turn()
        assert talker.end is not None
        assert root.ends[0].reason == "lost" or root.ends[0].reason == "closed"

    def test_stop(self) -> None:
        """A stop tells the protocol, and waits for it."""
        client, root, talker = tunnel(Switching(wait=False))
        stream = client.connection._streams.live[1]
        told: list[None] = []
        stream.switched(lambda _code: told.append(None))
        done = client.site.stop()
        client.turn()
        assert told == [None]
        assert client.goaway == (0, 1)
        assert not done.called
        talker.transport.loseConnection()
        client.send(data(1, end=True))
        assert client.eof
        self.successResultOf(done)
        assert len(root.ends) == 1

    def test_switched_while_stopping(self) -> None:
        """A protocol that starts while the site stops is told at once; one that has ended already is not."""
        root = Switching(wait=True)
        client = Client(root)
        client.send(client.head(1, connect_fields(), end=False))
        client.site.stop()
        stream = root.switch(root.requests[0])
        told: list[None] = []
        stream.switched(lambda _code: told.append(None))
        assert told == [None]
        stream.ended()
        client.send(rst(1))
        stream.switched(lambda _code: told.append(None))
        assert told == [None]

    def test_refused(self) -> None:
        """An answer other than a switch ends the stream; what the client has sent for the tunnel is dropped."""
        root = Switching(wait=True)
        client = Client(root)
        client.send(client.head(1, connect_fields(), end=False) + data(1, b"early"))
        root.requests[0].setResponseCode(403)
        root.requests[0].finish()
        client.turn()
        assert client[1].status == 403
        assert client[1].ended
        client.send(data(1, b"more"), client.head(3)).advance(4)
        assert client[1].code == NO_ERROR
        assert client.goaway is None


class BackPressure(SynchronousTestCase):
    """EC-09: windows open as the protocol consumes, and a client that does not read pauses who writes."""

    def test_reading(self) -> None:
        """A protocol that pauses lets the client's window run out; what is there is delivered when it resumes."""
        client, _, talker = tunnel()
        client.frames.clear()
        talker.transport.pauseProducing()
        client.send(*(data(1, b"x" * 16_384) for _ in range(4)))
        assert client.kinds() == []
        assert talker.data == b""
        talker.transport.resumeProducing()
        client.turn()
        assert talker.data == b"x" * 65_536
        assert client.kinds() == [Kind.WINDOW_UPDATE]

    def test_the_end_behind_a_pause(self) -> None:
        """The client's end is told behind the bytes that wait."""
        client, _, talker = tunnel()
        talker.transport.pauseProducing()
        client.send(data(1, b"bye", end=True))
        assert (talker.data, talker.end) == (b"", None)
        talker.transport.resumeProducing()
        assert (talker.data, talker.end) == (b"bye", ConnectionDone)

    def test_writing(self) -> None:
        """A producer is paused while the window is full."""
        client, _, talker = tunnel(values={INITIAL_WINDOW_SIZE: 1000})
        producer = Producer()
        talker.transport.registerProducer(producer, True)
        talker.transport.write(b"x" * 70_000)
        client.turn()
        assert producer.calls == ["pause"]
        client.send(window_update(69_000, 1))
        client.send(window_update(69_000))
        assert producer.calls == ["pause", "resume"]
        talker.transport.unregisterProducer()
        talker.transport.loseConnection()
        late = Producer()
        talker.transport.registerProducer(late, True)
        assert late.calls == ["stop"]

    def test_a_client_that_does_not_read(self) -> None:
        """A-21: a closed tunnel whose client takes nothing is reset after write_timeout; its siblings go on.

        Until it is closed, how long to wait is its protocol's to say, as behind a 101.
        """
        client, root, talker = tunnel(values={INITIAL_WINDOW_SIZE: 0}, write_timeout=20)
        client.send(client.head(3, connect_fields(), end=False))
        talker.transport.write(b"x")
        client.advance(60)
        assert client[1].code is None
        talker.transport.loseConnection()
        client.advance(23)
        assert client[1].code == CANCEL
        assert [each.end for each in root.talkers] == [ConnectionLost, None]

    def test_an_idle_tunnel_lives(self) -> None:
        """A tunnel on which nothing is said has no deadline here: its protocol has its own."""
        client, _, talker = tunnel(timeout=60)
        client.advance(300)
        assert talker.end is None
        assert client.goaway is None
