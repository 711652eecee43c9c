"""The operator's status page in a real browser, beside a gateway that passes WebSockets and a tunnel on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.sync.server import ServerConnection, serve

from tests.clients.browser import Browser, Page
from tests.clients.support import Connection, asks_for, assert_no_traceback, received_code
from tests.gateway.rows import echo, switched, to
from tests.gateway.upstream import Asked, Upstream
from tests.gateway.wire import Wire
from tests.service.admin import picture
from tests.support.process import PATIENCE, Server, serving

CONFIGURATION = """
[[listen]]
endpoint = "tcp:0:interface=127.0.0.1"
[admin]
endpoint = "tcp:0:interface=127.0.0.1"
[[route]]
path = "/chat"
proxy = ["http://127.0.0.1:{chat}", "http://127.0.0.1:{chat}"]
[[route]]
path = "/pipe"
proxy = "http://127.0.0.1:{pipe}"
upgrades = ["tcp"]
"""

#: The cells of the table of connections, by line.
ROWS = "[...document.querySelectorAll('.connections tbody tr')].map(r => [...r.cells].map(c => c.innerText.trim()))"


@dataclass
class Running:
    """The gateway, and who is connected through it: five WebSockets, then a tunnel."""

    server: Server
    pages: str
    sockets: list[ClientConnection] = field(default_factory=list)
    #: What the upstream of the WebSockets has seen of each end: the number that it was sent, and the close code.
    ends: SimpleQueue[tuple[str, int | None]] = field(default_factory=SimpleQueue)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """Start everything, and connect everybody."""
    ends: SimpleQueue[tuple[str, int | None]] = SimpleQueue()

    def talk(connection: ServerConnection) -> None:
        number = ""
        try:
            for message in connection:
                number = str(message)
                connection.send(message)
        except ConnectionClosed:
            pass
        ends.put((number, connection.close_code))

    def pipe(wire: Wire, _asked: Asked) -> None:
        wire.send(switched(*to("tcp")))
        echo(wire)

    with ExitStack() as stack:
        chat = stack.enter_context(serve(talk, "127.0.0.1", 0))
        Thread(target=chat.serve_forever, daemon=True).start()
        upstream = stack.enter_context(Upstream())
        upstream.forget(pipe)
        configuration = tmp_path / "gateway.toml"
        configuration.write_text(CONFIGURATION.format(chat=chat.socket.getsockname()[1], pipe=upstream.port))
        server = stack.enter_context(serving("--config", str(configuration), folder=tmp_path, listen=False))
        running = Running(server, server.await_line(r"Operator's pages: (\S+)")[1], ends=ends)
        for number in range(1, 6):
            socket = stack.enter_context(connect(f"ws://127.0.0.1:{server.port}/chat/{number}", compression=None))
            socket.send(f"{number}" * 100 * number)
            socket.recv(PATIENCE)
            running.sockets.append(socket)
        tunnel = stack.enter_context(Connection.to(server.port))
        tunnel.send(asks_for("tcp", "/pipe", "a.example"))
        assert tunnel.head()[0] == 101
        tunnel.send(b"x" * 2048)
        tunnel.exactly(2048)
        yield running
    assert_no_traceback(server)


def rows(page: Page) -> list[list[str]]:
    """Return the table of connections."""
    found: list[list[str]] = page.evaluate(ROWS)
    return found


def numbers(page: Page) -> list[int]:
    """Return the numbers of the connections, as they are sorted."""
    return [int(row[0]) for row in rows(page)]


def await_numbers(page: Page, *expected: int) -> None:
    """Wait until these are in the table, in this order; the page asks anew by itself."""
    page.await_true(
        f"JSON.stringify({ROWS}.map(row => Number(row[0]))) === '{json.dumps(expected, separators=(',', ':'))}'"
    )


def press(page: Page, number: int, name: str) -> None:
    """Click on a button of a line."""
    line = f"[...document.querySelectorAll('.connections tbody tr')].find(r => r.cells[0].innerText === '{number}')"
    page.click_on(f"[...{line}.querySelectorAll('button')].find(b => b.innerText === '{name}')")


def code_at_the_client(socket: ClientConnection) -> int | None:
    """Wait for the end; return the code that came."""
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv(PATIENCE)
    return received_code(closed)


def test_the_page(browser: Browser, running: Running) -> None:
    """Rows, sorting by a click, one drained with 1001 on both sides, one cut off; nothing on the console."""
    with browser.page(running.pages) as page:
        page.listen()
        table = rows(page)
        assert [row[0] for row in table] == ["1", "2", "3", "4", "5", "6"]
        assert table[0][1:4] == ["127.0.0.1", "/chat /chat/1", "websocket HTTP/1.1"]
        assert table[5][1:4] == ["127.0.0.1", "/pipe", "tcp HTTP/1.1"]
        assert table[5][6:8] == ["2.0 KiB", "2.0 KiB"]
        assert page.evaluate("document.title") == "6 open · upgradegw"
        assert page.evaluate("document.querySelectorAll('.upstream .dot.good').length") == 2

        page.click_on("[...document.querySelectorAll('th a')].find(a => a.innerText.startsWith('In'))")
        await_numbers(page, 6, 5, 4, 3, 2, 1)
        press(page, 2, "Drain")
        await_numbers(page, 6, 5, 4, 3, 1)
        assert code_at_the_client(running.sockets[1]) == 1001
        assert running.ends.get(timeout=PATIENCE) == ("2" * 200, 1001)

        press(page, 4, "End")
        await_numbers(page, 6, 5, 3, 1)
        assert code_at_the_client(running.sockets[3]) is None
        number, code = running.ends.get(timeout=PATIENCE)
        assert (number, code) == ("4" * 400, 1006)
        running.sockets[0].send("still here")
        assert running.sockets[0].recv(PATIENCE) == "still here"
        assert page.console() == []


def test_it_refreshes_itself(browser: Browser, running: Running) -> None:
    """Without a script or a click, and sorted as before."""
    with browser.page(running.pages + "?sort=age") as page:
        page.listen()
        running.sockets[2].close()
        await_numbers(page, 1, 2, 4, 5, 6)
        assert page.evaluate("location.search") == "?sort=age"
        assert page.console() == []


@pytest.mark.parametrize(("width", "scheme"), [(1180, "light"), (1180, "dark"), (390, "light")])
def test_it_fits(browser: Browser, tmp_path: Path, width: int, scheme: str) -> None:
    """On a desk and on a telephone, by day and by night, nothing is wider than the window or out of a line's reach."""
    shown = tmp_path / "page.html"
    shown.write_bytes(picture.status())
    with browser.page() as page:
        page.show_as(width, 1240, scheme)
        page.call("Page.navigate", url=shown.as_uri())
        page.await_true(f"document.readyState === 'complete' && {ROWS}.length === {len(picture.PEOPLE)}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        inner: list[Any] = page.evaluate(
            "[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth).map(e => e.innerText)"
        )
        assert inner == []
        page.photograph(tmp_path / f"status-{width}-{scheme}.png")
