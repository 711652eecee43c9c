"""What is scraped of the real server is what was sent to it: counts, bytes to the byte, reasons and failures."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.clients.support import WEBSOCKET_FIELDS, Connection, asks_for, assert_no_traceback, free_port
from tests.gateway import frames
from tests.gateway.rows import switched, to
from tests.gateway.upstream import Asked, Upstream
from tests.gateway.wire import Wire
from tests.service.admin.test_metrics import LABELS
from tests.support.process import PATIENCE, Server, serving

CONFIGURATION = """
access_log = "off"
[[listen]]
endpoint = "tcp:0:interface=127.0.0.1"
[admin]
endpoint = "tcp:0:interface=127.0.0.1"
[[route]]
path = "/up"
proxy = "http://127.0.0.1:{up}"
upgrades = ["websocket", "tcp"]
[[route]]
path = "/closed"
proxy = ["http://127.0.0.1:{closed}", "unix:/nowhere/x.sock"]
[[route]]
path = "/guarded"
respond = {{ content = "for some" }}
allow = ["192.0.2.0/24"]
"""

Values = dict[str, dict[tuple[str, ...], float]]


class Scraped:
    """The gateway, its metrics, and an upstream whose bytes are known."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.pages = server.await_line(r"Operator's pages: (\S+)")[1]

    def scrape(self) -> Values:
        """Return each value, by the name of its metric and its labels in the order of ``LABELS``."""
        with urllib.request.urlopen(self.pages + "metrics", timeout=PATIENCE) as answer:
            text = answer.read().decode()
        found: Values = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = tuple(sample.labels[each] for each in (*LABELS, "upstream") if each in sample.labels)
                if not sample.name.endswith(("_created", "_bucket")):
                    found.setdefault(sample.name.removeprefix("upgradegw_"), {})[labels] = sample.value
        return found

    def connect(self) -> Connection:
        """Open a connection."""
        return Connection.to(self.server.port)

    def status(self, path: str) -> int:
        """Ask for a path; return the answer's status."""
        with self.connect() as connection:
            connection.send(f"GET {path} HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n".encode())
            return connection.head()[0]


def answer(wire: Wire, asked: Asked) -> None:
    """Switch, send 1000 bytes, and close behind the first 300 that come; without a switch send 5 bytes."""
    if asked.head.upgrades("websocket"):
        accept = frames.accept_for(asked.head.all("sec-websocket-key")[0])
        wire.send(
            switched(*to("websocket", f"Sec-WebSocket-Accept: {accept}"), data=frames.frame(frames.TEXT, b"x" * 100))
        )
    elif asked.head.upgrades("tcp"):
        wire.send(switched(*to("tcp"), data=b"y" * 1000))
    else:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nplain")
        return
    wire.take(300)


@pytest.fixture
def scraped(tmp_path: Path) -> Iterator[Scraped]:
    """Start the gateway, and the upstream."""
    with ExitStack() as stack:
        upstream = stack.enter_context(Upstream())
        upstream.forget(answer)
        configuration = tmp_path / "gateway.toml"
        configuration.write_text(CONFIGURATION.format(up=upstream.port, closed=free_port()))
        server = stack.enter_context(serving("--config", str(configuration), folder=tmp_path, listen=False))
        yield Scraped(server)
    assert_no_traceback(server)


def test_what_was_sent_is_what_is_scraped(scraped: Scraped) -> None:
    """Switches, ends and bytes by route, token and version; answers, refusals and failures by what they were."""
    with scraped.connect() as socket, scraped.connect() as tunnel:
        socket.send(asks_for("websocket", "/up/a", "a.example", *WEBSOCKET_FIELDS))
        assert socket.head()[0] == 101
        tunnel.send(asks_for("tcp", "/up/b", "a.example"))
        assert tunnel.head()[0] == 101
        tunnel.exactly(1000)
        values = scraped.scrape()
        web, pipe = ("/up", "websocket", "HTTP/1.1"), ("/up", "tcp", "HTTP/1.1")
        assert values["upgrades_total"] == {web: 1, pipe: 1}
        assert values["upgrades_active"] == {web: 1, pipe: 1}
        assert values["upgrade_handshake_seconds_count"] == {web[:2]: 1, pipe[:2]: 1}
        assert "upgraded_bytes_total" not in values
        tunnel.send(b"z" * 300)
        assert tunnel.to_the_end() == b""
        socket.exactly(102)
    statuses = [scraped.status(path) for path in ("/up", "/up", "/closed", "/guarded", "/nothing")]
    assert statuses == [200, 200, 503, 403, 404]
    values = scraped.scrape()
    assert values["upgrades_active"] == {web: 0, pipe: 0}
    assert {labels[:3]: number for labels, number in values["upgrades_ended_total"].items()} == {web: 1, pipe: 1}
    assert values["upgraded_bytes_total"] == {
        ("/up", "tcp", "in"): 300,
        ("/up", "tcp", "out"): 1000,
        ("/up", "websocket", "in"): 0,
        ("/up", "websocket", "out"): 2 + 100,
    }
    assert values["upgraded_seconds_count"] == {web[:2]: 1, pipe[:2]: 1}
    assert values["requests_total"] == {
        ("/up", "200", "HTTP/1.1"): 2,
        ("/closed", "503", "HTTP/1.1"): 1,
        ("/guarded", "403", "HTTP/1.1"): 1,
        ("other", "404", "HTTP/1.1"): 1,
    }
    assert values["response_content_bytes_total"][("/up",)] == 10
    assert values["refusals_total"][("/closed", "no_upstream")] == 1
    assert values["upstream_failures_total"] == {("/closed", "no_upstream"): 1}
    assert set(values["upstream_up"].values()) == {1}
    assert len(values["upstream_up"]) == len(values["upstream_active"]) == 2
    assert values["process_open_fds"][()] > 0
