"""The TLS layer: what goes through it, in how many writes, and how it ends."""

from __future__ import annotations

import ssl
from typing import Any

import pytest
from OpenSSL import SSL
from twisted.internet.interfaces import INegotiated, ITCPTransport
from twisted.internet.task import Clock
from twisted.logger import Logger

from tests.producers import Producer
from tests.tls.pairs import Pair, Wire, server_factory
from upgradegw.tls.layer import MOST_GATHERED, TlsFactory
from upgradegw.tls.memory import PIECE, Memory

#: Around a record's content and around what is worked on at once.
SIZES = [1, 2**14, 2**14 + 8, PIECE, PIECE + 1, 3 * PIECE + 5, 300_000]


@pytest.fixture(params=["fast", "of an unknown pyOpenSSL"])
def pair(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """A connection after its handshake, with and without what we know of pyOpenSSL."""
    if request.param != "fast":
        monkeypatch.setattr(Memory, "of", lambda _connection: None)
    return Pair()


@pytest.mark.parametrize("size", SIZES)
def test_everything_goes_through(pair: Pair, size: int) -> None:
    """Both ways, whatever the length."""
    pair.inside.got = pair.inside.transport.write
    data = bytes(each % 251 for each in range(size))
    pair.send(data)
    assert pair.inside.received == data
    assert pair.read() == data


@pytest.mark.parametrize("size", [1, 2, 5, 22, 1000, 16406])
def test_reads_may_end_anywhere(pair: Pair, size: int) -> None:
    """A record is delivered when it is complete, wherever reads divide it."""
    data = bytes(each % 251 for each in range(40_000))
    pair.client.write(b"first")
    pair.send(data, size)
    assert pair.inside.received == b"first" + data


def test_answers_go_in_one_write(pair: Pair) -> None:
    """What is written while a read is delivered goes out behind it, together, and no timer is needed."""

    def answer(data: bytes) -> None:
        for word in data.split():
            pair.inside.transport.write(word)
            pair.inside.transport.writeSequence([b" and ", word, b" "])
        assert pair.wire.writes == 0

    pair.inside.got = answer
    pair.client.write(b"one ")
    pair.client.write(b"two ")
    pair.deliver(pair.sent())
    assert pair.read() == b"one and one two and two "
    assert pair.wire.writes == 1
    assert pair.clock.getDelayedCalls() == []


def test_other_writes_go_together() -> None:
    """Those that no read has caused wait for the next iteration: all of a factory with one timer."""
    factory = server_factory(Clock())
    pairs = [Pair(factory), Pair(factory)]
    for pair in pairs:
        pair.layer.write(b"a")
        pair.layer.write(b"b")
        assert pair.read() == b""
    assert len(pairs[0].clock.getDelayedCalls()) == 1
    pairs[0].clock.advance(0)
    assert [pair.read() for pair in pairs] == [b"ab", b"ab"]
    assert [pair.wire.writes for pair in pairs] == [1, 1]


def test_an_answer_takes_with_it_what_waits(pair: Pair) -> None:
    """Order is kept between writes that wait and those that answer."""
    pair.layer.write(b"before ")
    pair.inside.got = pair.layer.write
    pair.send(b"behind")
    assert pair.read() == b"before behind"
    pair.clock.advance(0)
    assert pair.read() == b""


def test_much_is_sent_at_once(pair: Pair) -> None:
    """No more is gathered than a few records."""
    pair.layer.write(bytes(MOST_GATHERED))
    assert pair.wire.writes == 0
    pair.layer.write(b"!")
    assert len(pair.read()) == MOST_GATHERED + 1


def test_what_is_written_may_be_changed(pair: Pair) -> None:
    """A bytearray counts as it was; text is an error at once."""
    data = bytearray(b"then")
    pair.layer.write(data)  # type: ignore[arg-type]
    data[:] = b"now!"
    with pytest.raises(TypeError):
        pair.layer.write("text")  # type: ignore[arg-type]
    pair.clock.advance(0)
    assert pair.read() == b"then"


def test_writes_before_the_handshake_are_kept() -> None:
    """They are sent when there is TLS, in order."""
    pair = Pair(shaken=False)
    pair.layer.write(b"first ")
    pair.clock.advance(0)
    pair.layer.write(b"second")
    for _ in range(2):
        try:
            pair.client.do_handshake()
        except ssl.SSLWantReadError:
            pair.deliver(pair.sent())
    pair.deliver(pair.sent())
    assert pair.read() == b"first second"


def test_it_provides_what_its_transport_does() -> None:
    """And TLS beside; from the second connection on, what is declared is known."""
    factory = server_factory(Clock())
    for _ in range(2):
        layer = Pair(factory).layer
        assert ITCPTransport.providedBy(layer)
        assert INegotiated.providedBy(layer)


def test_a_client_says_hello() -> None:
    """A server waits for it."""
    assert Pair(shaken=False).wire.value() == b""
    context = SSL.Context(SSL.TLS_METHOD)

    class _Creator:
        @staticmethod
        def getContext() -> SSL.Context:
            return context

    with pytest.warns(Warning, match="explicitly provide"):
        factory = TlsFactory(_Creator, True, server_factory(Clock()).wrappedFactory, Clock())
    wire = Wire()
    factory.buildProtocol(None).makeConnection(wire)  # type: ignore[arg-type]
    assert wire.value().startswith(b"\x16\x03")


# --- Producers.


def test_a_producers_last_words_are_sent(pair: Pair) -> None:
    """The end waits for a producer, and for what it wrote last."""
    pair.layer.registerProducer(Producer(), True)
    pair.layer.loseConnection()
    pair.layer.write(b"last words")
    pair.layer.unregisterProducer()
    pair.clock.advance(0)
    assert pair.read() == b"last words"
    assert pair.client.read() == b""


def test_a_full_transport_pauses_the_producer(pair: Pair) -> None:
    """The transport's word goes through the layer, both ways."""
    producer = Producer()
    pair.layer.registerProducer(producer, True)
    membrane: Any = pair.wire.producer
    membrane.pauseProducing()
    membrane.resumeProducing()
    assert producer.calls == ["pause", "resume"]


def test_a_producer_that_fails_costs_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the others have written is sent all the same."""
    factory = server_factory(Clock())
    waiting, fine = Pair(factory, shaken=False), Pair(factory)

    class _Failing(Producer):
        def pauseProducing(self) -> None:
            raise ValueError

    failures: list[Any] = []
    log = Logger(observer=lambda event: failures.append(event["log_failure"]))
    monkeypatch.setattr(TlsFactory, "log", log)
    waiting.layer.registerProducer(_Failing(), True)
    waiting.layer.write(b"before the handshake")
    fine.layer.write(b"fine")
    fine.clock.advance(0)
    assert fine.read() == b"fine"
    assert [failure.type for failure in failures] == [ValueError]
