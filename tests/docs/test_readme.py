"""The README's two commands and its examples are what they say."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import upgradegw
from tests.memory import Memory, content_of, upgrade_request
from tests.proxy.gateway_in_memory import OK, switch_to_websocket
from tests.proxy.upstream_reactor import UpstreamReactor
from tests.source_tree import ROOT
from upgradegw import UpgradeSite
from upgradegw.service.config.loading import load
from upgradegw.service.gateway.building import build_routes
from upgradegw.service.gateway.table import RouteTable
from upgradegw.service.options import Options
from upgradegw.testing import Client

README = (ROOT / "README.md").read_text()


def command(name: str) -> str:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "readme_command.py", name],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()


def test_the_command_that_tests_is_one_line() -> None:
    """The test command makes an environment, installs and runs pytest; ``.ci/run`` runs this very line."""
    assert re.fullmatch(r"python3 -m venv \S+ && \S+/pip install .*'\.\[test\]' && \S+/pytest", command("test"))
    assert "readme_command.py test" in (ROOT / ".ci" / "sections.sh").read_text()


def test_the_command_that_demonstrates_is_one_line() -> None:
    """The other command makes an environment, installs and runs the demonstration."""
    assert re.fullmatch(
        r"python3 -m venv \S+ && \S+/pip install .* && .*upgradegw.* --port 8080", command("demonstration")
    )


def example_block(name: str, language: str = "python") -> str:
    (block,) = re.findall(rf"<!-- example: {name} -->\n+```{language}\n(.*?)```", README, re.DOTALL)
    return str(block)


def test_gateway(tmp_path: Path) -> None:
    """The configuration is accepted as it is; files come from its folder, and one of two servers gets the rest."""
    file = tmp_path / "gateway.toml"
    file.write_text(example_block("gateway", "toml"))
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "index.html").write_text("a page")
    with pytest.raises(SystemExit, match=r"^0$"):
        Options().parseOptions(["--config", str(file), "--check"])
    reactor = UpstreamReactor()
    with Client(UpgradeSite(RouteTable(build_routes(load(str(file)).route, reactor)), reactor=reactor)) as client:
        assert client.request("GET", "/").content == b"a page"
        pending = client.start_request("GET", "/app/a")
        reactor.turn()
        (upstream,) = reactor.upstreams
        assert reactor.tcpClients[0][:2] in {("127.0.0.1", 8001), ("127.0.0.1", 8002)}
        assert upstream.received.startswith(b"GET /app/a HTTP/1.1\r\n")
        upstream.send(OK)
        assert pending.result().content == b"ok"
        opening = client.start_websocket("/app/live")
        reactor.turn()
        asked = reactor.upstreams[-1]
        asked.send(switch_to_websocket(asked.received[asked.received.rindex(b"GET ") :]))
        opening.result()


def test_own_protocol() -> None:
    """The protocol in ten lines answers behind its token."""
    names: dict[str, Any] = {}
    exec(compile(example_block("protocol"), "README.md", "exec"), names)
    answer = Memory(names["resource"]).send(upgrade_request(b"shout/1") + b"tea\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert content_of(answer) == b"TEA\r\n"


def test_embedding(example: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedding example runs as it is; only the reactor is one in memory."""
    from twisted.internet import endpoints
    from twisted.internet.testing import MemoryReactorClock

    example("chat")
    reactor = MemoryReactorClock()
    monkeypatch.setitem(sys.modules, "twisted.internet.reactor", reactor)
    monkeypatch.setattr("twisted.internet.reactor", reactor, raising=False)
    served: list[Any] = []
    monkeypatch.setattr(reactor, "run", lambda: served.extend(reactor.tcpServers), raising=False)
    exec(compile(example_block("embed"), "README.md", "exec"), {})
    assert endpoints is not None
    ((port, site, *_),) = served
    assert port == 8080
    assert isinstance(site, upgradegw.UpgradeSite)


def test_every_link_leads_somewhere() -> None:
    """Files that the README and CONTRIBUTING link to are there."""
    for name in ("README.md", "CONTRIBUTING.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / name).read_text())
        assert [link for link in links if not (ROOT / link).exists()] == [], name
