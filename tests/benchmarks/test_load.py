"""The load generator counts only what was served as it must be."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.environments import load_generator
from tests.certificates import self_signed

pytestmark = pytest.mark.skipif(
    not (
        shutil.which("cc")
        and subprocess.run(
            ["cc", "-E", "-include", "openssl/ssl.h", "-x", "c", "/dev/null"], capture_output=True, check=False
        ).returncode
        == 0
    ),
    reason="there is no C compiler, or no OpenSSL to compile with",
)

SHORT = ("--seconds", "0.1", "--warm", "0")


@pytest.fixture(name="port", scope="module")
def _port() -> Iterator[int]:
    """Its own server."""
    with subprocess.Popen([load_generator(), "serve", "--port", "0"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.kill()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """Run it."""
    return subprocess.run([load_generator(), *words], capture_output=True, text=True, timeout=60, check=False)


def report(*words: str) -> Any:
    """Run it, and return what it says."""
    done = run(*words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("size", ["0", "1", "125", "126", "65535", "65536", "200000"])
def test_echoes_of_all_lengths(port: int, size: str) -> None:
    """Frames of each of the three lengths' forms go to and fro (RFC 6455 section 5.2)."""
    found = report("echo", "--port", str(port), "--connections", "2", "--in-flight", "3", "--size", size, *SHORT)
    assert found["count"] > 0
    assert 0 < found["latency_us"]["p50"] <= found["latency_us"]["most"] * 1.04


def test_handshakes_requests_and_idle_connections(port: int) -> None:
    """The other kinds of load, and that opening in steps opens as many as it says."""
    assert report("once", "--port", str(port), "--connections", "4", *SHORT)["count"] > 0
    assert report("get", "--port", str(port), "--connections", "4", *SHORT)["count"] > 0
    steps = report("idle", "--port", str(port), "--steps", "5,20", "--touch", *SHORT)["steps"]
    assert [(step["connections"], step["opening"]["count"]) for step in steps] == [(5, 5), (20, 15)]


def until_gone(connection: socket.socket) -> bytes:
    """Return what comes until the client leaves, which it does with a reset."""
    heard = b""
    try:
        while data := connection.recv(4096):
            heard += data
    except ConnectionResetError:
        pass
    return heard


def wrong(answer: bytes) -> int:
    """Serve one connection: a handshake, and then always the same; return the port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listening, listening.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(answer)
            until_gone(connection)

    threading.Thread(target=serve, daemon=True).start()
    return int(listening.getsockname()[1])


ACCEPTED = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ACCEPTED + b"\x82\x04abcd", "the echo differs"),
        (ACCEPTED + b"\x88\x02\x03\xe8", "frame 88 came"),
        (ACCEPTED.replace(b"s3p", b"S3p"), "no WebSocket"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "no WebSocket"),
    ],
    ids=["another message", "a Close", "a wrong key", "no switch"],
)
def test_what_is_wrong_is_not_counted(answer: bytes, said: str) -> None:
    """It ends with a reason instead of figures."""
    done = run("echo", "--port", str(wrong(answer)), "--connections", "1", "--size", "4", *SHORT)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stdout == ""


def test_a_ping_between_echoes_is_answered() -> None:
    """A server that asks whether somebody is there gets its Pong, and the echoes behind it count."""
    listening = socket.create_server(("127.0.0.1", 0))
    pongs: list[bytes] = []

    def serve() -> None:
        with suppress(OSError), listening, listening.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(ACCEPTED + b"\x89\x02hi")
            while data := connection.recv(4096):
                while data:
                    size = 8 if data[0] == 0x8A else 10
                    frame, data = data[:size], data[size:]
                    if size == 8:
                        pongs.append(frame)
                    else:
                        plain = bytes(one ^ frame[2 + at % 4] for at, one in enumerate(frame[6:]))
                        connection.sendall(b"\x82\x04" + plain)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    words = ("echo", "--port", str(listening.getsockname()[1]), "--connections", "1", "--size", "4")
    assert report(*words, *SHORT)["count"] > 0
    thread.join(10)
    assert pongs == [b"\x8a\x82\0\0\0\0hi"]


def test_an_echo_that_never_comes_is_missed() -> None:
    """What is still under way in the end is waited for; figures of a server that loses a message are none."""
    done = run("echo", "--port", str(wrong(ACCEPTED)), "--connections", "1", "--size", "4", *SHORT)
    assert done.returncode == 1
    assert "an echo has not come" in done.stderr


def test_tls_sessions_are_resumed(tmp_path: Path) -> None:
    """With ``--resume`` every handshake that counts resumes the first one's session; without, none does."""
    files = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.cert, files.key)
    reused: list[bool | None] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    plain = listening.accept()[0]
                except OSError:
                    return
                # The last one leaves in the middle of a handshake, or of anything else.
                with suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
                    reused.append(connection.session_reused)
                    connection.recv(4096)
                    connection.sendall(ACCEPTED)
                    until_gone(connection)

        threading.Thread(target=serve, daemon=True).start()
        words = ("once", "--port", str(listening.getsockname()[1]), "--connections", "1", "--close", "fin", "--tls")
        assert report(*words, *SHORT)["count"] > 0
        assert True not in reused
        before = len(reused)
        assert report(*words, "--resume", *SHORT)["count"] > 0
        assert reused[before] is False
        assert False not in reused[before + 1 :]
        listening.shutdown(socket.SHUT_RDWR)
