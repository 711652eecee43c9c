"""What the pages on HTTP/2 say happens: their commands print it, their proxy passes it on, their examples do it."""

from __future__ import annotations

import contextlib
import json
import re
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from websockets.sync.client import connect

from tests.certificates import self_signed
from tests.clients.curl import curl
from tests.clients.support import free_port, process, run_tool, tool
from tests.docs.conftest import EXAMPLES
from tests.http2.client import Client, connect_fields, data, fields, rst
from tests.memory import Memory, content_of, fields_of, upgrade_request
from tests.source_tree import ROOT
from tests.support.process import PATIENCE, Server, serving

Example = Callable[[str], ModuleType]

PAGE = (ROOT / "docs" / "how-to" / "http2.md").read_text()
COMMANDS = re.findall(r"```sh\n(curl .*)\n```\n\n```text\n((?:(?!```).*\n)*)```", PAGE)


@pytest.fixture(scope="module")
def demonstrations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """The two servers that the page begins with, by their ports on the page."""
    begun = re.findall(r"```sh\nupgradegw --port (\d+)(.*)\n```", PAGE)
    folder = tmp_path_factory.mktemp("demonstrations")
    with contextlib.ExitStack() as stack:
        yield {port: stack.enter_context(serving(*options.split(), folder=folder)) for port, options in begun}


@pytest.mark.parametrize(("command", "printed"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_the_commands_print_what_the_page_says(
    demonstrations: dict[str, Server], command: str, printed: str, tmp_path: Path
) -> None:
    """H2-01, H2-02, H2-06, HC-01: by each way the version that the page tells; what a path for upgrades only says."""
    tool("curl")
    for port, server in demonstrations.items():
        command = command.replace(f"localhost:{port}/", f"127.0.0.1:{server.port}/")
    done = run_tool(["sh", "-c", command], cwd=tmp_path)
    assert (done.stdout, done.stderr) == (printed, "")


def test_every_way_is_on_the_page() -> None:
    """Each of the three ways has its command."""
    assert len(COMMANDS) >= 5
    text = " ".join(command for command, _ in COMMANDS)
    assert all(way in text for way in ("https://", "--http2-prior-knowledge", "--http2 "))


@pytest.fixture
def haproxy(tmp_path: Path) -> Iterator[tuple[Server, int, ssl.SSLContext]]:
    """The server, the port of HAProxy with the page's configuration in front of it, and a client that trusts it."""
    certificate = self_signed(tmp_path)
    both, port = tmp_path / "both.pem", free_port()
    both.write_bytes(certificate.cert.read_bytes() + certificate.key.read_bytes())
    routes = (
        "--websocket",
        "/ws=upgradegw.service.demonstration.echo:websocket_echo_factory",
        "--static",
        f"/={EXAMPLES}",
    )
    with serving("--trusted-proxy", "127.0.0.1", *routes, folder=tmp_path) as server:
        configuration = (EXAMPLES / "haproxy.cfg").read_text()
        changes = {":443 ": f"127.0.0.1:{port} ", "/etc/haproxy/app.example.pem": str(both), ":8080": f":{server.port}"}
        for old, new in changes.items():
            assert configuration.count(old) == 1, old
            configuration = configuration.replace(old, new)
        file = tmp_path / "haproxy.cfg"
        file.write_text(configuration)
        with process([tool("haproxy"), "-db", "-f", str(file)], port, tmp_path / "haproxy.log"):
            yield server, port, ssl.create_default_context(cafile=certificate.cert)


def test_haproxy(haproxy: tuple[Server, int, ssl.SSLContext]) -> None:
    """EC-10: with the page's configuration pages and WebSockets come over HTTP/2, from the client's own address."""
    server, port, trusting = haproxy
    printed = curl("-k", "-o", "/dev/null", "-w", "%{http_version} %{http_code}", f"https://localhost:{port}/chat.py")
    assert printed == "2 200"
    server.await_line(r'"GET /chat.py HTTP/2" 200 ')
    url, origin = f"wss://localhost:{port}/ws", f"https://localhost:{port}"
    with connect(
        url, ssl=trusting, origin=origin, subprotocols=["demo.upgradegw"], source_address=("127.0.0.3", 0)
    ) as websocket:
        report = json.loads(websocket.recv(PATIENCE))
        assert (report["http_version"], report["client"]) == ("HTTP/2", "127.0.0.3")
        websocket.send("through HAProxy")
        assert websocket.recv(PATIENCE) == "through HAProxy"


def listening(module: ModuleType) -> tuple[Any, MemoryReactorClock]:
    """Run an example's ``main`` in memory; return its site and its reactor."""
    reactor: Any = MemoryReactorClock()
    running = Deferred.fromCoroutine(module.main(reactor))
    running.addErrback(lambda failure: failure.raiseException())
    return reactor.tcpServers[0][1], reactor


def by_upgrade(memory: Any, *paths: str) -> list[tuple[int, bytes]]:
    """Offer h2c with the first request, go on in HTTP/2, and return status and content of each response."""
    client = H2Connection(H2Configuration(client_side=True))
    offer = client.initiate_upgrade_connection()
    assert offer is not None
    request = upgrade_request(b"h2c", b"HTTP2-Settings: " + offer, path=paths[0].encode())
    answer = memory.send(request.replace(b"Connection: Upgrade", b"Connection: Upgrade, HTTP2-Settings"))
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert fields_of(answer)[b"upgrade"] == b"h2c"
    for stream_id, path in enumerate(paths[1:], 1):
        control = (":method", "GET"), (":scheme", "http"), (":path", path), (":authority", "a.example")
        client.send_headers(2 * stream_id + 1, control, end_stream=True)
    memory.send(client.data_to_send())
    memory.clock.pump([0.0] * 5)
    statuses: dict[int, int] = {}
    contents: dict[int, bytes] = {}
    for event in client.receive_data(content_of(memory.received)):
        if isinstance(event, ResponseReceived):
            statuses[event.stream_id] = int(dict(event.headers)[b":status"])
        elif isinstance(event, DataReceived):
            contents[event.stream_id] = contents.get(event.stream_id, b"") + event.data
    return [(statuses[number], contents.get(number, b"")) for number in sorted(statuses)]


def test_offer_h2c(example: Example) -> None:
    """HC-01, HC-06: the example's stock site answers the offer on stream 1, and more requests on the next ones."""
    memory = Memory(None, clock=MemoryReactorClock(), stock=True)
    memory.site, memory.clock = listening(example("offer_h2c"))
    memory.transport = memory.connect()
    assert by_upgrade(memory, "/", "/more") == [(200, b"HTTP/2\n"), (200, b"HTTP/2\n")]
    memory.transport = memory.connect()
    plain = memory.send(b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n")
    assert content_of(plain) == b"HTTP/1.1\n"


def test_http2_site(example: Example) -> None:
    """HC-01, EC-02, H2-01: the example's site takes the offer of a direct client, and switches on streams."""
    site, reactor = listening(example("http2_site"))
    memory = Memory(None)
    memory.site, memory.clock = site, reactor
    memory.transport = memory.connect()
    assert by_upgrade(memory, "/nothing", "/nothing")[0][0] == 404
    client = Client(site=(site, reactor))
    client.send(client.head(1, connect_fields(b"shout/1", b"/talk"), end=False), data(1, b"tea\r\n"))
    assert client[1].status == 200
    assert client[1].body.endswith(b"TEA\r\n")
    assert (client.settings[3], client.settings[4], client.settings[8]) == (50, 256 * 1024, 1)


def test_half_close(example: Example, monkeypatch: pytest.MonkeyPatch) -> None:
    """EC-08: the example sees the client's end on a TCP connection and on a stream, and tells a reset from it."""
    module = example("half_close")
    memory = Memory(module.resource)
    memory.send(upgrade_request(b"count") + b"12345")
    memory.transport.end_of_stream()
    assert content_of(memory.received) == b"5 bytes over HTTP/1.1\n"
    client = Client(module.resource)
    client.send(client.head(1, connect_fields(b"count"), end=False), data(1, b"123"), data(1, b"4", end=True))
    assert (client[1].status, client[1].body, client[1].ended) == (200, b"4 bytes over HTTP/2\n", True)
    made: list[Any] = []

    def connected(protocol: Any) -> None:
        made.append(protocol)

    monkeypatch.setattr(module.Count, "connectionMade", connected)
    client.send(client.head(3, connect_fields(b"count"), end=False), data(3, b"123"), rst(3))
    client.send(client.head(5, fields()))
    assert [each.ended for each in made] == ["reset"]
    assert client[5].status == 400


def test_klein_over_http2(example: Example) -> None:
    """EC-07: the example's application leads to its chat on a stream; a view that knows only GET is left alone."""
    site, reactor = listening(example("klein_site"))
    client = Client(site=(site, reactor))
    version = b"sec-websocket-version", b"13"
    for stream_id, path, status in ((1, b"/chat", 200), (3, b"/rooms/tea", 200), (5, b"/", 405), (7, b"/none", 404)):
        client.send(client.head(stream_id, connect_fields(b"websocket", path, version), end=False))
        assert client[stream_id].status == status
