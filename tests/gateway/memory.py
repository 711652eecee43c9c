"""What a large transfer through the gateway costs in memory: real sockets, a slow end, each part its own process.

    python tests/gateway/memory.py [--mebibytes 1024]

A response goes to a client that reads slower than the upstream sends, and a request's content to an upstream that reads
slower than the client sends; each with HTTP/1.1 and with HTTP/2 in front, the latter by curl. Before, the same transfer
is made once in a small form, so that what a process keeps from its first request on is not counted. What counts is the
peak of resident memory in between, as the kernel keeps it. Every byte that arrives is counted.

All traffic stays on 127.0.0.1. The exit status is 1 if a transfer is incomplete or adds more than 2 MiB.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.support.process import FOREGROUND, Server, serving

MEBIBYTE = 1 << 20
#: What a transfer of any size may add.
ALLOWED = 2 * MEBIBYTE
#: Bytes a second that the slow end takes; the fast one offers several times as many.
SLOW_RATE = 100 * MEBIBYTE
_WARM_UP = 8 * MEBIBYTE
_PIECE = 256 * 1024

_CONFIGURATION = """
[[listen]]
endpoint = "tcp:0:interface=127.0.0.1"
[[route]]
path = "/"
proxy = "http://127.0.0.1:{port}"
max_content = "none"
"""


class Upstream:
    """Sends as many bytes as the path says, as fast as they are taken; reads content slowly, and says how much it was.

    It runs in a process of its own: ``python tests/gateway/memory.py --upstream``.
    """

    def __init__(self) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))

    def serve(self) -> None:
        """Serve until the process is ended."""
        print(self.listening.getsockname()[1], flush=True)  # noqa: T201
        while True:
            connection, _ = self.listening.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while True:
                head, rest = read_head(connection)
                if not head:
                    return
                method, path, _ = head.split(b" ", 2)
                if method == b"GET":
                    send_zeros(connection, int(path[1:]))
                else:
                    length = int(value(head, b"content-length") or int(path[1:]))
                    size = read_slowly(connection, length, rest, chunked=b"chunked" in head)
                    said = b"%d" % size
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))


def read_head(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read a head; return it and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(_PIECE)
        if not piece:
            return b"", b""
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def value(head: bytes, name: bytes) -> bytes | None:
    """Return a field's value."""
    for line in head.split(b"\r\n")[1:]:
        if line.lower().startswith(name + b":"):
            return line.partition(b":")[2].strip()
    return None


def send_zeros(connection: socket.socket, size: int) -> None:
    """Send a response of so many bytes as fast as they are taken."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
    zeros = bytes(_PIECE)
    while size:
        size -= connection.send(zeros[:size])


def read_slowly(connection: socket.socket, size: int, first: bytes, *, chunked: bool = False) -> int:
    """Read so many bytes at ``SLOW_RATE``; of chunks, until the last one has come. Return how many came."""
    began, count, last = time.monotonic(), len(first), first[-5:]
    while count < size or (chunked and not last.endswith(b"0\r\n\r\n")):
        piece = connection.recv(_PIECE)
        if not piece:
            break
        count += len(piece)
        last = (last + piece)[-5:]
        ahead = began + count / SLOW_RATE - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
    return size if chunked and last.endswith(b"0\r\n\r\n") and count > size else count


# --- Transfers; each returns how many bytes arrived at the slow end.


def download(server: Server, size: int) -> int:
    """A client that reads slowly, HTTP/1.1."""
    with server.connect() as client:
        client.sendall(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % size)
        _, rest = read_head(client)
        return read_slowly(client, size, rest)


def upload(server: Server, size: int) -> int:
    """A client that sends as fast as it can to an upstream that reads slowly, HTTP/1.1."""
    with server.connect() as client:
        client.settimeout(None)
        client.sendall(b"PUT /%d HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (size, size))
        zeros, left = bytes(_PIECE), size
        while left:
            left -= client.send(zeros[:left])
        _, rest = read_head(client)
        return int(rest or client.recv(100))


def curl(server: Server, size: int, *arguments: str) -> bytes:
    """Let curl speak HTTP/2; return what it prints."""
    url = f"http://127.0.0.1:{server.port}/{size}"
    command = ["curl", "--silent", "--show-error", "--fail", "--http2-prior-knowledge", *arguments, url]
    return subprocess.run(command, check=True, capture_output=True).stdout


def download_http2(server: Server, size: int) -> int:
    """A client that reads slowly, HTTP/2."""
    arguments = ("--limit-rate", str(SLOW_RATE), "--output", os.devnull, "--write-out", "%{size_download}")
    return int(curl(server, size, *arguments))


def upload_http2(server: Server, size: int) -> int:
    """A client that sends as fast as it can, HTTP/2."""
    with tempfile.TemporaryFile() as zeros:
        zeros.truncate(size)
        zeros.seek(0)
        return int(curl(server, size, "--upload-file", f"/proc/{os.getpid()}/fd/{zeros.fileno()}"))


# --- Memory.


def resident(pid: int, what: str = "VmRSS") -> int:
    """Return the resident memory of a process in bytes; ``VmHWM`` is its peak."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) * 1024
    raise LookupError(what)


def reset_peak(pid: int) -> None:
    """Let the kernel forget the peak so far (Linux, proc(5), clear_refs)."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def added_by(pid: int, transfer: Callable[[], int], size: int) -> int:
    """Return how many bytes a transfer has added at its peak.

    Raises:
        ValueError: Not all of it has arrived.
    """
    before = resident(pid)
    reset_peak(pid)
    arrived = transfer()
    if arrived != size:
        raise ValueError(f"{arrived} of {size} bytes arrived")
    return resident(pid, "VmHWM") - before


@contextlib.contextmanager
def upstream() -> Iterator[int]:
    """Run the upstream; yields its port."""
    command = [sys.executable, str(Path(__file__)), "--upstream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextlib.contextmanager
def gateway() -> Iterator[Server]:
    """Run the gateway before the upstream."""
    with upstream() as port, tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "gateway.toml")
        file.write_text(_CONFIGURATION.format(port=port))
        with serving("--config", str(file), command=FOREGROUND, listen=False) as server:
            yield server


TRANSFERS = {
    "a response, HTTP/1.1": download,
    "a request, HTTP/1.1": upload,
    "a response, HTTP/2": download_http2,
    "a request, HTTP/2": upload_http2,
}


def measure(server: Server, size: int, names: list[str]) -> dict[str, int]:
    """Return what each of these transfers adds, in bytes."""
    added = {}
    for name in names:
        transfer = TRANSFERS[name]
        for _ in range(2):
            transfer(server, _WARM_UP)
        added[name] = added_by(server.process.pid, lambda transfer=transfer: transfer(server, size), size)  # type: ignore[misc]
    return added


def main() -> int:
    """Do as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mebibytes", type=int, default=1024, help="the size of each transfer")
    parser.add_argument("--upstream", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.upstream:
        Upstream().serve()
    names = [name for name in TRANSFERS if shutil.which("curl") or "HTTP/2" not in name]
    wrong = 0
    with gateway() as server:
        for name in names:
            began = time.monotonic()
            added = measure(server, options.mebibytes * MEBIBYTE, [name])[name]
            seconds = time.monotonic() - began
            line = f"{name}: {options.mebibytes} MiB in {seconds:.0f} s add {added / MEBIBYTE:.2f} MiB"
            print(line, flush=True)  # noqa: T201
            wrong += added >= ALLOWED
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
