"""The chat of the tutorial in a real browser: two people who do not share their cookies."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.browser import Browser, Page
from tests.clients.support import assert_no_traceback
from tests.source_tree import ROOT
from tests.support.process import Server, serving

EXAMPLE = ROOT / "docs" / "examples" / "chat_room"

#: The command that the tutorial starts the chat with, without its port.
(OPTIONS,) = re.findall(r"bin/upgradegw --port 8080 (.*)\n", (ROOT / "docs" / "tutorials" / "chat.md").read_text())

#: What stands in the page's list, as ``who what`` or ``who: text``.
HEARD = """[...document.querySelectorAll("#messages li")].map((line) =>
  line.className === "says" ? `${line.firstChild.textContent}: ${line.lastChild.textContent}` : line.textContent)"""


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The chat, served as the tutorial says."""
    folder = tmp_path_factory.mktemp("chat") / "chat"
    shutil.copytree(EXAMPLE, folder)
    with serving(*OPTIONS.split(), folder=folder) as server:
        yield server
    assert_no_traceback(server)


@contextlib.contextmanager
def person(browser: Browser, chat: Server, name: str) -> Iterator[Page]:
    """Come into the chat under a name, in a window of one's own."""
    with browser.somebody_else() as somebody, browser.page(chat.urls[0], person=somebody) as page:
        page.await_true("!document.getElementById('login').hidden")
        page.write("name", name)
        page.click("enter")
        page.await_true("!document.getElementById('say').hidden")
        yield page


def await_heard(page: Page, *last: str) -> None:
    """Wait until the list ends like this."""
    page.await_true(f"JSON.stringify({HEARD}.slice(-{len(last)})) === JSON.stringify({list(last)!r})")


def say(page: Page, text: str) -> None:
    """Say something."""
    page.write("text", text)
    page.click("send")


def test_two_people_talk(browser: Browser, chat: Server, tmp_path: Path) -> None:
    """Each hears the other, by name; when one leaves, the other is told."""
    with person(browser, chat, "Alice") as alice:
        await_heard(alice, "Alice came")
        with person(browser, chat, "Bob") as bob:
            await_heard(alice, "Alice came", "Bob came")
            say(alice, "Is there tea?")
            await_heard(bob, "Bob came", "Alice: Is there tea?")
            say(bob, "<b>Grüße</b>, and yes")
            for page in (alice, bob):
                await_heard(page, "Bob came", "Alice: Is there tea?", "Bob: <b>Grüße</b>, and yes")
                assert page.text_of("here") == "Alice, Bob"
            for page, width, scheme in ((alice, 900, "light"), (bob, 360, "dark")):
                page.show_as(width, 640, scheme)
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"wider than {width}"
                page.photograph(tmp_path / f"chat-{width}-{scheme}.png")
        await_heard(alice, "Bob left")
        assert alice.text_of("here") == "Alice"


def test_the_cookie_is_for_the_browser_alone(browser: Browser, chat: Server) -> None:
    """A script sees no cookie, and a page that is loaded again needs no name."""
    with person(browser, chat, "Alice") as page:
        assert page.evaluate("document.cookie") == ""
        page.evaluate("void (document.title = 'before')")
        page.call("Page.reload")
        page.await_true("document.title !== 'before' && document.readyState === 'complete'")
        await_heard(page, "Alice came")
        assert page.evaluate("document.getElementById('login').hidden")


def test_a_name_that_is_none_is_explained(browser: Browser, chat: Server, tmp_path: Path) -> None:
    """Who gives no name is told so on the page, and stays outside."""
    with browser.somebody_else() as somebody, browser.page(chat.urls[0], person=somebody) as page:
        page.await_true("!document.getElementById('login').hidden")
        page.write("name", "  ")
        page.click("enter")
        page.await_true("document.getElementById('trouble').textContent.startsWith('A name has 1 to 20 letters.')")
        page.photograph(tmp_path / "login.png")
        assert page.evaluate("document.getElementById('say').hidden")
