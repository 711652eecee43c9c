"""Which list of origins holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.protocols.websocket.support import BASE, WebSocketTestCase
from upgradegw.negotiation.model import Client, RequestHead
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.websocket import Handshake
from upgradegw.protocols.websocket import websocket


class Origins(WebSocketTestCase):
    """A-12: which list of origins holds."""

    def outcome(self, origin: bytes | None, **options: Any) -> Any:
        upgrade = websocket(self.factory, **options)
        fields = BASE if origin is None else (*BASE, (b"Origin", origin))
        client = Client("192.0.2.7", b"http", b"server.example", "192.0.2.7")
        outcome = upgrade.check(RequestHead(b"GET", b"/", b"HTTP/1.1", fields, False, client))
        return None if isinstance(outcome, Handshake) else (outcome.reason, outcome.status)

    def test_same_origin_by_default(self) -> None:
        """Nothing set: the request's own origin only."""
        for options in ({}, {"origins": None}):
            assert self.outcome(b"http://server.example", **options) is None
            assert self.outcome(None, **options) is None
            assert self.outcome(b"http://evil.example", **options) == (Reason.ORIGIN_MISMATCH, 403)
            assert self.outcome(b"null", **options) == (Reason.ORIGIN_NULL, 403)

    def test_what_is_told_of_them(self) -> None:
        """``origins`` is the list in force: None for the request's own, the argument's, or the factory's."""
        assert websocket(self.factory).origins is None
        assert websocket(self.factory, origins=["https://App.example:443"]).origins == ("https://app.example",)
        self.factory.setProtocolOptions(allowedOrigins=["http://server.example:80"], allowNullOrigin=True)
        assert websocket(self.factory).origins == ("http://server.example:80", "null")
        self.factory.setProtocolOptions(allowNullOrigin=False)
        assert websocket(self.factory).origins == ("http://server.example:80",)
        assert websocket(self.factory, origins=None).origins is None

    def test_given(self) -> None:
        """origins= holds, also over the factory's list."""
        self.factory.setProtocolOptions(allowedOrigins=["http://server.example:80"])
        assert self.outcome(b"https://app.example", origins=["https://app.example"]) is None
        assert self.outcome(b"http://server.example", origins=["https://app.example"])[1] == 403
        with pytest.raises(ValueError, match="is no origin"):
            websocket(self.factory, origins=["app.example"])

    def test_the_factorys(self) -> None:
        """The factory's allowedOrigins holds if it was set, by Autobahn's patterns."""
        self.factory.setProtocolOptions(allowedOrigins=["https://*.app.example:443"])
        assert self.outcome(b"https://a.app.example") is None
        assert self.outcome(None) is None
        assert self.outcome(b"https://app.example.evil.example")[1] == 403
        assert self.outcome(b"http://server.example") == (Reason.ORIGIN_MISMATCH, 403)
        assert self.outcome(b"null") == (Reason.ORIGIN_NULL, 403)
        assert self.outcome(b"not an origin") == (Reason.BAD_ORIGIN, 400)
        for origin in (b"app:///x", b"app://"):
            assert self.outcome(origin)[1] == 400
        self.factory.setProtocolOptions(allowNullOrigin=True)
        assert self.outcome(b"null") is None
