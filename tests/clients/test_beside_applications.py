"""The tutorials' applications in a real browser: a page of Klein, Django or Flask hears of what a view has said."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.clients.browser import Browser, Page
from tests.clients.support import assert_no_traceback
from tests.source_tree import ROOT
from tests.support.process import PATIENCE, Server, serving

EXAMPLES, TUTORIALS = ROOT / "docs" / "examples", ROOT / "docs" / "tutorials"


@contextlib.contextmanager
def application(name: str, folder: Path) -> Iterator[Server]:
    """Run an example from a folder of its own, with the commands of its tutorial but on a free port."""
    page = (TUTORIALS / f"{name}.md").read_text()
    (options,) = re.findall(r"bin/upgradegw --port 8080 (.*)\n", page)
    shutil.copytree(EXAMPLES / f"beside_{name}", folder / name)
    for command in re.findall(r"bin/python -m django (.*)\n", page):
        subprocess.run(
            [sys.executable, "-m", "django", *command.split()],
            cwd=folder / name,
            env={**os.environ, "DJANGO_SUPERUSER_PASSWORD": "open-sesame"},
            check=True,
            capture_output=True,
            timeout=PATIENCE,
        )
    with serving(*options.split(), folder=folder / name) as server:
        yield server
    assert_no_traceback(server)


def await_lines(page: Page, element: str, *lines: str) -> None:
    """Wait until a list has these lines."""
    has = f"[...document.querySelectorAll('#{element} li')].map((line) => line.textContent)"
    page.await_true(f"JSON.stringify({has}) === JSON.stringify({list(lines)!r})")


def await_open(page: Page, name: str) -> None:
    """Wait until a WebSocket of the page is open."""
    page.await_true(f"typeof {name} !== 'undefined' && {name}.readyState === 1")


def test_klein(browser: Browser, tmp_path: Path) -> None:
    """A note that is written in one window is seen in the other, and by who comes later."""
    with application("klein", tmp_path) as server, browser.page(server.urls[0]) as one:
        await_open(one, "live")
        with browser.page(server.urls[0]) as other:
            await_open(other, "live")
            one.write("note", "Buy <b>tea</b>")
            one.click("add")
            for page in (one, other):
                await_lines(page, "notes", "Buy <b>tea</b>")
        with browser.page(server.urls[0]) as later:
            await_lines(later, "notes", "Buy <b>tea</b>")


def test_django(browser: Browser, tmp_path: Path) -> None:
    """Who has logged in by Django's own page hears the bell that Django's view rings, also in another window."""
    with (
        application("django", tmp_path) as server,
        browser.somebody_else() as alice,
        browser.page(server.urls[0] + "login", person=alice) as one,
    ):
        one.write("id_username", "alice")
        one.write("id_password", "open-sesame")
        one.click("enter")
        one.await_true("location.pathname === '/' && document.readyState === 'complete'")
        assert "Hello, alice" in one.text()
        await_open(one, "bell")
        with browser.page(server.urls[0], person=alice) as other:
            await_open(other, "bell")
            other.click("ring")
            for page in (one, other):
                await_lines(page, "rings", "alice has rung.")


def test_flask(browser: Browser, tmp_path: Path) -> None:
    """Each who has a session of Flask's hears who has rung."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(application("flask", tmp_path))
        pages = []
        for name in ("Alice", "Bob"):
            person = stack.enter_context(browser.somebody_else())
            page = stack.enter_context(browser.page(server.urls[0], person=person))
            page.write("name", name)
            page.click("enter")
            await_open(page, "bell")
            assert f"Hello, {name}" in page.text()
            pages.append(page)
        for page in pages:
            page.click("ring")
            await_lines(pages[0], "rings", *["Alice has rung.", "Bob has rung."][: pages.index(page) + 1])
        await_lines(pages[1], "rings", "Alice has rung.", "Bob has rung.")
