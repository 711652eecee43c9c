"""Headless Chromium, driven by its DevTools protocol: pages are opened, looked at and photographed."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.clients.support import tool
from tests.support.process import PATIENCE

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-proxy-server",
    "--ignore-certificate-errors",
    "--remote-debugging-port=0",
)


class Page:
    """An open page."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self._browser, self._target, self._session = browser, target, session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a DevTools method on this page."""
        return self._browser.call(method, session=self._session, **parameters)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise is awaited."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def await_true(self, expression: str) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + PATIENCE
        while not self.evaluate(expression):
            assert time.monotonic() < deadline, f"not true: {expression}\n{self.text()}"
            time.sleep(0.02)

    def text(self) -> str:
        """Return what the page says."""
        return str(self.evaluate("document.body ? document.body.innerText : ''"))

    def text_of(self, element: str) -> str:
        """Return what an element says."""
        return str(self.evaluate(f"document.getElementById({element!r}).textContent"))

    def click(self, element: str) -> None:
        """Click on an element with the mouse, in the middle of where it is shown."""
        self.click_on(f"document.getElementById({element!r})")

    def click_on(self, expression: str) -> None:
        """Click on the element that a JavaScript expression finds."""
        place = self.evaluate(
            f"(() => {{ const e = {expression}; e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        button = {"x": place[0], "y": place[1], "button": "left", "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type="mousePressed", **button)
        self.call("Input.dispatchMouseEvent", type="mouseReleased", **button)

    def write(self, element: str, text: str) -> None:
        """Type a text into a field in place of what is there."""
        self.evaluate(f"document.getElementById({element!r}).select()")
        self.call("Input.insertText", text=text)

    def show_as(self, width: int, height: int, scheme: str = "light") -> None:
        """Show the page in a window of that size, in CSS pixels, and with that preferred colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def photograph(self, path: Path) -> None:
        """Write a picture of the whole page."""
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(picture["data"]))

    def listen(self) -> None:
        """Keep from now on what comes up on the console."""
        self.call("Log.enable")
        self.call("Runtime.enable")

    def console(self) -> list[dict[str, Any]]:
        """Return what has come up on the console: messages, errors, and what the policy of the page has refused."""
        self.text()  # what the browser has told by now comes before its answer
        kinds = ("Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown")
        return [
            each for each in self._browser.events if each["method"] in kinds and each.get("sessionId") == self._session
        ]

    def close(self) -> None:
        """Close the page."""
        self._browser.call("Target.closeTarget", targetId=self._target)


class Browser:
    """A running browser.

    Attributes:
        events: What it has told unasked, the latest of it.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self.events: deque[dict[str, Any]] = deque(maxlen=1000)
        self._connection = connection
        self._numbers = itertools.count(1)

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Call a DevTools method and return its result; events in between are kept."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        self._connection.send(json.dumps(message))
        while (answer := json.loads(self._connection.recv(PATIENCE))).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]  # type: ignore[no-any-return]

    @contextlib.contextmanager
    def page(self, url: str = "about:blank", *, person: str | None = None) -> Iterator[Page]:
        """Open a page for the duration of a ``with`` block.

        Args:
            url: Its address.
            person: Whose cookies it has, by what ``somebody_else`` returned; without it the browser's own.
        """
        context = {} if person is None else {"browserContextId": person}
        target = self.call("Target.createTarget", url="about:blank", **context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, target, session)
        try:
            if url != "about:blank":
                answer = page.call("Page.navigate", url=url)
                assert "errorText" not in answer, f"{url}: {answer['errorText']}"
                page.await_true(f"location.href === {url!r} && document.readyState === 'complete'")
            yield page
        finally:
            page.close()

    @contextlib.contextmanager
    def somebody_else(self) -> Iterator[str]:
        """Have cookies of nobody's for the duration of a ``with`` block, as in a window of another person."""
        person = self.call("Target.createBrowserContext")["browserContextId"]
        try:
            yield person
        finally:
            self.call("Target.disposeBrowserContext", browserContextId=person)


def _address(folder: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    """Wait until the browser has written where its DevTools listen."""
    deadline = time.monotonic() + PATIENCE
    written = folder / "DevToolsActivePort"
    while not (written.exists() and written.read_text().count("\n")):
        assert process.poll() is None, f"the browser has ended:\n{log.read_text(errors='replace')}"
        assert time.monotonic() < deadline, f"the browser does not listen:\n{log.read_text(errors='replace')}"
        time.sleep(0.05)
    port, path = written.read_text().split("\n")[:2]
    return f"ws://127.0.0.1:{port}{path}"


@contextlib.contextmanager
def browsing(folder: Path) -> Iterator[Browser]:
    """Run Chromium for the duration of a ``with`` block, with a profile of its own.

    Args:
        folder: An empty folder for the profile and the browser's own log.
    """
    program = tool("chromium", "chromium-browser", "google-chrome")
    profile, log = folder / "profile", folder / "log"
    with log.open("wb") as output:
        # A session of its own, so that what the browser starts can be ended with it.
        process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={profile}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with connect(
            _address(profile, process, log), max_size=None, compression=None, ping_interval=None
        ) as connection:
            browser = Browser(connection)
            yield browser
            browser.call("Browser.close")
            process.wait(PATIENCE)
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
