"""The page on watching a gateway: its configuration is run, on other ports, and serves what the page says."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tests.clients.nginx import replace_once
from tests.clients.support import WEBSOCKET_FIELDS, Connection, asks_for, assert_no_traceback, free_port
from tests.docs.conftest import EXAMPLES
from tests.source_tree import ROOT
from tests.support.process import PATIENCE, Server, run, serving

EXAMPLE = EXAMPLES / "gateway" / "watch.toml"
PAGE = (ROOT / "docs" / "how-to" / "watch.md").read_text()

#: What stands in the first two columns of the page's tables.
PATHS = re.findall(r"^\| `(/[a-z.]*)` \|", PAGE, re.MULTILINE)
METRICS = re.findall(r"^\| `(upgradegw_\w+)` \| (.*?) \|", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The example, on other ports; nobody listens where its route leads."""
    folder = tmp_path_factory.mktemp("watch")
    text = EXAMPLE.read_text()
    text = replace_once(text, '"tcp:8080"', '"tcp:0:interface=127.0.0.1"')
    text = replace_once(text, "tcp:9090:", "tcp:0:")
    text = replace_once(text, "127.0.0.1:8001", f"127.0.0.1:{free_port()}")
    (folder / "watch.toml").write_text(text)
    with serving("--config", "watch.toml", folder=folder, listen=False) as server:
        yield server
    assert_no_traceback(server)


def get(server: Server, path: str) -> bytes:
    """Ask for one of the operator's pages, which must be there."""
    url = server.await_line(r"Operator's pages: (\S+)")[1] + path.lstrip("/")
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        content: bytes = answer.read()
        return content


def families(server: Server) -> dict[str, Metric]:
    """Scrape."""
    return {each.name: each for each in text_string_to_metric_families(get(server, "/metrics").decode())}


def test_it_is_accepted(tmp_path: Path) -> None:
    """``--check`` finds nothing to object to in the very file, and says where the pages are."""
    done = run("--config", str(EXAMPLE), "--check", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'admin address="tcp:9090:interface=127.0.0.1" allow=127.0.0.0/8,::1,unix' in done.stdout


def test_its_paths(server: Server) -> None:
    """Each that the page names is there, and no other."""
    assert sorted(PATHS) == ["/", "/connections.json", "/healthz", "/metrics", "/readyz"]
    for path in PATHS:
        assert get(server, path)
    with pytest.raises(urllib.error.HTTPError, match="404"):
        get(server, "/other")


def test_its_metrics(server: Server) -> None:
    """Each of ours is in the page's table, under the name and with the labels that Prometheus sees."""
    with Connection.to(server.port) as connection:
        connection.send(asks_for("websocket", "/", "a.example", *WEBSOCKET_FIELDS))
        assert connection.head()[0] == 502
    served = families(server)
    of_ours = {
        name + "_total" * (each.type == "counter")
        for name, each in served.items()
        if name.startswith("upgradegw_") and not name.endswith("_created")
    }
    assert {name for name, _ in METRICS} == of_ours
    told = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in METRICS}
    seen = 0
    for name, each in served.items():
        for sample in each.samples:
            key = next((key for key in told if key in (sample.name, name)), None)
            if key is not None:
                seen += 1
                assert set(sample.labels) - {"le"} == told[key], sample.name
    assert seen
    assert {sample.labels["reason"] for sample in served["upgradegw_upstream_failures"].samples} == {
        "upstream_unreachable"
    }


def test_its_queries(server: Server) -> None:
    """Each query is about a metric and a label that are there."""
    queries = re.findall(r"^\| .*\? \| `(.*?)` ", PAGE, re.MULTILINE)
    assert len(queries) == 5
    known = {name for name, _ in METRICS}
    for query in queries:
        (name,) = re.findall(r"upgradegw_\w+", query)
        assert name.removesuffix("_bucket") in known
        for label in re.findall(r"(\w+)=\"", query):
            assert label in dict(METRICS)[name]
