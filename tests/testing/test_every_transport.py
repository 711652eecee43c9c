"""An upgrade is the same on every transport: the switch, what the application sees, and the bytes behind it."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from tests.protocols_for_tests import RecorderFactory, echo
from tests.testing.applications import EchoFactory, echo_tree, ws_tree
from upgradegw import Allow, UpgradeResource, stream
from upgradegw.testing import Client
from upgradegw.testing.frames import TEXT, Frame, encode

# --- Accepted.


def test_a_websocket_is_opened(over: Any) -> None:
    """UP-01, UP-15, WS-09, EC-02: the switch is a 101 with its three fields, or a 200 with none of them."""
    with Client(ws_tree(), over) as client:
        response = client.websocket("/ws", origin=client.origin).response
        names = {name.lower() for name, _ in response.fields}
        assert response.content == b""
        if client.http2:
            assert response.status == 200
            assert names == {b"server", b"date"}
        else:
            assert response.status == 101
            assert response.get("Sec-WebSocket-Accept") == b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
            assert (response.get("Upgrade"), response.get("Connection")) == (b"websocket", b"Upgrade")


@pytest.mark.parametrize("segment", [1, 2, 7, 65536])
def test_messages_come_back(over: Any, segment: int) -> None:
    """WS-20: text and binary, short and long, in whatever pieces they arrive; a ping is answered."""
    with Client(ws_tree(), over, segment=segment) as client:
        socket = client.websocket("/ws")
        sent = ["", "tea, thé, 茶", b"", b"\x00\xff", b"x" * 125, b"x" * 126, "y" * 3000]
        for message in sent:
            socket.send(message)
        assert [socket.receive() for _ in sent] == sent
        socket.ping(b"still there?")
        assert socket.pongs == [b"still there?"]


def test_large_messages_come_back(over: Any) -> None:
    """EC-09: a message larger than every window and buffer on the way arrives and returns."""
    with Client(ws_tree(), over) as client:
        socket = client.websocket("/ws")
        socket.send(b"z" * 1_000_000)
        assert socket.receive() == b"z" * 1_000_000


def test_the_subprotocol_is_one_of_those_offered(over: Any) -> None:
    """WS-10, EC-06: the application chooses one, or none."""
    factory = EchoFactory(lambda request: "soap" if "soap" in request.protocols else None, protocols=["soap", "rest"])
    with Client(ws_tree(factory), over) as client:
        assert client.websocket("/ws", subprotocols=["wamp", "soap"]).subprotocol == "soap"
        assert client.websocket("/ws", subprotocols=["wamp"]).subprotocol is None
        assert client.websocket("/ws").subprotocol is None


def test_the_application_sees_the_request(over: Any) -> None:
    """Target, origin, cookies, fields, address and version of the request are the same information everywhere."""
    factory = EchoFactory()
    with Client(ws_tree(factory), over, peer="198.51.100.3") as client:
        client.websocket("/ws?tea=1", origin=client.origin, cookies={"pass": "tea"}, fields={"X-Cup": "two"})
        (request,) = factory.asked
        assert (request.path, request.params) == ("/ws", {"tea": ["1"]})
        assert (request.origin, request.headers["cookie"]) == (client.origin, "pass=tea")
        assert request.headers["x-cup"] == "two"
        assert "198.51.100.3" in request.peer


def test_info_is_the_same_but_for_the_version(over: Any) -> None:
    """A protocol of one's own is told who asks, over what, and what ``authorize`` found out."""
    factory = RecorderFactory()
    with Client(echo_tree(factory, authorize=lambda _request: Allow(context="alice")), over) as client:
        client.upgrade("ECHO", "/echo")
        info = factory.only.info
        assert (str(info.token).lower(), info.context, info.client.address) == ("echo", "alice", "192.0.2.7")
        assert (info.secure, info.http_version) == (
            over in {"tls", "http/2+tls"},
            b"HTTP/2" if client.http2 else b"HTTP/1.1",
        )


def test_fields_of_an_accepted_upgrade(over: Any) -> None:
    """What ``Allow`` and the upgrade add is in the response that announces the switch."""
    upgrade = stream("echo", RecorderFactory(), fields=[("X-Feed", "2")])
    resource = UpgradeResource([upgrade], authorize=lambda _request: Allow(fields=[(b"Set-Cookie", b"seen=yes")]))
    with Client(resource, over) as client:
        response = client.upgrade("echo").response
        assert (response.get("x-feed"), response.get_all("set-cookie")) == (b"2", [b"seen=yes"])


# --- Leading data, and what follows.


@pytest.mark.parametrize("segment", [1000, 65536])
@pytest.mark.parametrize("size", [0, 1, 20_000, 100_000])
def test_leading_data_comes_first(over: Any, size: int, segment: int) -> None:
    """WS-22: bytes sent at once behind the request are delivered once, in order, and before all others."""
    leading = bytes(number % 251 for number in range(size))
    factory = RecorderFactory(data=echo)
    with Client(echo_tree(factory), over, segment=segment) as client:
        tunnel = client.upgrade("echo", "/echo", leading=leading)
        tunnel.send(b"and then")
        assert factory.only.data == leading + b"and then"
        assert factory.only.events[:2] == ["upgraded", "made"]
        assert tunnel.received == leading + b"and then"
        assert tunnel.receive() == leading + b"and then"
        assert tunnel.receive() == b""


@pytest.mark.parametrize("size", [0, 1, 20_000, 100_000])
def test_leading_data_waits_for_authorize(over: Any, size: int) -> None:
    """WS-22: it is kept while the application makes up its mind."""
    leading = bytes(number % 251 for number in range(size))
    permission: Deferred[Any] = Deferred()
    factory = RecorderFactory()
    with Client(echo_tree(factory, authorize=lambda _request: permission), over) as client:
        pending = client.start_upgrade("echo", "/echo", leading=leading)
        pending.send(b", more")
        assert factory.built == []
        permission.callback(Allow())
        pending.result().send(b", and then")
        assert factory.only.data == leading + b", more, and then"


@pytest.mark.parametrize("size", [0, 1, 20_000, 100_000])
def test_leading_messages_come_first(over: Any, size: int) -> None:
    """WS-22: a WebSocket's first messages may come with its request."""
    content = b"x" * size
    with Client(ws_tree(), over) as client:
        socket = client.websocket("/ws", leading=encode(Frame(TEXT, content)))
        socket.send("and then")
        assert socket.messages == [content.decode(), "and then"]


def test_the_server_speaks_first(over: Any) -> None:
    """What the protocol writes when it is connected comes right behind the response."""
    factory = RecorderFactory(made=lambda protocol: protocol.transport.write(b"220 ready\r\n"))
    with Client(echo_tree(factory), over) as client:
        assert client.upgrade("echo", "/echo").received == b"220 ready\r\n"
    with Client(ws_tree(EchoFactory(greeting=b"hello")), over) as client:
        assert client.websocket("/ws").receive() == "hello"


def test_a_reader_that_pauses_holds_the_server_back(over: Any) -> None:
    """EC-09: a producer is paused while the client does not read, and everything arrives when it does."""

    class Source:
        def __init__(self) -> None:
            self.left, self.paused = 1000, 0

        def start(self, protocol: Any) -> None:
            self.transport = protocol.transport
            self.transport.registerProducer(self, True)
            self.resumeProducing()

        def resumeProducing(self) -> None:
            self.on = True
            while self.on and self.left:
                self.left -= 1
                self.transport.write(b"x" * 5000)
            if not self.left:
                self.transport.unregisterProducer()

        def pauseProducing(self) -> None:
            self.on = False
            self.paused += 1

        def stopProducing(self) -> None:
            self.on = False

    source = Source()
    factory = RecorderFactory(data=source.start)
    with Client(echo_tree(factory), over) as client:
        tunnel = client.upgrade("echo", "/echo")
        tunnel.pause()
        tunnel.send(b"go")
        assert source.paused
        assert source.left > 800
        tunnel.resume()
        assert (len(tunnel.received), source.left) == (5_000_000, 0)


def test_a_protocol_that_pauses_gets_nothing_more(over: Any) -> None:
    """EC-09: bytes wait outside while the protocol does not read, and come in order when it does."""
    factory = RecorderFactory(made=lambda protocol: protocol.transport.pauseProducing())
    with Client(echo_tree(factory), over) as client:
        tunnel = client.upgrade("echo", "/echo", leading=b"first, ")
        tunnel.send(b"second")
        assert factory.only.data == b""
        factory.only.transport.resumeProducing()  # type: ignore[union-attr]
        client.clock.turn()
        assert factory.only.data == b"first, second"
