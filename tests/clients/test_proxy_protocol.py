"""The PROXY protocol in front of HTTP/1.1: written by hand, and by HAProxy."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.certificates import CertificateFiles
from tests.clients.proxies import haproxy
from tests.clients.support import WEBSOCKET_FIELDS, Connection, asks_for, assert_no_traceback
from tests.support.process import PATIENCE, Server, serving

LISTEN = "--listen", "haproxy:tcp:0:interface=127.0.0.1"
HEADER = b"PROXY TCP4 192.0.2.99 192.0.2.1 50000 80\r\n"

# PROXY protocol, section 2.2: signature, version 2 and PROXY, TCP over IPv4, twelve bytes of addresses and ports.
HEADER_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + bytes([192, 0, 2, 98, 192, 0, 2, 1]) + b"\xc3\x50\0\x50"


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration site behind the PROXY protocol; the peer on this machine is believed."""
    with serving(*LISTEN, "--trusted-proxy", "127.0.0.1", folder=tmp_path_factory.mktemp("trusting")) as server:
        yield server
    assert_no_traceback(server)


@pytest.fixture(scope="module")
def doubting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The same, and nobody is believed."""
    with serving(*LISTEN, folder=tmp_path_factory.mktemp("doubting")) as server:
        yield server
    assert_no_traceback(server)


@pytest.mark.parametrize(("header", "source"), [(HEADER, "192.0.2.99"), (HEADER_2, "192.0.2.98")], ids=["v1", "v2"])
def test_a_trusted_peer_says_who_the_client_is(trusting: Server, header: bytes, source: str) -> None:
    """A-34: the address in the PROXY header is the client's in the log: request, switch and end."""
    with Connection.to(trusting.port) as client:
        client.send(header + b"GET /plain HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.response()[0] == 404
        client.send(asks_for("echo", "/echo", "localhost") + b"leading")
        status, fields = client.head()
        assert (status, fields["upgrade"]) == (101, "echo")
        assert client.exactly(7) == b"leading"
        client.end()
        assert client.to_the_end() == b""
    trusting.await_line(rf'\b{re.escape(source)} .*"GET /plain HTTP/1.1" 404 ')
    trusting.await_line(rf'\b{re.escape(source)} switch path="/echo" token="echo"')
    trusting.await_line(rf'\b{re.escape(source)} end path="/echo" token="echo"')


@pytest.mark.parametrize("header", [HEADER, HEADER_2], ids=["v1", "v2"])
def test_an_untrusted_peer_is_itself(doubting: Server, header: bytes) -> None:
    """A-34: from a peer that is not trusted the header is read, as it must be, and not believed."""
    target = f"/doubted/{len(header)}"
    with Connection.to(doubting.port) as client:
        client.send(header + f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert client.response()[0] == 404
    doubting.await_line(rf'\b127\.0\.0\.1 .*"GET {target} HTTP/1.1" 404 ')
    assert "192.0.2.9" not in doubting.text


def test_the_client_s_own_words_are_not_the_proxy_s(trusting: Server) -> None:
    """A-34: behind the PROXY header the fields are the client's, who is not trusted: neither address nor host count."""
    forged = "X-Forwarded-For: 198.51.100.7", "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: https"
    with Connection.to(trusting.port) as client:
        origin = "Origin: https://evil.example"
        client.send(HEADER + asks_for("websocket", "/ws", "localhost", origin, *forged, *WEBSOCKET_FIELDS))
        assert client.response()[0] == 403
    line = trusting.await_line(r"\b192\.0\.2\.99 .*reason=origin_mismatch .*")[0]
    assert "198.51.100.7" not in trusting.text, line


def test_what_follows_the_header_in_pieces(trusting: Server) -> None:
    """The request and the bytes behind it arrive one by one, or in one segment with the header."""
    data = HEADER + asks_for("echo", "/echo", "localhost") + b"leading"
    for size in (1, 7, len(data)):
        with Connection.to(trusting.port) as client:
            # The header itself comes at once, as section 2 of the protocol demands; Twisted relies on it.
            client.send(data[: max(size, len(HEADER))])
            for at in range(max(size, len(HEADER)), len(data), size):
                client.send(data[at : at + size])
            assert client.head()[0] == 101
            assert client.exactly(7) == b"leading"


def test_without_a_header_nothing_is_served(trusting: Server) -> None:
    """A connection that does not begin with the header ends without an answer, and others live on."""
    with Connection.to(trusting.port) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.to_the_end() == b""
    with Connection.to(trusting.port) as client:
        client.send(HEADER + b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.response()[0] == 200


@pytest.mark.parametrize("how", ["send-proxy", "send-proxy-v2"])
def test_behind_haproxy(trusting: Server, tmp_path: Path, how: str) -> None:
    """A-34: HAProxy's header names the client, and a browser's Origin is compared with what the browser asked for."""
    with haproxy(tmp_path, trusting.port, how) as port:
        url, origin = f"ws://localhost:{port}/ws", f"http://localhost:{port}"
        with connect(url, subprotocols=["demo.upgradegw"], origin=origin, source_address=("127.0.0.3", 0)) as websocket:
            assert json.loads(websocket.recv(PATIENCE))["client"] == "127.0.0.3"
            websocket.send("through HAProxy")
            assert websocket.recv(PATIENCE) == "through HAProxy"
        with pytest.raises(InvalidStatus) as refused, connect(url, origin="https://evil.example"):
            pass
        assert refused.value.response.status_code == 403


def test_tls_behind_haproxy(tmp_path: Path, certificate: CertificateFiles, client_context: ssl.SSLContext) -> None:
    """TLS lies over the PROXY protocol, which HAProxy speaks in front of what it does not look into."""
    options = "--tls-cert", str(certificate.cert), "--tls-key", str(certificate.key), "--trusted-proxy", "127.0.0.1"
    with serving(*LISTEN, *options, folder=tmp_path) as server, haproxy(tmp_path, server.port, "send-proxy-v2") as port:
        url, origin = f"wss://localhost:{port}/ws", f"https://localhost:{port}"
        with connect(
            url, ssl=client_context, subprotocols=["demo.upgradegw"], origin=origin, source_address=("127.0.0.3", 0)
        ) as websocket:
            seen = json.loads(websocket.recv(PATIENCE))
            assert (seen["client"], seen["secure"]) == ("127.0.0.3", True)
            websocket.send("through HAProxy")
            assert websocket.recv(PATIENCE) == "through HAProxy"
    assert_no_traceback(server)
