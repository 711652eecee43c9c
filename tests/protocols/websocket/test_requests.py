"""What an application sees of the request."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings, strategies

from tests.protocols.websocket.support import WebSocketTestCase
from tests.protocols.websocket.wire import Wire
from upgradegw.negotiation.model import Client
from upgradegw.protocols.websocket import websocket
from upgradegw.protocols.websocket.requests import headers_dict, host_name, split_target

OFFERED = (b"Sec-WebSocket-Protocol", b"chat, feed")


class Requests(WebSocketTestCase):
    """What an application sees of the request."""

    def test_connection_request(self) -> None:
        """onConnect gets what Autobahn would have read from the text."""
        more = (
            (b"X-A", b" 1 "),
            (b"x-a", b"2"),
            (b"Cookie", b"a=1"),
            (b"Cookie", b"b=2"),
            OFFERED,
            (b"Origin", b"http://server.example"),
        )
        extensions = (b"Sec-WebSocket-Extensions", b'Permessage-Deflate; client_max_window_bits; x="1", other')
        upgrade = websocket(self.factory)
        info = self.info(upgrade, *more, extensions, target=b"/ws;p=1/a%20b?x=1&x=2&y=&z=%C3%A9")
        accept = upgrade.prepare(info, Wire())
        protocol = accept.ending._protocol
        request = protocol.request
        assert request.peer == "tcp4:192.0.2.7:50123"
        assert request.headers["x-a"] == "1, 2"
        assert request.headers["cookie"] == "a=1; b=2"
        assert request.host == "server.example"
        assert request.path == "/ws;p=1/a%20b"
        assert request.params == {"x": ["1", "2"], "z": ["é"]}
        assert (request.version, request.origin) == (13, "http://server.example")
        assert request.protocols == ["chat", "feed"]
        assert request.extensions == [
            ("permessage-deflate", {"client_max_window_bits": [True], "x": ["1"]}),
            ("other", {}),
        ]
        for name in (
            "http_headers",
            "http_request_uri",
            "http_request_path",
            "http_request_params",
            "http_request_host",
        ):
            assert hasattr(protocol, name)
        assert protocol.upgrade_info is info
        assert protocol.transport_details.peer == "tcp4:192.0.2.7:50123"
        assert protocol.http_status_line.split()[0] == "GET"
        accept.release()

    def test_peer_behind_a_proxy(self) -> None:
        """A-34: the peer is the effective client; the factory's trustXForwardedFor is not asked."""
        self.factory.setProtocolOptions(trustXForwardedFor=1)
        upgrade = websocket(self.factory)
        proxied = Client("203.0.113.9", b"https", b"server.example", "192.0.2.7")
        for client, peer in ((proxied, "203.0.113.9"), (None, "tcp4:192.0.2.7:50123")):
            accept = upgrade.prepare(self.info(upgrade, (b"X-Forwarded-For", b"198.51.100.1"), client=client), Wire())
            assert accept.ending._protocol.request.peer == peer
            accept.release()

    def test_values_stay_values(self) -> None:
        """A-10: no byte of a value makes a second field."""
        for byte in b"\x0b\x0c\x1c\x1d\x1e\x85":
            value = b"a" + bytes([byte]) + b"X-User: admin"
            headers = headers_dict(((b"X-A", value),))
            assert headers == {"x-a": value.decode("latin-1")}

    @settings(suppress_health_check=list(HealthCheck), deadline=None)
    @given(
        strategies.lists(
            strategies.tuples(strategies.from_regex(rb"[a-zA-Z-]{1,9}", fullmatch=True), strategies.binary(max_size=20))
        )
    )
    def test_any_values(self, fields: list[tuple[bytes, bytes]]) -> None:
        """A-10: names come from names only."""
        headers = headers_dict(tuple(fields))
        assert set(headers) == {name.decode().lower() for name, _ in fields}

    def test_targets(self) -> None:
        """Origin-form, absolute-form, and a path that looks like an authority."""
        assert split_target("/ws") == ("/ws", {})
        assert split_target("http://a.example/ws?x=1") == ("/ws", {"x": ["1"]})
        assert split_target("//a.example/ws") == ("//a.example/ws", {})
        assert split_target("/a;b?x=[1") == ("/a", {"x": ["[1"]})
        assert split_target("http://[::1/ws;x") == ("/ws", {})

    def test_hosts(self) -> None:
        """Host without its port."""
        for host, name in (("a:80", "a"), ("a", "a"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]"), ("", "")):
            assert host_name(host) == name
