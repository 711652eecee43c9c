"""How the TLS layer ends: in order, by an abort, by the peer, by what is no TLS."""

from __future__ import annotations

import gc
import ssl
import weakref
from collections.abc import Callable

import pytest
from OpenSSL import SSL
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.protocols.tls import BufferingTLSTransport
from twisted.python.failure import Failure

from tests.tls.pairs import Pair, server_factory
from upgradegw.tls.layer import TlsLayer
from upgradegw.tls.memory import Memory


@pytest.fixture(params=["fast", "of an unknown pyOpenSSL"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """A connection after its handshake, with and without what we know of pyOpenSSL."""
    if request.param != "fast":
        monkeypatch.setattr(Memory, "of", lambda _connection: None)
    return Pair()


def test_an_end_comes_behind_what_was_written(pair: Pair) -> None:
    """Nothing is lost, and nothing is sent behind it."""
    pair.layer.write(b"last words")
    pair.layer.loseConnection()
    pair.layer.write(b"too late")
    pair.clock.advance(0)
    assert pair.read() == b"last words"
    assert pair.client.read() == b""  # close_notify


def test_an_abort_sends_nothing_more(pair: Pair) -> None:
    """What has not been encrypted yet never is."""
    pair.layer.write(b"never mind")
    pair.layer.abortConnection()
    pair.clock.advance(0)
    assert pair.wire.aborted
    assert pair.read() == b""


def test_nothing_is_delivered_behind_an_abort(pair: Pair) -> None:
    """The protocol wants no more."""
    pair.inside.got = lambda _data: pair.layer.abortConnection()
    pair.send(b"first")
    pair.send(b"second")
    assert pair.inside.received == b"first"


def test_the_peers_end_is_answered(pair: Pair) -> None:
    """With what the protocol has to say to what came before it, and with our own end."""
    pair.inside.got = lambda _data: pair.layer.write(b"goodbye")
    pair.client.write(b"hello")
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    pair.deliver(pair.sent())
    assert pair.wire.disconnecting
    pair.layer.connectionLost(Failure(ConnectionDone()))
    assert pair.inside.received == b"hello"
    assert pair.inside.why.check(ConnectionDone)


def test_answers_to_what_came_with_the_end_are_sent() -> None:
    """Who sends a request and ends its side reads the answer."""
    pair = Pair()
    pair.inside.got = lambda _data: pair.layer.write(b"goodbye")
    pair.client.write(b"hello")
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.unwrap()
    pair.deliver(pair.sent())
    assert pair.wire.writes == 2  # the answer, and the end
    assert pair.client.pending() == 0


def test_what_is_no_tls_ends_the_connection(pair: Pair) -> None:
    """With an alert to the peer, and OpenSSL's reason for the protocol."""
    pair.send(b"fine")
    pair.layer.dataReceived(b"\x17\x03\x03\x00\x20" + bytes(32))
    assert pair.wire.value()[:1] in {b"\x15", b"\x17"}  # an alert; encrypted in TLS 1.3
    assert pair.wire.disconnecting
    pair.layer.dataReceived(b"more")
    pair.layer.write(b"more")
    pair.layer.connectionLost(Failure(ConnectionDone()))
    assert pair.inside.received == b"fine"
    assert pair.inside.why.check(SSL.Error)


def test_a_connection_that_breaks_is_lost(pair: Pair) -> None:
    """Without the peer's end of TLS that is no end in order; what was written and not sent is forgotten."""
    pair.layer.write(b"forgotten")
    pair.layer.connectionLost(Failure(ConnectionDone()))
    before = pair.wire.writes
    pair.clock.advance(0)
    assert pair.inside.why.check(ConnectionLost)
    assert pair.wire.writes == before


@pytest.mark.parametrize("ends", [True, False])
def test_nothing_is_left_for_the_collector(ends: bool) -> None:
    """When a connection is gone, so is all that it had; no cycle keeps it."""
    pair = Pair()
    layer = weakref.ref(pair.layer)
    gc.disable()
    try:
        if ends:
            with pytest.raises(ssl.SSLWantReadError):
                pair.client.unwrap()
            pair.deliver(pair.sent())
        pair.layer.connectionLost(Failure(ConnectionDone()))
        del pair
        assert layer() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("said", ["nothing", "hello"])
def test_nothing_is_left_of_a_handshake(said: str) -> None:
    """A client that goes before the handshake is done was lost, and leaves no cycle with OpenSSL's side in it."""
    pair = Pair(shaken=False)
    if said == "hello":
        with pytest.raises(ssl.SSLWantReadError):
            pair.client.do_handshake()
        pair.deliver(pair.sent())
    layer, inside = weakref.ref(pair.layer), pair.inside
    gc.disable()
    try:
        pair.layer.connectionLost(Failure(ConnectionDone()))
        assert inside.why.check(ConnectionLost)
        del pair, inside
        assert layer() is None
    finally:
        gc.enable()


def test_an_end_in_mid_handshake() -> None:
    """A client that says goodbye in place of the rest of its handshake has gone, and that is no error of ours."""
    pair = Pair(shaken=False)
    with pytest.raises(ssl.SSLWantReadError):
        pair.client.do_handshake()
    pair.deliver(pair.sent())
    pair.deliver(b"\x15\x03\x03\0\2\1\0")  # the alert close_notify, not encrypted
    assert pair.wire.disconnecting
    pair.layer.connectionLost(Failure(ConnectionDone()))
    assert pair.inside.why.check(ConnectionLost)


ENDS: dict[str, Callable[[Pair], object]] = {
    "the peer": lambda _pair: None,
    "behind our end": lambda pair: pair.layer.loseConnection(),
    "behind an abort": lambda pair: pair.layer.abortConnection(),
}


@pytest.mark.parametrize("shaken", [True, False])
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("why", [ConnectionDone, ConnectionLost, ConnectionAborted])
def test_reasons_are_twisteds(end: str, why: type[Exception], shaken: bool) -> None:
    """Whatever breaks the connection, its protocol is told what Twisted's layer would have told it."""
    told = []
    for layer in (TlsLayer, BufferingTLSTransport):
        factory = server_factory(Clock())
        factory.protocol = layer  # type: ignore[assignment]
        pair = Pair(factory, shaken=shaken)
        ENDS[end](pair)
        pair.layer.connectionLost(Failure(why()))
        told.append((pair.inside.why.type, str(pair.inside.why.value)))
    assert told[0] == told[1]
