"""The README's first command, as a newcomer runs it: in a fresh copy, with nothing installed by hand."""

from __future__ import annotations

import os
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.packaging.conftest import LEFT_OUT, ROOT, UNREACHABLE

#: Seconds until the demonstration must be there; most of them belong to pip.
SECONDS = 300.0

pytestmark = pytest.mark.timeout(600)


def wait_for(lines: queue.Queue[str], pattern: str, deadline: float) -> re.Match[str]:
    """Return the first line that matches."""
    seen = []
    while True:
        try:
            line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            if any(sign in "".join(seen) for sign in UNREACHABLE):
                pytest.skip("the package registry cannot be reached and pip's cache does not hold what is needed")
            pytest.fail("no line like that: " + pattern + "\n" + "".join(seen))
        seen.append(line)
        if match := re.search(pattern, line):
            return match


def exchange(port: int, request: str, until: bytes) -> bytes:
    """Send a request and read until something has come."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        received = b""
        while until not in received and (data := connection.recv(65536)):
            received += data
        return received


def test_the_demonstration_command_serves_a_page_and_a_websocket(tmp_path: Path) -> None:
    """One line makes an environment, installs and runs the demonstration; Ctrl-C ends it."""
    copy = tmp_path / "clone"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    extract = [sys.executable, ROOT / ".ci" / "readme_command.py", "demonstration"]
    command = subprocess.run(extract, capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    assert command.endswith("--port 8080")
    process = subprocess.Popen(
        ["bash", "-c", command.removesuffix("8080") + "0"],
        cwd=copy,
        env={
            name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV", "VIRTUAL_ENV"))
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    reader = threading.Thread(target=lambda output: [lines.put(line) for line in output], args=(process.stdout,))
    reader.start()
    try:
        deadline = time.monotonic() + SECONDS
        port = urlsplit(wait_for(lines, r"ready: (http://\S+)", deadline)[1]).port
        assert port is not None
        wait_for(lines, "demonstration", deadline)
        page = exchange(port, "GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n", b"</html>")
        assert page.startswith(b"HTTP/1.1 200 ")
        plain = exchange(port, "GET /ws HTTP/1.1\nHost: localhost\n\n", b"\r\n\r\n")
        assert plain.startswith(b"HTTP/1.1 426 ")
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13"
        handshake = f"GET /ws HTTP/1.1\nHost: localhost\nConnection: Upgrade\nUpgrade: websocket\n{key}\n\n"
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in exchange(port, handshake, b"\r\n\r\n")
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)
        reader.join(10)
        process.stdout.close()
