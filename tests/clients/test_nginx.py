"""A server of ours behind nginx, with the configurations that the documentation shows."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection, connect

from tests.certificates import CertificateFiles
from tests.clients.nginx import COMMON, GOOD, nginx
from tests.clients.support import (
    WEBSOCKET_FIELDS,
    Connection,
    asks_for,
    assert_no_traceback,
    received_code,
    send_too_much,
)
from tests.support.process import PATIENCE, Server, serving

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Front:
    """nginx, and the server of ours behind it."""

    server: Server
    port: int
    tls: bool
    context: ssl.SSLContext

    @property
    def origin(self) -> str:
        """What a browser that shows a page of this nginx says in Origin."""
        return f"http{'s' * self.tls}://localhost:{self.port}"

    def dial(self, **options: object) -> ClientConnection:
        """Open a WebSocket through nginx."""
        return connect(
            f"ws{'s' * self.tls}://localhost:{self.port}/ws",
            ssl=self.context if self.tls else None,
            max_size=None,
            **options,  # type: ignore[arg-type]
        )


@dataclass(frozen=True)
class Fronts:
    """Makes fronts."""

    folder: Path
    certificate: CertificateFiles
    context: ssl.SSLContext

    @contextlib.contextmanager
    def stand(self, server: Server, configuration: Path, upstream: str = "", *, tls: bool) -> Iterator[Front]:
        """Put nginx in front of a server."""
        upstream = upstream or f"127.0.0.1:{server.port}"
        with nginx(self.folder, configuration, upstream, self.certificate, tls=tls) as port:
            yield Front(server, port, tls, self.context)


@pytest.fixture
def fronts(tmp_path: Path, certificate: CertificateFiles, client_context: ssl.SSLContext) -> Fronts:
    """What makes a front in this test's folder."""
    return Fronts(tmp_path, certificate, client_context)


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration site, told that nginx is to be believed."""
    with serving("--trusted-proxy", "127.0.0.1", folder=tmp_path_factory.mktemp("trusting")) as server:
        yield server
    assert_no_traceback(server)


@pytest.fixture(params=[False, True], ids=["cleartext", "tls"])
def tls(request: pytest.FixtureRequest) -> bool:
    """Whether nginx speaks TLS to the client; its port is never the one that is left out of an origin."""
    return bool(request.param)


@pytest.fixture
def common(fronts: Fronts, trusting: Server, tls: bool) -> Iterator[Front]:
    """The configuration that most people have."""
    with fronts.stand(trusting, COMMON, tls=tls) as front:
        yield front


@pytest.fixture
def good(fronts: Fronts, trusting: Server, tls: bool) -> Iterator[Front]:
    """The better configuration."""
    with fronts.stand(trusting, GOOD, tls=tls) as front:
        yield front


def assert_echoes(front: Front, **options: object) -> None:
    """Send messages of both kinds and several sizes through nginx."""
    with front.dial(**options) as websocket:
        for message in ("grüße", os.urandom(100), bytes(MEBIBYTE)):
            websocket.send(message)
            assert websocket.recv(PATIENCE) == message


def test_the_common_configuration_passes_a_browser(common: Front) -> None:
    """WS-13: with --trusted-proxy, ``Host $host`` and no word of scheme and port are enough for the same host."""
    assert_echoes(common, origin=common.origin)


def test_the_common_configuration_refuses_another_host(common: Front) -> None:
    """WS-13, A-12: a page of another host is refused all the same."""
    with pytest.raises(InvalidStatus) as refused, common.dial(origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def test_without_trusted_proxy_the_log_says_what_to_do(fronts: Fronts, demonstration: Server, tls: bool) -> None:
    """WS-13: the same without --trusted-proxy is refused, and the log line names what was compared and the remedy."""
    with fronts.stand(demonstration, COMMON, tls=tls) as front:
        with pytest.raises(InvalidStatus) as refused, front.dial(origin=front.origin):
            pass
        assert refused.value.response.status_code == 403
        assert b"trusted" not in refused.value.response.body
        line = demonstration.await_line(
            rf'"GET /ws HTTP/1.1" 403 .* reason=origin_mismatch detail="Origin: {re.escape(front.origin)};.*'
        )[0]
        assert "expected: http://localhost" in line
        assert "--trusted-proxy" in line.partition('hint="')[2]
        assert_echoes(front)  # what is no browser passes


def test_the_good_configuration_passes_a_browser(good: Front) -> None:
    """WS-13: scheme, host and port of the page are those that nginx was asked for."""
    assert_echoes(good, origin=good.origin)


def test_the_good_configuration_refuses_what_differs(good: Front) -> None:
    """WS-13, A-12: another scheme, port or host is another origin."""
    other_scheme = good.origin.replace("https", "http") if good.tls else good.origin.replace("http", "https")
    for origin in (other_scheme, good.origin.rpartition(":")[0], good.origin.replace("localhost", "evil.example")):
        with pytest.raises(InvalidStatus) as refused, good.dial(origin=origin):
            pass
        assert refused.value.response.status_code == 403


def test_the_client_is_who_nginx_says(fronts: Fronts, trusting: Server) -> None:
    """A-34: the log has the address that nginx saw, not the one that the client wrote in front of it."""
    forged = "X-Forwarded-For: 198.51.100.7\r\nForwarded: for=198.51.100.8\r\n"
    with fronts.stand(trusting, GOOD, tls=False) as front:
        # The whole of 127.0.0.0/8 is this machine, and 127.0.0.1 alone is trusted.
        for port, who in ((front.port, "nginx"), (trusting.port, "nobody")):
            with Connection.to(port, source="127.0.0.2") as client:
                client.send(f"GET /from/{who} HTTP/1.1\r\nHost: localhost\r\n{forged}\r\n".encode())
                assert client.response()[0] == 404
            trusting.await_line(rf'\b127\.0\.0\.2 "GET /from/{who} HTTP/1.1" 404 ')


def test_the_client_behind_nginx_is_in_the_log(fronts: Fronts, tmp_path: Path) -> None:
    """A-34: nginx is trusted on a UNIX socket, its client is not: the log has the client and no forged address."""
    path = tmp_path / "gateway.sock"
    with serving("--listen", f"unix:{path}", "--trusted-proxy", "unix", folder=tmp_path) as server:
        with fronts.stand(server, GOOD, f"unix:{path}", tls=True) as front:
            forged = {"X-Forwarded-For": "198.51.100.9", "Forwarded": "for=198.51.100.9"}
            assert_echoes(front, origin=front.origin, additional_headers=forged)
        server.await_line(r'\b127\.0\.0\.1 switch path="/ws"')
        server.await_line(r'\b127\.0\.0\.1 end path="/ws"')
        assert "198.51.100.9" not in server.text
    assert_no_traceback(server)


def test_leading_data_goes_through(good: Front) -> None:
    """WS-22: a request and the first frames in one segment, from a client that does not wait for the 101."""
    frames = b"".join(
        Frame(Opcode.BINARY, content).serialize(mask=True) for content in (b"first", bytes(20_000), b"last")
    )
    with through(good) as client:
        client.send(asks_for("websocket", "/ws", f"localhost:{good.port}", *WEBSOCKET_FIELDS) + frames)
        status, fields = client.head()
        assert (status, fields["upgrade"]) == (101, "websocket")
        assert fields["sec-websocket-accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
        expected = b"".join(
            Frame(Opcode.BINARY, content).serialize(mask=False) for content in (b"first", bytes(20_000), b"last")
        )
        assert client.exactly(len(expected)) == expected


def through(front: Front) -> Connection:
    """Connect to nginx, over TLS if it speaks TLS."""
    connection = Connection.to(front.port)
    return connection.over_tls(front.context, "localhost") if front.tls else connection


def test_a_protocol_of_ones_own_goes_through(good: Front) -> None:
    """UP-01: nginx tunnels any token: leading data, 1 MiB each way, and the end of it."""
    content = os.urandom(MEBIBYTE)
    with through(good) as client:
        client.send(asks_for("echo", "/echo", f"localhost:{good.port}") + b"leading ")
        status, fields = client.head()
        assert (status, fields["upgrade"]) == (101, "echo")
        assert client.exactly(8) == b"leading "
        for at in range(0, MEBIBYTE, 1 << 16):
            client.send(content[at : at + (1 << 16)])
            assert client.exactly(1 << 16) == content[at : at + (1 << 16)]


def test_426_goes_through_on_a_connection_that_lives(good: Front) -> None:
    """UP-13: a plain request gets 426 and its Upgrade field through nginx; nginx keeps its connection to us."""
    numbers = set()
    with through(good) as client:
        for attempt in range(3):
            target = f"/ws?through={good.port}-{attempt}"
            client.send(f"GET {target} HTTP/1.1\r\nHost: localhost:{good.port}\r\n\r\n".encode())
            status, fields, _content = client.response()
            assert (status, fields["upgrade"]) == (426, "websocket")
            numbers.add(good.server.await_line(rf'"GET {re.escape(target)} HTTP/1.1" 426 .* id=(\S+)')[1])
    assert len(numbers) == 1


def test_a_close_goes_through(good: Front) -> None:
    """WS-18: what we close a connection with is what the client sees."""
    with good.dial() as websocket, pytest.raises(ConnectionClosed) as closed:
        send_too_much(websocket)
    assert received_code(closed) == 1009


def test_a_stop_is_a_close_1001_through_nginx(fronts: Fronts) -> None:
    """When the server behind nginx stops, clients are told with 1001, and the server ends."""
    with serving("--trusted-proxy", "127.0.0.1") as server, fronts.stand(server, GOOD, tls=True) as front:
        with front.dial(origin=front.origin) as websocket:
            websocket.send("last words")
            assert websocket.recv(PATIENCE) == "last words"
            server.send(signal.SIGTERM)
            with pytest.raises(ConnectionClosedOK) as closed:
                websocket.recv(PATIENCE)
            assert received_code(closed) == 1001
        server.wait()
    assert_no_traceback(server)
