"""WebSocket and a protocol of our own over HTTP/2: Node's http2 client, and proxies that speak HTTP/2 to us.

What a browser makes of it is in ``test_chromium.py``.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.certificates import CertificateFiles
from tests.clients.curl import curl, split
from tests.clients.proxies import HTTP_2, haproxy, nghttpx
from tests.clients.support import assert_no_traceback, received_code, send_too_much
from tests.clients.test_node import node
from tests.support.process import PATIENCE, Server, serving

MEBIBYTE = 1 << 20

#: How the log names a stream: the connection, and the number of the stream on it.
ON_A_STREAM = r"id=\w+/\d+\b"


@pytest.mark.parametrize("tls", [False, True], ids=["cleartext", "tls"])
def test_the_http2_client_of_node(
    demonstration: Server, secure_demonstration: Server, certificate: CertificateFiles, tls: bool
) -> None:
    """EC-01, EC-02, EC-05 to EC-08: Node opens a page, a WebSocket and a raw echo on one connection, all at once.

    What is refused is an ordinary response, and a stream that is reset takes none of its neighbours with it.
    """
    server, scheme = (secure_demonstration, "https") if tls else (demonstration, "http")
    seen = node("http2.js", f"{scheme}://localhost:{server.port}", authority=certificate.cert if tls else None)
    assert seen["extended"] is True
    assert seen["page"] == {"status": 200, "complete": True}
    report = seen["websocket"].pop("report")
    assert (report["http_version"], report["secure"]) == ("HTTP/2", tls)
    assert seen["websocket"] == {
        "status": 200,
        "subprotocol": "demo.upgradegw",
        "others": [],
        "received": [0, 7, 300, 200_000, 100_000],
        "close": 1000,
        "code": 0,
    }
    assert seen["echo"] == {"status": 200, "content": "leading and more"}
    assert seen["reset"]["status"] == 200
    refused = {"unknown": 501, "page_switched": 405, "nothing_switched": 404, "plain": 400}
    assert {name: seen[name]["status"] for name in refused} == refused
    server.await_line(
        rf'switch path="/ws" token="websocket" subprotocol="demo.upgradegw" http_version="HTTP/2" {ON_A_STREAM}'
    )
    server.await_line(rf'end path="/ws" token="websocket" .* http_version="HTTP/2" .* close_code=1000 .*{ON_A_STREAM}')
    server.await_line(
        rf'end path="/echo" token="echo" .* http_version="HTTP/2" .* bytes_in=16 bytes_out=16 .*{ON_A_STREAM}'
    )


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration site, told that the proxies are to be believed."""
    with serving("--trusted-proxy", "127.0.0.1", folder=tmp_path_factory.mktemp("trusting")) as server:
        yield server
    assert_no_traceback(server)


def haproxy_over_http2(folder: Path, upstream: int) -> AbstractContextManager[int]:
    """Run HAProxy, which adds no field that would tell that it is there."""
    return haproxy(folder, upstream, HTTP_2, mode="http")


@pytest.fixture(scope="module", params=[haproxy_over_http2, nghttpx], ids=["haproxy", "nghttpx"])
def front(
    request: pytest.FixtureRequest, trusting: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, int]]:
    """The server, and the port of a proxy in front of it that speaks HTTP/2 to it."""
    start: Callable[[Path, int], AbstractContextManager[int]] = request.param
    with start(tmp_path_factory.mktemp("front"), trusting.port) as port:
        yield trusting, port


def dial(port: int, **options: object) -> ClientConnection:
    """Open a WebSocket through a proxy."""
    return connect(f"ws://127.0.0.1:{port}/ws", max_size=None, open_timeout=PATIENCE, **options)  # type: ignore[arg-type]


def test_a_page_through_a_proxy(front: tuple[Server, int]) -> None:
    """H2-01: pages over HTTP/1.1 and HTTP/2 to the proxy are pages over HTTP/2 to us, and so is what is not there."""
    server, port = front
    for how in ("--http1.1", "--http2-prior-knowledge"):
        page = f"http://127.0.0.1:{port}/?{how}"
        ((status, _, text),) = split(curl(how, "-i", page))
        assert status.split()[1] == "200"
        assert text.rstrip().endswith("</html>")
        server.await_line(rf'"GET /\?{how} HTTP/2" 200 .* {ON_A_STREAM}')
    statuses = [
        status.split()[1] for status, _, _ in split(curl("-i", page, "-d", "a=b", f"http://127.0.0.1:{port}/x"))
    ]
    assert statuses == ["405", "404"]


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_websocket_through_a_proxy(front: tuple[Server, int], compression: str | None) -> None:
    """EC-02, EC-05: the proxy makes extended CONNECT of a handshake of HTTP/1.1; subprotocol and extension are kept."""
    server, port = front
    with dial(port, compression=compression, subprotocols=["demo.upgradegw"]) as websocket:
        report = json.loads(websocket.recv(PATIENCE))
        assert report["http_version"] == "HTTP/2"
        assert report["extensions"] == (["permessage-deflate"] if compression else [])
        noise = os.urandom(MEBIBYTE // 2)
        for message in ("grüße", "", noise, "x" * MEBIBYTE):
            websocket.send(message)
            assert websocket.recv(PATIENCE) == message
        websocket.close(3000)
        with pytest.raises(ConnectionClosed) as closed:
            websocket.recv(PATIENCE)
    assert received_code(closed) in (1000, 3000)
    server.await_line(
        rf'switch path="/ws" token="websocket" subprotocol="demo.upgradegw" http_version="HTTP/2" {ON_A_STREAM}'
    )
    server.await_line(rf'end path="/ws" token="websocket" .* http_version="HTTP/2" .* close_code=3000 .*{ON_A_STREAM}')


def test_a_message_over_the_limit_through_a_proxy(front: tuple[Server, int]) -> None:
    """WS-18, EC-08: 1009 arrives, and siblings on the same connection live on."""
    _, port = front
    with dial(port) as sibling, dial(port) as websocket:
        with pytest.raises(ConnectionClosed) as closed:
            send_too_much(websocket)
        assert received_code(closed) == 1009
        sibling.send("still there")
        assert sibling.recv(PATIENCE) == "still there"


def test_another_origin_is_refused_through_a_proxy(front: tuple[Server, int]) -> None:
    """WS-13, EC-06: what is refused on HTTP/1.1 is refused here; the same origin passes."""
    _, port = front
    with pytest.raises(InvalidStatus) as refused, dial(port, origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403
    with dial(port, origin=f"http://127.0.0.1:{port}") as websocket:
        websocket.send("hello")
        assert websocket.recv(PATIENCE) == "hello"


@pytest.mark.parametrize("start", [haproxy_over_http2, nghttpx], ids=["haproxy", "nghttpx"])
def test_a_stop_through_a_proxy(start: Callable[[Path, int], AbstractContextManager[int]], tmp_path: Path) -> None:
    """EC-08: at a stop every WebSocket on a stream is closed with 1001, and what had been sent before has arrived."""
    with (
        serving("--trusted-proxy", "127.0.0.1", folder=tmp_path) as server,
        start(tmp_path, server.port) as port,
        contextlib.ExitStack() as stack,
    ):
        websockets = [stack.enter_context(dial(port)) for _ in range(3)]
        for websocket in websockets:
            websocket.send("last words")
            assert websocket.recv(PATIENCE) == "last words"
        server.stop()
        for websocket in websockets:
            with pytest.raises(ConnectionClosedOK) as closed:
                websocket.recv(PATIENCE)
            assert received_code(closed) == 1001
    assert_no_traceback(server)
