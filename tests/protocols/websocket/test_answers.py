"""What onConnect may answer."""

from __future__ import annotations

from typing import Any

import pytest
from autobahn.websocket.types import ConnectionAccept, ConnectionDeny
from twisted.internet.defer import Deferred

from tests.protocols.websocket.support import WebSocketTestCase, failed, raiser
from upgradegw.interfaces import Deny

REFUSED = "control characters|is no field name|belongs to the handshake"
OFFERED = (b"Sec-WebSocket-Protocol", b"chat, feed")


class Answers(WebSocketTestCase):
    """What onConnect may return."""

    def fields_for(self, answer: Any, **options: Any) -> dict[bytes, bytes]:
        self.factory.answer = answer
        connection = self.connect(OFFERED, **options)
        self.end(connection)
        return dict(connection.accept.fields)

    def test_subprotocols(self) -> None:
        """WS-10: none, one, a pair, a ConnectionAccept, and each of them later."""
        accept = b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        assert self.fields_for(None) == {b"Sec-WebSocket-Accept": accept}
        for answer in ("feed", ("feed", {}), ("feed",), ("feed", None), ConnectionAccept("feed")):
            for wrap in (lambda x: x, later, coroutine):
                found = self.fields_for(wrap(answer))
                assert found == {b"Sec-WebSocket-Accept": accept, b"Sec-WebSocket-Protocol": b"feed"}

    def test_protocol_in_use(self) -> None:
        """The protocol and the log know the subprotocol."""
        self.factory.answer = "chat"
        connection = self.connect(OFFERED)
        assert connection.protocol.websocket_protocol_in_use == "chat"
        assert connection.accept.subprotocol == "chat"
        self.end(connection)

    def test_preferred(self) -> None:
        """subprotocols= chooses the first of the client's that it lists, if onConnect chooses none."""
        assert self.fields_for(None, subprotocols=["x", "feed"])[b"Sec-WebSocket-Protocol"] == b"feed"
        assert self.fields_for("chat", subprotocols=["feed"])[b"Sec-WebSocket-Protocol"] == b"chat"
        assert b"Sec-WebSocket-Protocol" not in self.fields_for(None, subprotocols=["x"])

    def test_the_factorys_list_chooses_nothing(self) -> None:
        """As in Autobahn, the factory's protocols are not spoken unless onConnect says so."""
        self.factory.protocols = ["feed"]
        assert b"Sec-WebSocket-Protocol" not in self.fields_for(None)

    def test_not_offered(self) -> None:
        """WS-10: a subprotocol that was not offered is the application's failure."""
        self.factory.answer = "other"
        with pytest.raises(ValueError, match="did not offer"):
            self.prepare(OFFERED)
        self.assert_no_timers()
        assert self.factory.getConnectionCount() == 0

    def test_headers(self) -> None:
        """The factory's headers and onConnect's go into the 101, one line for each value."""
        self.factory.headers = {"X-Factory": "1", "X-Number": 7}
        self.factory.answer = (None, {"Set-Cookie": ["a=1", "b=2"], "X-Text": "é"})
        connection = self.connect()
        assert connection.accept.fields[1:] == (
            (b"X-Factory", b"1"),
            (b"X-Number", b"7"),
            (b"Set-Cookie", b"a=1"),
            (b"Set-Cookie", b"b=2"),
            (b"X-Text", "é".encode()),
        )
        self.end(connection)

    def test_bad_headers(self) -> None:
        """A-35: what cannot stand in a response is an exception, wherever it comes from; nothing is written."""
        bad = (
            {"X": "a\r\nSet-Cookie: b"},
            {"X": "a\x00"},
            {"X Y": "a"},
            {"": "a"},
            {"X:": "a"},
            {"X": ["a", "\n"]},
            {"X\n": "a"},
        )
        for headers in (*bad, {"Upgrade": "x"}, {"sec-websocket-accept": "x"}, {"Content-Length": "0"}):
            for place in ("factory", "answer", "denial"):
                self.factory = self.make_factory()
                denial = ConnectionDeny(401)
                denial.headers = headers
                if place == "factory":
                    self.factory.headers = headers
                elif place == "answer":
                    self.factory.answer = (None, headers)
                else:
                    self.factory.answer = raiser(denial)
                with self.subTest(headers=headers, place=place), pytest.raises(ValueError, match=REFUSED):
                    self.prepare()
                assert self.asked_on.sent == b""
                assert self.factory.getConnectionCount() == 0

    def test_denials(self) -> None:
        """ConnectionDeny becomes a status and a text, or a redirection; its headers are added."""
        with_headers = ConnectionDeny(401)
        with_headers.headers = {"WWW-Authenticate": "Basic"}
        text = ((b"Content-Type", b"text/plain; charset=utf-8"),)
        cases = (
            (ConnectionDeny(403), Deny(403)),
            (ConnectionDeny(ConnectionDeny.NOT_FOUND, "no wäy"), Deny(404, text, "no wäy\n".encode())),
            (ConnectionDeny(302, "https://other.example/ws"), Deny(302, ((b"Location", b"https://other.example/ws"),))),
            (ConnectionDeny(304), Deny(304)),
            (with_headers, Deny(401, ((b"WWW-Authenticate", b"Basic"),))),
        )
        for denial, expected in cases:
            for answer in (raiser(denial), lambda _request, denial=denial: failed(denial)):
                self.factory.answer = answer
                outcome = self.prepare()
                if isinstance(outcome, Deferred):
                    outcome = self.successResultOf(outcome)
                assert outcome == expected
                self.assert_no_timers()

    def test_wrong_denials(self) -> None:
        """A status that is no refusal, and a Location that cannot be written, are the application's failure."""
        for denial in (ConnectionDeny(200), ConnectionDeny(101), ConnectionDeny(600), ConnectionDeny(302, "/\r\nX: y")):
            self.factory.answer = raiser(denial)
            with pytest.raises(ValueError, match=r"is no refusal|control characters"):
                self.prepare()


def later(answer: Any) -> Any:
    waiting: Deferred[Any] = Deferred()
    waiting.callback(answer)
    return lambda _request: waiting


def coroutine(answer: Any) -> Any:
    async def on_connect(_request: Any) -> Any:
        return answer

    return on_connect
