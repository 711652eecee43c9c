"""Applications for twisted.web.websocket behind ``websocket()``, on every transport."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from typing import Any

import pytest
from autobahn.exception import Disconnected
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from tests.protocols.twisted_applications import Application, ApplicationFactory, tree
from upgradegw import Allow, UpgradeResource, access_events, websocket
from upgradegw.protocols.twisted_websocket import is_twisted_factory
from upgradegw.testing import Client, Refused
from upgradegw.testing.client import TRANSPORTS
from upgradegw.testing.frames import PING, TEXT, Frame, encode


@pytest.fixture(params=TRANSPORTS)
def over(request: Any) -> Any:
    return request.param


# --- On every transport.


def test_messages(over: Any) -> None:
    """Text is str and bytes are bytes, both ways, also from within the negotiation; the end is told once."""
    application = Application(
        say="welcome",
        at={
            "tea?": lambda transport: transport.sendTextMessage("thé"),
            b"\xff": lambda transport: transport.sendBytesMessage(b"\x00\xfe"),
        },
    )
    with Client(tree(application), over) as client:
        alice = client.websocket("/ws")
        assert alice.receive() == "welcome"
        alice.send("tea?")
        alice.send(b"\xff")
        assert [alice.receive(), alice.receive()] == ["thé", b"\x00\xfe"]
        alice.close()
        assert alice.close_code == 1000
    assert application.events == ["started", "finished", "tea?", b"\xff", "lost"]
    assert application.reason is not None
    assert application.reason.check(ConnectionDone)


def test_leading_messages(over: Any) -> None:
    """WS-22: what the client sends behind its request, before the answer, is delivered first."""
    application = Application()
    with Client(tree(application), over) as client:
        alice = client.websocket("/ws", leading=encode(Frame(TEXT, b"at once")))
        alice.send("then")
    assert application.events == ["started", "finished", "at once", "then", "lost"]


def test_fragments(over: Any) -> None:
    """WS-20: a message in fragments is delivered whole, and a ping between them is answered."""
    application = Application()
    with Client(tree(application), over, segment=3) as client:
        alice = client.websocket("/ws")
        frames = Frame(TEXT, "aé".encode()[:2], fin=False), Frame(PING, b"p"), Frame(0, "é".encode()[1:])
        alice.tunnel.send(b"".join(map(encode, frames)))
        assert alice.pongs == [b"p"]
        alice.close()
    assert application.events == ["started", "finished", "aé", "lost"]


def test_the_request(over: Any) -> None:
    """``buildProtocol`` gets the request; nobody keeps it behind the switch."""
    held: list[Any] = []

    def build(request: Any) -> Application:
        held.append(weakref.ref(request))
        return Application()

    factory = ApplicationFactory(build)
    with Client(UpgradeResource([websocket(factory)]), over) as client:
        client.websocket("/ws?tea=1", fields={"X-Cup": "two"})
        assert factory.requests == [(b"/ws", {b"tea": [b"1"]}, "two")]
        gc.collect()
        assert held[0]() is None


def test_the_application_closes(over: Any) -> None:
    """``loseConnection`` sends the code and words; what the client still sends is not delivered."""
    application = Application(at={"end": lambda transport: transport.loseConnection(4321, "enough")})
    with Client(tree(application), over) as client:
        alice = client.websocket("/ws")
        alice.answers_close = False
        alice.send("end")
        alice.send("too late")
        assert (alice.close_code, alice.close_reason) == (4321, "enough")
        with pytest.raises(Disconnected):
            application.transport.sendTextMessage("too late")
        client.clock.advance(10)
    assert application.events == ["started", "finished", "end", "lost"]


def test_limits(over: Any) -> None:
    """WS-18: a message beyond ``max_message_size`` is Close 1009."""
    application = Application()
    with Client(tree(application, max_message_size=5), over) as client:
        alice = client.websocket("/ws")
        alice.send("12345")
        alice.send("123456")
        assert alice.close_code == 1009
    assert application.events == ["started", "finished", "12345", "lost"]


def test_origins_and_subprotocols(over: Any) -> None:
    """WS-13, WS-10: pages of other origins stay out, and a subprotocol is chosen: twisted.web does neither."""
    with Client(tree(Application(), subprotocols=["soap"]), over) as client:
        with pytest.raises(Refused) as caught:
            client.websocket("/ws", origin="https://elsewhere.example")
        assert caught.value.status == 403
        assert client.websocket("/ws", subprotocols=["wamp", "soap"]).subprotocol == "soap"


def test_producers(over: Any) -> None:
    """A producer is paused while the client does not read, resumed when it does, and stopped at the end."""
    events: list[str] = []

    class Producer:
        def pauseProducing(self) -> None:
            events.append("paused")

        def resumeProducing(self) -> None:
            events.append("resumed")

        def stopProducing(self) -> None:
            events.append("stopped")

    def produce(transport: Any) -> None:
        transport.attachProducer(Producer())
        transport.sendBytesMessage(b"x" * 1_000_000)

    application = Application(at={"go": produce})
    with Client(tree(application), over) as client:
        alice = client.websocket("/ws")
        alice.tunnel.pause()
        alice.send("go")
        assert events == ["paused"]
        alice.tunnel.resume()
        assert events == ["paused", "resumed"]
        assert alice.receive() == b"x" * 1_000_000
        application.transport.detachProducer()
        alice.close()
    assert events == ["paused", "resumed"]


class TwistedFactories(SynchronousTestCase):
    """The ways in, and out."""

    def test_no_protocol(self) -> None:
        """A factory without a protocol for this request is 503, with its reason in the log."""
        seen: list[Any] = []
        self.addCleanup(access_events.subscribe(seen.append))
        with Client(tree(None)) as client, pytest.raises(Refused) as caught:
            client.websocket("/ws")
        assert caught.value.status == 503
        assert seen[0]["reason"] == "no_protocol"

    def test_a_factory_that_raises(self) -> None:
        """What ``buildProtocol`` raises is an ordinary 500."""
        root = UpgradeResource([websocket(ApplicationFactory(lambda _request: 1 // 0))])
        with Client(root) as client, pytest.raises(Refused) as caught:
            client.websocket("/ws")
        assert caught.value.status == 500
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1

    def test_exceptions(self) -> None:
        """What a callback raises, at once or in a coroutine, is logged once, and the connection is closed with 1011."""

        async def later(_transport: Any) -> None:
            raise ZeroDivisionError

        for fail in (lambda _transport: 1 // 0, later):
            for over in TRANSPORTS:
                application = Application(at={"fail": fail})
                with Client(tree(application), over) as client:
                    alice = client.websocket("/ws")
                    alice.send("fail")
                    assert alice.close_code == 1011
                assert application.events == ["started", "finished", "fail", "lost"]
                assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1

    def test_info(self) -> None:
        """An application with ``upgraded`` is told what ``authorize`` found, before all else."""
        application: Any = Application()
        application.upgraded = lambda info: application.events.append((info.context, info.request))
        root = UpgradeResource(
            [websocket(ApplicationFactory(lambda _request: application))], authorize=lambda _: Allow(context="alice")
        )
        with Client(root) as client:
            client.websocket("/")
        assert application.events == [("alice", None), "started", "finished", "lost"]

    def test_our_pings_are_ours(self) -> None:
        """Pings that keep the connection alive are not the application's: it hears of no pong to them."""
        application = Application()
        with Client(tree(application)) as client:
            alice = client.websocket("/ws")
            client.clock.advance(50)
            assert b"\x89\x0c" in bytes(client.connections[0].received)
            assert not alice.closed
        assert application.events == ["started", "finished", "lost"]

    def test_codes(self) -> None:
        """Codes that no Close frame may have are refused where they are written; the others are sent."""
        application = Application()
        with Client(tree(application)) as client:
            alice = client.websocket("/ws")
            for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000):
                with pytest.raises(ValueError, match="no code that a server can close"):
                    application.transport.loseConnection(code)
            application.transport.loseConnection(1008, "é" * 100)
            application.transport.loseConnection(1011)
            assert (alice.close_code, alice.close_reason) == (1008, "é" * 61)

    def test_what_fits(self) -> None:
        """Whatever builds for a request fits; factories of byte streams, classes and others do not."""
        assert is_twisted_factory(ApplicationFactory(lambda _: None))
        for wrong in (Factory.forProtocol(Protocol), ApplicationFactory, object(), None):
            with pytest.raises(TypeError, match="no WebSocketServerFactory"):
                websocket(wrong)


def test_without_wsproto_and_reactor() -> None:
    """Neither is imported to serve such a factory."""
    code = (
        "import sys; sys.modules['wsproto'] = None\n"
        "from upgradegw import websocket\n"
        "class Theirs:\n"
        "    def buildProtocol(self, request): pass\n"
        "websocket(Theirs())\n"
        "print('twisted.internet.reactor' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
