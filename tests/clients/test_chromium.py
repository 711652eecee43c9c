"""The demonstration page in a real browser."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.certificates import CertificateFiles
from tests.clients.browser import Browser, Page
from tests.clients.nginx import COMMON, GOOD, nginx
from tests.clients.support import assert_no_traceback
from tests.support.process import PATIENCE, Server, serving

#: The last lines of the page's list of messages.
MESSAGES = "[...document.querySelectorAll('#messages li')].map((line) => line.children[1].textContent)"


def await_messages(page: Page, *last: str) -> None:
    """Wait until the list of messages ends like this."""
    page.await_true(f"JSON.stringify({MESSAGES}.slice(-{len(last)})) === JSON.stringify({list(last)!r})")


def await_state(page: Page, state: str) -> None:
    """Wait until the page says that its connection is in this state."""
    page.await_true(f"document.getElementById('state').textContent === {state!r}")


def await_greeting(page: Page, text: str = "Hello, upgrade!") -> None:
    """Wait until the page has opened its connection, sent what stands in its field, and shown the echo."""
    await_state(page, "open")
    await_messages(page, "switched to WebSocket", f"“{text}”", f"“{text}”")


def talk(page: Page) -> None:
    """Do everything that the page offers, by mouse and keyboard."""
    await_greeting(page)
    page.write("text", "grüße aus dem Browser")
    page.click("send")
    await_messages(page, "“grüße aus dem Browser”", "“grüße aus dem Browser”")
    assert page.text_of("trip").endswith(" ms")
    page.click("binary")
    await_messages(page, "256 bytes", "256 bytes")
    page.click("toobig")
    await_state(page, "closed")
    assert page.text_of("code").startswith("1009")
    page.click("reconnect")
    await_greeting(page, "grüße aus dem Browser")
    page.click("close")
    await_state(page, "closed")
    assert page.text_of("code").startswith("1000")


def cards(page: Page) -> dict[str, str]:
    """Return what the page says about its connection."""
    names = ("loaded", "version", "way", "client", "secure", "subprotocol", "extensions")
    return {name: page.text_of(name) for name in names}


def test_the_page(browser: Browser, demonstration: Server) -> None:
    """The page opens, sends, sees the echo, is told 1009 for too much and 1000 for a close, and opens again."""
    with browser.page(demonstration.urls[0]) as page:
        talk(page)
        assert cards(page) == {
            "loaded": "HTTP/1.1",
            "version": "HTTP/1.1",
            "way": "Upgrade and 101, on a connection of its own (RFC 6455)",
            "client": "127.0.0.1",
            "secure": "no",
            "subprotocol": "demo.upgradegw",
            "extensions": "permessage-deflate",
        }


def test_the_page_over_tls(browser: Browser, secure_demonstration: Server) -> None:
    """EC-02, H2-02: over TLS page and WebSocket are streams of one connection; the Origin is that of an https page."""
    with browser.page(secure_demonstration.urls[0]) as page:
        talk(page)
        assert (cards(page)["loaded"], cards(page)["version"]) == ("HTTP/2", "HTTP/2")
        assert cards(page)["way"] == "extended CONNECT, on a stream beside others (RFC 8441)"
        assert cards(page)["secure"] == "yes, by this server"
        loaded = page.evaluate("performance.getEntriesByType('navigation')[0].nextHopProtocol")
        assert loaded == "h2"
    loading = secure_demonstration.await_line(r'"GET / HTTP/2" 200 .* "Mozilla/.* id=(\w+)/\d+\b')
    secure_demonstration.await_line(
        rf'switch path="/ws" token="websocket" subprotocol="demo.upgradegw" http_version="HTTP/2" id={loading[1]}/\d+\b'
    )


def test_the_page_is_told_that_the_server_stops(browser: Browser, tmp_path: Path) -> None:
    """At a stop the page sees 1001."""
    with serving(folder=tmp_path) as server, browser.page(server.urls[0]) as page:
        await_greeting(page)
        server.stop()
        await_state(page, "closed")
        assert page.text_of("code").startswith("1001")
    assert_no_traceback(server)


def test_the_page_fits_a_phone_and_follows_dark_mode(browser: Browser, demonstration: Server, tmp_path: Path) -> None:
    """Nothing is wider than the screen of a phone, and the colours are those that the person prefers."""
    colours = set()
    for width, height, scheme in ((360, 800, "light"), (360, 800, "dark"), (1280, 800, "light"), (1280, 800, "dark")):
        with browser.page() as page:
            page.show_as(width, height, scheme)
            page.call("Page.navigate", url=demonstration.urls[0])
            page.await_true("document.readyState === 'complete' && !!document.getElementById('state')")
            await_greeting(page)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"wider than {width}"
            colours.add((scheme, page.evaluate("getComputedStyle(document.body).backgroundColor")))
            picture = tmp_path / f"page-{width}-{scheme}.png"
            page.photograph(picture)
            assert picture.stat().st_size > 10_000
    assert len(colours) == 2


def test_the_page_needs_nothing_from_elsewhere(browser: Browser, demonstration: Server) -> None:
    """The browser loads the page and nothing else, and its policy is obeyed without a complaint."""
    with browser.page() as page:
        complaints = (
            "addEventListener('securitypolicyviolation', (e) => (globalThis.complaints ??= []).push(e.blockedURI))"
        )
        page.call("Page.enable")
        page.call("Page.addScriptToEvaluateOnNewDocument", source=complaints)
        page.call("Page.navigate", url=demonstration.urls[0])
        page.await_true("document.readyState === 'complete' && !!document.getElementById('state')")
        talk(page)
        assert page.evaluate("globalThis.complaints ?? []") == []
        loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert [name for name in loaded if not name.startswith("data:")] == []


ATTEMPT = """
new Promise((resolve) => {
  const socket = new WebSocket(URL);
  socket.onopen = () => { socket.close(); resolve("open"); };
  socket.onclose = (event) => resolve(event.code);
})
"""


def test_a_page_of_another_origin_is_refused(browser: Browser, demonstration: Server) -> None:
    """WS-13, A-12: what a browser says of a page without an origin, and of one on another port, is refused."""
    url = f"ws://127.0.0.1:{demonstration.port}/ws"
    with browser.page() as page:
        assert page.evaluate(ATTEMPT.replace("URL", repr(url))) == 1006
    demonstration.await_line("reason=origin_null")
    # The first answers 404 without a policy that would forbid the attempt.
    with serving() as other, browser.page(f"{other.urls[0]}nothing") as page:
        assert page.evaluate("location.origin") == f"http://127.0.0.1:{other.port}"
        assert page.evaluate(ATTEMPT.replace("URL", repr(url))) == 1006
        own = f"ws://127.0.0.1:{other.port}/ws"
        assert page.evaluate(ATTEMPT.replace("URL", repr(own))) == "open"
        demonstration.await_line(f'reason=origin_mismatch detail="Origin: http://127.0.0.1:{other.port};')


@pytest.fixture(scope="module")
def trusting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The demonstration site, told that nginx is to be believed."""
    with serving("--trusted-proxy", "127.0.0.1", folder=tmp_path_factory.mktemp("trusting")) as server:
        yield server
    assert_no_traceback(server)


@pytest.mark.parametrize("tls", [False, True], ids=["cleartext", "tls"])
def test_the_page_behind_nginx_under_a_prefix(
    browser: Browser, trusting: Server, tmp_path: Path, certificate: CertificateFiles, tls: bool
) -> None:
    """The page finds its WebSocket beside itself, whatever path and scheme nginx gives it."""
    prefix = {
        "location / {": "location /some/where/ {",
        "proxy_pass http://upgradegw;": "proxy_pass http://upgradegw/;",
    }
    upstream = f"127.0.0.1:{trusting.port}"
    with nginx(tmp_path, GOOD, upstream, certificate, tls=tls, changes=prefix) as port:
        url = f"http{'s' * tls}://localhost:{port}/some/where/"
        with browser.page(url) as page:
            talk(page)
            assert page.text_of("address") == f"ws{'s' * tls}://localhost:{port}/some/where/ws"
            assert cards(page)["secure"] == ("yes, by a proxy in front" if tls else "no")
            assert f"curl -i {url}ws" in page.text()


def test_the_page_behind_nginx_over_http_2(
    browser: Browser, trusting: Server, tmp_path: Path, certificate: CertificateFiles
) -> None:
    """The browser speaks HTTP/2 with nginx, which announces no extended CONNECT: the WebSocket runs over HTTP/1.1."""
    changes = {" ssl;": " ssl http2;"}
    upstream = f"127.0.0.1:{trusting.port}"
    with (
        nginx(tmp_path, GOOD, upstream, certificate, tls=True, changes=changes) as port,
        browser.page(f"https://localhost:{port}/") as page,
    ):
        talk(page)
        assert cards(page)["loaded"] == "HTTP/1.1, behind HTTP/2 to a proxy in front"
        assert cards(page)["version"] == "HTTP/1.1"


@pytest.mark.parametrize("tls", [False, True], ids=["cleartext", "tls"])
def test_a_page_of_nginx_with_the_common_configuration(
    browser: Browser, trusting: Server, tmp_path: Path, certificate: CertificateFiles, tls: bool
) -> None:
    """WS-13: nginx serves the page itself and passes ``/ws`` on, without a word of scheme and port."""
    with urllib.request.urlopen(trusting.urls[0], timeout=PATIENCE) as response:
        content = response.read()
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_bytes(content)
    with (
        nginx(tmp_path, COMMON, f"127.0.0.1:{trusting.port}", certificate, tls=tls) as port,
        browser.page(f"http{'s' * tls}://localhost:{port}/") as page,
    ):
        talk(page)
