"""What is refused, and how, on every transport: one table, in the terms of each HTTP version."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from tests.protocols_for_tests import RecorderFactory
from tests.testing.applications import EchoFactory, echo_tree, ws_tree
from upgradegw import Deny, UpgradeResource, stream, websocket
from upgradegw.testing import Client, Refused, Unanswered
from upgradegw.testing.frames import TEXT, Frame, encode


def refused(ask: Any, *args: Any, **kwargs: Any) -> Refused:
    """Return the answer that is no switch."""
    with pytest.raises(Refused) as caught:
        ask(*args, **kwargs)
    return caught.value


def test_a_page_of_another_origin_is_refused(over: Any) -> None:
    """WS-13, EC-06: 403, and the application is not asked."""
    factory = EchoFactory()
    with Client(ws_tree(factory), over) as client:
        for origin in ("https://evil.example", "null"):
            assert refused(client.websocket, "/ws", origin=origin).status == 403
        assert factory.asked == []
        assert client.websocket("/ws", origin=client.origin).messages == []


@pytest.mark.parametrize("version", ["8", "12", "14", "013", "+13", None])
def test_another_version_is_refused(over: Any, version: str | None) -> None:
    """WS-06, WS-07, EC-06: 426 where there is an Upgrade field, 400 where there is none; both say 13."""
    with Client(ws_tree(), over) as client:
        answer = refused(client.websocket, "/ws", fields={"Sec-WebSocket-Version": version})
        assert answer.status == (400 if client.http2 else 426)
        assert answer.response.get("Sec-WebSocket-Version") == b"13"
        assert answer.response.get("Upgrade") == (None if client.http2 else b"websocket")


@pytest.mark.parametrize("key", ["", "dGhl", "dGhlIHNhbXBsZSBub25jZQ", None])
def test_a_malformed_key_is_refused_where_keys_mean_something(over: Any, key: str | None) -> None:
    """WS-05, EC-05: 400 on HTTP/1.1; on HTTP/2 no key is looked at, and none is answered."""
    with Client(ws_tree(), over) as client:
        if client.http2:
            assert client.websocket("/ws", fields={"Sec-WebSocket-Key": key}).response.status == 200
        else:
            assert refused(client.websocket, "/ws", fields={"Sec-WebSocket-Key": key}).status == 400


@pytest.mark.parametrize("offer", ["a, a", "a b", "a,,(b)"])
def test_malformed_subprotocols_are_refused(over: Any, offer: str) -> None:
    """WS-10, EC-06: 400."""
    with Client(ws_tree(), over) as client:
        assert refused(client.websocket, "/ws", fields={"Sec-WebSocket-Protocol": offer}).status == 400


def test_an_unknown_token_is_refused(over: Any) -> None:
    """UP-03, UP-13, EC-07: 426 with what there is instead, or 501."""
    with Client(ws_tree(), over) as client:
        answer = refused(client.upgrade, "feed/2", "/ws")
        assert answer.status == (501 if client.http2 else 426)
        assert answer.response.get("Upgrade") == (None if client.http2 else b"websocket")
        assert answer.response.get("Cache-Control") == b"no-store"


def test_a_version_of_the_token_must_match(over: Any) -> None:
    """UP-06: ``feed/2`` is neither ``feed`` nor ``feed/3``."""
    with Client(UpgradeResource([stream("feed/2", RecorderFactory())]), over) as client:
        for token in ("feed", "feed/3", "feeds/2"):
            assert refused(client.upgrade, token).status in {426, 501}
        assert client.upgrade("FEED/2").ended is False


def test_authorize_says_no(over: Any) -> None:
    """WS-12: what ``Deny`` says is the answer, with its fields and its text."""
    no = Deny(401, fields=[(b"WWW-Authenticate", b'Basic realm="tea"')], body=b"who are you?")
    with Client(ws_tree(authorize=lambda _request: no), over) as client:
        answer = refused(client.websocket, "/ws")
        assert (answer.status, answer.content) == (401, b"who are you?")
        assert answer.response.get("WWW-Authenticate") == b'Basic realm="tea"'


def test_authorize_fails(over: Any, faults: list[Any]) -> None:
    """500, and the fault is in the log."""

    def fail(_request: Any) -> Any:
        raise RuntimeError("no database")

    with Client(ws_tree(authorize=fail), over) as client:
        assert refused(client.websocket, "/ws").status == 500
    assert [str(faults.pop().value)] == ["no database"]


def test_authorize_never_answers(over: Any) -> None:
    """503 after ten seconds; what was waited for is cancelled."""
    waiting: Deferred[Any] = Deferred()
    cancelled: list[Any] = []
    waiting.addErrback(cancelled.append)
    with Client(ws_tree(authorize=lambda _request: waiting), over) as client:
        pending = client.start_websocket("/ws")
        client.clock.advance(9.9)
        with pytest.raises(Unanswered, match="not answered yet"):
            pending.result()
        client.clock.advance(0.2)
        assert refused(pending.result).status == 503
        assert [failure.type for failure in cancelled] == [CancelledError]


def test_onconnect_answers_late(over: Any) -> None:
    """The handshake waits for the application, and what arrives meanwhile for the handshake."""
    answer: Deferred[Any] = Deferred()
    factory = EchoFactory(lambda _request: answer)
    with Client(ws_tree(factory), over) as client:
        pending = client.start_websocket("/ws", leading=encode(Frame(TEXT, b"early")))
        assert (pending.answered, pending.response) == (False, None)
        client.clock.advance(5)
        answer.callback(None)
        assert pending.result().messages == ["early"]


def test_the_factory_has_no_protocol(over: Any) -> None:
    """503 if ``buildProtocol`` returns None."""

    class Nothing(RecorderFactory):
        def buildProtocol(self, addr: Any) -> Any:
            return None

    with Client(echo_tree(Nothing()), over) as client:
        assert refused(client.upgrade, "echo", "/echo").status == 503


def test_a_plain_request_on_a_path_for_upgrades(over: Any) -> None:
    """UP-13, H2-06: 426 with Upgrade where there is that field; else 400, and a text that says how to ask."""
    with Client(ws_tree(), over) as client:
        answer = client.get("/ws")
        if client.http2:
            assert answer.status == 400
            assert b"extended CONNECT" in answer.content
            assert answer.get("Upgrade") is None
            assert answer.get("Connection") is None
        else:
            assert answer.status == 426
            assert (answer.get("Upgrade"), answer.get("Connection")) == (b"websocket", b"upgrade")
        assert client.request("HEAD", "/ws").content == b""
        assert client.get("/plain").content == b"plain"
        assert len(client.connections) == 1


def test_otherwise_answers_plain_requests(over: Any) -> None:
    """UP-14: on a mixed path a plain request is answered as if there were no upgrade."""
    tree = ws_tree()
    mixed = UpgradeResource([websocket(EchoFactory())], otherwise=tree.children[b"plain"])
    tree.putChild(b"mixed", mixed)
    with Client(tree, over) as client:
        answer = client.get("/mixed")
        assert (answer.status, answer.content, answer.get("Upgrade")) == (200, b"plain", None)
        assert client.websocket("/mixed").messages == []


def test_a_plain_resource_is_no_tunnel(over: Any) -> None:
    """UP-07, EC-07: an offer is ignored by who does not know it; extended CONNECT is never rendered by such a one."""
    with Client(ws_tree(), over) as client:
        assert refused(client.websocket, "/plain").status == (405 if client.http2 else 200)
        assert refused(client.websocket, "/nothing").status == 404


def test_a_refusal_costs_nothing_but_itself(over: Any) -> None:
    """UP-13: behind a refusal the connection goes on."""
    with Client(ws_tree(), over) as client:
        assert refused(client.websocket, "/ws", origin="https://evil.example").status == 403
        socket = client.websocket("/ws")
        socket.send("still here")
        assert socket.messages == ["still here"]
        assert len(client.connections) == 1


def test_bytes_behind_a_refused_request_are_no_request(over: Any) -> None:
    """WS-22, A-05: what was hidden behind a refused offer is not parsed."""
    hidden = b"GET /plain HTTP/1.1\r\nHost: server.example\r\n\r\n"
    with Client(ws_tree(), over) as client:
        pending = client.start_websocket("/ws", origin="https://evil.example", leading=hidden)
        assert refused(pending.result).status == 403
        assert client.connections[0].received.count(b"text/plain") <= 1
        assert client.connections[0].closed is not client.http2
