"""The examples work: each site is listened to in memory and asked what its page promises."""

from __future__ import annotations

import re
import subprocess
import sys
import unittest
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Cooperator
from twisted.internet.testing import MemoryReactorClock
from twisted.web.server import Site

from tests.certificates import self_signed
from tests.docs.conftest import EXAMPLES, OWN_PROTOCOL
from tests.memory import Memory, MemoryTransport, content_of, fields_of, upgrade_request
from tests.source_tree import ROOT
from upgradegw.protocols.plugins import find_upgrade

Example = Callable[[str], ModuleType]

#: The tutorials bring their own files and are followed in an empty folder.
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if page.parent.name != "tutorials"]


class InlineThreads:
    """A thread pool whose threads are the caller's."""

    def callInThreadWithCallback(self, onResult: Any, function: Any, *args: Any, **kwargs: Any) -> None:
        onResult(True, function(*args, **kwargs))

    def callInThread(self, function: Any, *args: Any, **kwargs: Any) -> None:
        function(*args, **kwargs)


class ExampleReactor(MemoryReactorClock):
    """A reactor in memory that WSGI can run on."""

    def getThreadPool(self) -> InlineThreads:
        return InlineThreads()

    def callFromThread(self, callable: Any, *args: Any, **kwargs: Any) -> None:  # noqa: A002 - Twisted's name
        callable(*args, **kwargs)


@pytest.fixture(autouse=True)
def pieces(monkeypatch: pytest.MonkeyPatch) -> ExampleReactor:
    """Let twisted.web send files in the time of a reactor in memory."""
    reactor = ExampleReactor()
    cooperator = Cooperator(scheduler=lambda step: reactor.callLater(0, step))
    monkeypatch.setattr("twisted.internet.task._theCooperator", cooperator)
    monkeypatch.setattr("tests.docs.test_examples.ExampleReactor", lambda: reactor)
    return reactor


class Listening:
    """An example's site, as its ``main`` listens with it."""

    def __init__(self, module: ModuleType, *args: Any) -> None:
        self.reactor: Any = ExampleReactor()
        assert IReactorTime.providedBy(self.reactor)
        self.running = Deferred.fromCoroutine(module.main(self.reactor, *args))
        self.running.addErrback(lambda failure: failure.raiseException())
        servers = [*self.reactor.tcpServers, *self.reactor.sslServers]
        assert len(servers) == 1, self.running
        self.port, self.site = servers[0][:2]

    def ask(self, *segments: bytes) -> tuple[MemoryTransport, bytes]:
        """Connect, send, and return the transport and what has come back."""
        transport = MemoryTransport(peerAddress=IPv4Address("TCP", "192.0.2.7", 40001))
        transport.protocol = self.site.buildProtocol(transport.getPeer())
        transport.protocol.makeConnection(transport)
        for segment in segments:
            transport.deliver(segment)
        self.reactor.pump(
            [0.01] * 10
        )  # a file is sent piece by piece: here by a cooperator, there at the socket's asking
        while transport.producer is not None and not transport.streaming:
            transport.producer.resumeProducing()
        return transport, transport.value()


def get(path: bytes) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: a.example\r\n\r\n"


def open_websocket(path: bytes, *lines: bytes) -> bytes:
    key = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    return upgrade_request(b"websocket", key, b"Sec-WebSocket-Version: 13", *lines, path=path)


def masked(text: bytes) -> bytes:
    """A text frame as a client sends it, with a mask of zeros."""
    return bytes([0x81, 0x80 | len(text)]) + bytes(4) + text


def frame(text: bytes) -> bytes:
    """A text frame as a server sends it."""
    return bytes([0x81, len(text)]) + text


SITES = [
    ("embed_in_a_site", b"/chat"),
    ("upgrade_site", b"/chat"),
    ("http2_site", b"/chat"),
    ("own_site", b"/chat"),
    ("klein_site", b"/chat"),
    ("klein_site", b"/rooms/tea"),
    ("wsgi_site", b"/chat"),
]


@pytest.mark.parametrize(("name", "path"), SITES)
def test_the_chat_is_served(example: Example, name: str, path: bytes) -> None:
    """Every site that embeds the chat switches to it, and what one says all hear."""
    listening = Listening(example(name))
    assert listening.port == 8080
    listener, answer = listening.ask(open_websocket(path))
    assert answer.startswith(b"HTTP/1.1 101 ")
    _, heard = listening.ask(open_websocket(path), masked(b"tea?"))
    assert content_of(heard) == frame(b"tea?")
    assert content_of(listener.value()) == frame(b"tea?")


@pytest.mark.parametrize(
    ("name", "path", "said"),
    [
        ("embed_in_a_site", b"/", b"new WebSocket"),
        ("upgrade_site", b"/", b"new WebSocket"),
        ("shout_site", b"/talk", b"Talk to me."),
        ("klein_site", b"/", b"There is a chat"),
        ("wsgi_site", b"/some/where", b"This is /some/where"),
    ],
)
def test_plain_requests_are_served(example: Example, name: str, path: bytes, said: bytes) -> None:
    """UP-14: beside the switch there is the page, the application, the text; it does not speak of upgrades."""
    _, answer = Listening(example(name)).ask(get(path))
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert said in answer
    assert b"upgrade" not in fields_of(answer)


@pytest.mark.parametrize(("name", "path"), SITES)
def test_plain_requests_for_the_chat_get_426(example: Example, name: str, path: bytes) -> None:
    """UP-13: on a path for upgrades only, a plain request is told what to ask for."""
    _, answer = Listening(example(name)).ask(get(path))
    assert answer.startswith(b"HTTP/1.1 426 ")
    assert fields_of(answer)[b"upgrade"] == b"websocket"


def test_tls_site(example: Example, tmp_path: Any) -> None:
    """The TLS example listens with a certificate and serves the chat behind it."""
    files = self_signed(tmp_path)
    listening = Listening(example("tls_site"), str(files.cert), str(files.key))
    assert listening.port == 8443
    assert len(listening.reactor.sslServers) == 1
    _, answer = listening.ask(open_websocket(b"/chat"))
    assert answer.startswith(b"HTTP/1.1 101 ")


def test_upgrade_site_stops_in_order(example: Example) -> None:
    """At shutdown the example's site sends Close 1001 to every WebSocket."""
    listening = Listening(example("upgrade_site"))
    transport, _ = listening.ask(open_websocket(b"/chat"))
    listening.reactor.triggers["before"]["shutdown"][-1][0]()
    assert content_of(transport.value()) == bytes([0x88, 2]) + (1001).to_bytes(2, "big")


def test_own_protocol(example: Example) -> None:
    """The protocol of one's own greets first, and answers, also to what came with the request."""
    listening = Listening(example("shout_site"))
    _, answer = listening.ask(upgrade_request(b"shout/1", path=b"/talk") + b"how are you\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert fields_of(answer)[b"upgrade"] == b"shout/1"
    assert content_of(answer) == b"hello 192.0.2.7\r\nHOW ARE YOU\r\n"


def test_own_protocol_is_served_to_browsers_too(example: Example) -> None:
    """On the same path a WebSocket is answered in capitals."""
    listening = Listening(example("shout_site"))
    _, answer = listening.ask(open_websocket(b"/talk"), masked(b"tea?"))
    assert content_of(answer) == frame(b"TEA?")


def test_own_protocol_both_ends(tmp_path: Path) -> None:
    """The tutorial's tests run as its reader runs them: both ends over a real connection, too."""
    done = subprocess.run(
        [sys.executable, "-m", "twisted.trial", "--temp-directory", str(tmp_path / "trial"), "test_shout"],
        cwd=OWN_PROTOCOL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "PASSED (successes=8)" in done.stdout, done.stdout + done.stderr


def test_authorize(example: Example) -> None:
    """Who has a pass is greeted by name and gets a cookie; who has none gets 401."""
    root = example("authorize").root()
    memory = Memory(root)
    answer = memory.send(open_websocket(b"/greet", b"Cookie: pass=tea"))
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert fields_of(answer)[b"set-cookie"] == b"seen=yes; HttpOnly"
    assert content_of(answer) == frame(b"hello alice")
    refused = Memory(root).send(open_websocket(b"/greet", b"Cookie: pass=coffee"))
    assert refused.startswith(b"HTTP/1.1 401 ")
    assert fields_of(refused)[b"www-authenticate"].startswith(b"Cookie ")


def test_demand_tls(example: Example) -> None:
    """WS-14: a path can demand TLS; on cleartext nothing is switched, and a redirect says where to go."""
    memory = Memory(example("demand_tls").root(), trusted_proxies=["192.0.2.7"])
    answer = memory.send(open_websocket(b"/greet"))
    assert answer.startswith(b"HTTP/1.1 301 ")
    assert fields_of(answer)[b"location"] == b"https://app.example/greet"
    secure = Memory(example("demand_tls").root(), trusted_proxies=["192.0.2.7"])
    assert secure.send(open_websocket(b"/greet", b"X-Forwarded-Proto: https")).startswith(b"HTTP/1.1 101 ")


def test_plugin(example: Example) -> None:
    """The plugin's upgrade is found by its token."""
    upgrade = find_upgrade("shout/1", [example("upgrade_plugin").shout])
    assert str(upgrade.protocol) == "shout/1"


def test_take_over(example: Example) -> None:
    """The takeover hook alone switches a stock site, with what came behind the request."""
    reactor = MemoryReactorClock()
    memory = Memory(example("take_over").Tunnel(), stock=True, clock=reactor)
    assert isinstance(memory.site, Site)
    answer = memory.send(upgrade_request(b"tunnel") + b"tea\r\n", b"more\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert content_of(answer) == b"hello there\r\nTEA\r\nMORE\r\n"
    assert Memory(example("take_over").Tunnel(), stock=True).send(get(b"/")).startswith(b"HTTP/1.1 426 ")


def test_the_tests_of_the_examples(example: Example) -> None:
    """The tests that show how to test run, on every transport that they name."""
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromModule(example("test_chat")).run(result)
    assert (result.errors, result.failures) == ([], [])
    assert result.testsRun >= 14


def test_the_commands_of_the_pages_resolve(tmp_path: Any) -> None:
    """Every ``upgradegw`` command with the examples' routes is accepted by ``--check``."""
    commands = {
        " ".join(command.replace("\\\n", " ").split())
        for page in PAGES
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)
        for command in re.findall(r"^(?:\.venv/bin/)?upgradegw (.*(?:\\\n.*)*)", block, re.MULTILINE)
    }
    checked = 0
    for command in sorted(commands):
        if not re.search(r"(chat|wsgi_site):|--listen (haproxy|tcp:8080|unix)|self-signed", command):
            continue
        if "fullchain" in command or "acme-webroot" in command:
            continue  # needs files; for its pages test_deployment.py has them
        done = subprocess.run(
            [sys.executable, "-m", "upgradegw", *command.replace("unix:/run", f"unix:{tmp_path}").split(), "--check"],
            cwd=EXAMPLES,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        checked += 1
    assert checked >= 5
