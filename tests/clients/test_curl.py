"""curl as a client of the demonstration site."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.curl import WRITTEN, address, curl, split
from tests.clients.support import assert_no_traceback, run_tool, tool
from tests.support.process import Server, serving


def test_two_426_on_one_connection(demonstration: Server) -> None:
    """UP-02, UP-13: a plain request gets 426 with what to ask for, and the connection is good for another."""
    ws, echo = address(demonstration, "/ws"), address(demonstration, "/echo")
    responses = split(curl("-i", "-w", WRITTEN, ws, echo))
    for (status, fields, content), token, connects in zip(responses, ("websocket", "echo"), (1, 0), strict=True):
        assert status.startswith("HTTP/1.1 426 ")
        assert fields["upgrade"] == token
        assert "upgrade" in fields["connection"].lower().replace(" ", "").split(",")
        assert fields["cache-control"] == "no-store"
        text, _, written = content.rstrip("\n").rpartition("\n")
        assert int(fields["content-length"]) == len(text)
        assert written.split()[:3] == ["426", "1.1", str(connects)]


def test_head_is_426_without_content(demonstration: Server) -> None:
    """UP-11, UP-13: HEAD is answered like GET, without the content, on a connection that stays open."""
    url = address(demonstration, "/ws")
    (status, fields, content), (again, _, _) = split(curl("-I", "-w", WRITTEN, url, url))
    assert status.startswith("HTTP/1.1 426 ")
    assert again.startswith("HTTP/1.1 426 ")
    assert fields["upgrade"] == "websocket"
    assert int(fields["content-length"]) > 0
    assert content.split() == ["426", "1.1", "1", "0"]


def test_a_method_that_no_protocol_has_is_405(demonstration: Server) -> None:
    """UP-11: DELETE on a path for WebSocket is 405 with Allow."""
    ((status, fields, _),) = split(curl("-i", "-X", "DELETE", address(demonstration, "/ws")))
    assert status.startswith("HTTP/1.1 405 ")
    assert "GET" in fields["allow"]


def test_http_1_0_is_never_switched(demonstration: Server) -> None:
    """UP-08, A-07: HTTP/1.0 gets 426 and the end of the connection, whatever it asks for."""
    asks = "-H", "Connection: Upgrade", "-H", "Upgrade: echo"
    url = address(demonstration, "/echo")
    responses = split(curl("--http1.0", "-i", "-w", WRITTEN, *asks, url, url))
    assert [status.split()[1] for status, _, _ in responses] == ["426", "426"]
    assert [content.split("\n")[-2].split()[2] for _, _, content in responses] == ["1", "1"]
    (page,) = split(curl("--http1.0", "-i", address(demonstration, "/")))
    assert page[0].split()[1] == "200"
    assert page[2].rstrip().endswith("</html>")


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with routes of one's own, which takes no offer of h2c unless it is told to."""
    folder = tmp_path_factory.mktemp("configured")
    (folder / "index.html").write_text("a page\n")
    routes = "--static", f"/={folder}", "--websocket", "/ws=upgradegw.service.demonstration.echo:websocket_echo_factory"
    with serving(*routes, folder=folder) as server:
        yield server
    assert_no_traceback(server)


def test_an_offer_of_h2c_is_ignored(configured: Server) -> None:
    """UP-07, A-01: ``--http2`` on cleartext is answered in HTTP/1.1, and the connection is good for another request."""
    page = address(configured, "/")
    printed = curl("--http2", "-i", "-w", WRITTEN, page, page)
    responses = split(printed)
    assert [status.split()[1] for status, _, _ in responses] == ["200", "200"]
    assert [content.rstrip("\n").split("\n")[-1].split()[:3] for _, _, content in responses] == [
        ["200", "1.1", "1"],
        ["200", "1.1", "0"],
    ]
    assert all("upgrade" not in fields for _, fields, _ in responses)


def test_an_offer_of_h2c_with_content_is_ignored(configured: Server) -> None:
    """UP-07, UP-12: so is one with content; the answer is the path's own: no method of the page, 426 elsewhere."""
    url = address(configured, "/")
    ((status, _, _),) = split(curl("--http2", "-i", "--data", "some=content", url))
    assert status.startswith("HTTP/1.1 405 ")
    ((status, fields, _),) = split(curl("--http2", "-i", address(configured, "/ws")))
    assert status.startswith("HTTP/1.1 426 ")
    assert fields["upgrade"] == "websocket"


@pytest.mark.parametrize("expect", ["Expect:", "Expect: 100-continue"])
def test_too_much_content_is_413(demonstration: Server, tmp_path: Path, expect: str) -> None:
    """A-27: 2 MiB are refused, before they are sent if the client asks first, and so that curl sees the answer."""
    content = tmp_path / "content"
    content.write_bytes(bytes(2 << 20))
    printed = curl("-i", "-H", expect, "--data-binary", f"@{content}", address(demonstration, "/ws"))
    ((status, fields, _),) = split(printed)
    assert status.startswith("HTTP/1.1 413 ")
    assert fields["connection"] == "close"


GREETING = """
    from twisted.internet.protocol import Protocol


    class Greeting(Protocol):
        \"\"\"Speaks first, and ends.\"\"\"

        def connectionMade(self):
            self.transport.write(b"hello from behind the switch\\n")
            self.transport.loseConnection()
"""


def test_a_protocol_of_ones_own(tmp_path: Path) -> None:
    """UP-01: ``curl -N`` asks for a protocol of ours, sees the 101 and everything behind it, and the end."""
    (tmp_path / "greeting.py").write_text(textwrap.dedent(GREETING))
    with serving("--upgrade", "/greet=greet/1=greeting:Greeting", folder=tmp_path) as server:
        asks = "-H", "Connection: Upgrade", "-H", "Upgrade: greet/1"
        ((status, fields, content),) = split(curl("-N", "-i", *asks, address(server, "/greet")))
        assert status == "HTTP/1.1 101 Switching Protocols"
        assert fields["upgrade"] == "greet/1"
        assert fields["connection"].lower() == "upgrade"
        assert not {"content-length", "transfer-encoding"} & set(fields)
        assert content == "hello from behind the switch\n"
        server.await_line('switch path="/greet" token="greet/1"')
        server.await_line('end path="/greet" token="greet/1"')


def test_curl_waits_behind_the_switch(demonstration: Server) -> None:
    """UP-01, UP-15: curl shows the 101 of the raw echo, and no more, for it cannot speak behind it."""
    asks = "-H", "Connection: Upgrade", "-H", "Upgrade: echo", "--max-time", "1"
    done = run_tool([tool("curl"), "-q", "-sS", "--noproxy", "*", "-N", "-i", *asks, address(demonstration, "/echo")])
    assert done.returncode == 28  # it has waited
    ((status, fields, content),) = split(done.stdout)
    assert (status, fields["upgrade"], content) == ("HTTP/1.1 101 Switching Protocols", "echo", "")


def test_a_page_and_its_neighbours(demonstration: Server) -> None:
    """GET, HEAD and OPTIONS on the page, and what is not there, as curl sees them."""
    page = address(demonstration, "/")
    assert split(curl("-i", page))[0][0].startswith("HTTP/1.1 200 ")
    assert split(curl("-I", page))[0][0].startswith("HTTP/1.1 200 ")
    assert split(curl("-i", address(demonstration, "/nothing")))[0][0].startswith("HTTP/1.1 404 ")
