"""A stream that is taken away from HTTP: what is answered, what leads, and what cannot be taken."""

from __future__ import annotations

import pytest
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IConsumer, IPushProducer, ITransport
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from tests.http2.client import (
    PROTOCOL_ERROR,
    Client,
    connect_fields,
    data,
    rst,
    settings,
)
from tests.http2.talking import HalfTalker, Switching, Talker, tunnel
from upgradegw.http2.frames import Kind
from upgradegw.takeover import takeable


class Taking(SynchronousTestCase):
    """An extended CONNECT whose stream is taken."""

    def test_switch(self) -> None:
        """EC-02, EC-05: the answer is 200 with the fields given and no others; then bytes go both ways as DATA."""
        client, root, talker = tunnel()
        assert client[1].heads == [[(b":status", b"200"), (b"x-here", b"yes")]]
        assert root.requests[0].extended_connect == b"echo"
        client.send(data(1, b"hello"))
        assert talker.data == b"hello"
        talker.transport.write(b"good ")
        talker.transport.writeSequence([b"d", b"ay"])
        client.turn()
        assert client[1].body == b"good day"
        assert not client[1].ended

    def test_the_transport(self) -> None:
        """The transport is one as Twisted knows it, and tells addresses."""
        client, _, talker = tunnel()
        for interface in (ITransport, IPushProducer, IConsumer):
            assert verifyObject(interface, talker.transport)
        assert talker.transport.getPeer() == client.wire.transport.getPeer()
        assert talker.transport.getHost() == client.wire.transport.getHost()

    def test_leading_data(self) -> None:
        """Bytes that come before the switch are the new protocol's, in order; the window is not given back before."""
        root = Switching(wait=True)
        client = Client(root)
        client.send(client.head(1, connect_fields(), end=False) + data(1, b"x" * 16_384))
        client.frames.clear()
        client.send(data(1, b"x" * 16_384), data(1, b"x" * 16_384) + data(1, b"end"))
        assert client.kinds() == []
        stream = takeable(root.requests[0])
        assert stream is not None
        assert stream.bytes_behind()
        root.switch(root.requests[0])
        client.turn()
        assert root.talkers[0].data == b"x" * 16_384 * 3 + b"end"
        assert client.kinds() == [Kind.WINDOW_UPDATE, Kind.HEADERS]

    def test_ended_before_the_switch(self) -> None:
        """A client that ends its side before the answer has been there: its bytes, then its end."""
        for make in (Talker, HalfTalker):
            root = Switching(make, wait=True)
            client = Client(root)
            client.send(client.head(1, connect_fields(), end=False) + data(1, b"bye", end=True))
            root.switch(root.requests[0])
            client.turn()
            (talker,) = root.talkers
            assert talker.data == b"bye"
            assert client[1].status == 200
            if make is HalfTalker:
                assert talker.read_ended
                talker.transport.write(b"answer")
                talker.transport.loseConnection()
                client.turn()
                assert client[1].body == b"answer"
            assert client[1].ended
            assert talker.end is ConnectionDone
            assert client.connection._streams.live == {}

    def test_what_cannot_be_taken(self) -> None:
        """A plain request, one that is being answered, or one that is gone, is not taken."""
        root = Switching(wait=True)
        client = Client(root)
        client.send(
            client.head(1), client.head(3, connect_fields(), end=False), client.head(5, connect_fields(), end=False)
        )
        plain, begun, gone = root.requests
        begun.write(b"x")
        stream = gone.channel
        client.send(rst(5))
        for channel, request in ((plain.channel, plain), (begun.channel, begun), (stream, gone)):
            with pytest.raises(RuntimeError):
                channel.take(request)

    def test_without_end_stream(self) -> None:
        """EC-11: an extended CONNECT that ends with its head is malformed."""
        client = Client(Switching())
        client.send(client.head(1, connect_fields()))
        assert client[1].code == PROTOCOL_ERROR
        assert client[1].heads == []

    def test_not_offered(self) -> None:
        """EC-01, EC-04: what is not offered is not in our SETTINGS, and whoever asks all the same is malformed."""
        client = Client(Switching(), extended_connect=False)
        assert client.settings[8] == 0
        client.send(client.head(1, connect_fields(), end=False))
        assert client[1].code == PROTOCOL_ERROR

    def test_the_client_s_own_setting(self) -> None:
        """EC-01: a client's SETTINGS_ENABLE_CONNECT_PROTOCOL has no effect."""
        client, _, talker = tunnel(values={8: 0})
        client.send(settings({8: 1}), data(1, b"x"))
        assert talker.data == b"x"

    def test_trailers(self) -> None:
        """Trailers end a tunnel as END_STREAM does (RFC 9113 section 8.5 knows no others)."""
        client, _, talker = tunnel()
        client.send(client.head(1, [(b"x-a", b"b")]))
        assert talker.end is ConnectionDone
