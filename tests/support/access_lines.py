"""Requests that leave lines in an access log, and the lines read back, whatever their format."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.service.formats.reading import read
from tests.support.process import PATIENCE, Server

#: Connections, and requests on each.
CONNECTIONS, REQUESTS = 4, 250

#: What is asked for, and served from a folder.
CONTENT = b"tea"


def target_of(line: str, form: str) -> str:
    """Return the target of a request's line; fails if the line is not whole."""
    if form == "json":
        return str(json.loads(line)["target"])
    if form == "logfmt":
        return read(line)["target"]
    match = re.fullmatch(r'127\.0\.0\.1 - - \[[^]]*\] "GET (\S+) HTTP/1\.1" \d+ \d+ .* id=\w+', line)
    assert match is not None, line
    return match[1]


def assert_complete(files: Iterable[Path], form: str) -> None:
    """Fail unless the files together have one whole line for each request of a load."""
    lines = [line for path in files for line in path.read_text("ascii").splitlines()]
    expected = {f"/tea.txt?{number}.{each}" for number in range(CONNECTIONS) for each in range(REQUESTS)}
    found = Counter(target_of(line, form) for line in lines)
    twice = [target for target, count in found.items() if count > 1]
    missing = sorted(expected - found.keys())
    assert (missing, twice) == ([], []), f"{len(lines)} lines; missing: {missing}; twice: {twice}"
    assert len(lines) == len(expected)


def static_folder(folder: Path) -> str:
    """Make a folder to be served, and return the option that serves it."""
    (folder / "page").mkdir()
    (folder / "page" / "tea.txt").write_bytes(CONTENT)
    return f"--static=/={folder}/page"


@contextlib.contextmanager
def load(server: Server, half: threading.Event | None = None) -> Iterator[threading.Event]:
    """Ask on several connections while the block runs, and wait for the last answer; the event is set by then.

    Args:
        server: Whom to ask.
        half: What the second half of the requests waits for.
    """
    done = threading.Event()
    failures: list[BaseException] = []

    def ask(number: int) -> None:
        try:
            with server.connect() as client, client.makefile("rb") as answers:
                for each in range(REQUESTS):
                    if half is not None and each == REQUESTS // 2:
                        half.wait(PATIENCE)
                    client.sendall(b"GET /tea.txt?%d.%d HTTP/1.1\r\nHost: a\r\n\r\n" % (number, each))
                    length = 0
                    while (line := answers.readline()) != b"\r\n":
                        name, _, value = line.partition(b":")
                        length = int(value) if name.lower() == b"content-length" else length
                    assert answers.read(length) == CONTENT
        except BaseException as why:  # noqa: BLE001 - raised where the test sees it
            failures.append(why)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    waiting = threading.Thread(target=lambda: ([thread.join(PATIENCE) for thread in threads], done.set()))
    waiting.start()
    try:
        yield done
    finally:
        waiting.join(PATIENCE)
    assert failures == []
    assert done.is_set()


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not appear"
        time.sleep(0.002)
