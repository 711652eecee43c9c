"""The time that a probe takes, whatever a server sends."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable

import pytest

from tests.probe.support import Once, run, scripted, switching
from upgradegw.probe import command

#: Seconds for which a server floods; whoever does not wait for its end is far quicker.
_FLOOD_SECONDS = 3.0


def flooding(begin: bytes, more: bytes) -> Callable[[socket.socket], None]:
    """Return a server that says something and then something else for as long as it is heard."""

    def talk(connection: socket.socket) -> None:
        connection.sendall(begin)
        threading.Thread(target=drain, args=(connection,)).start()
        until = time.monotonic() + _FLOOD_SECONDS
        while time.monotonic() < until:
            connection.sendall(more)

    def drain(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass

    return talk


def test_time_ends_however_much_comes() -> None:
    """``--timeout`` is for everything: a server that never falls silent gets no more of it than a silent one."""
    hello = b"\x00\x00\x06\x04\x00\x00\x00\x00\x00" + b"\x00\x08\x00\x00\x00\x01"
    ping = b"\x00\x00\x08\x06\x01\x00\x00\x00\x00" + bytes(8)
    start = time.monotonic()
    with scripted(flooding(hello, ping * 20)) as port:
        probed = run(f"ws://127.0.0.1:{port}/", "--http2", "--timeout", "0.3")
    assert "does not answer" in probed.verdict
    assert time.monotonic() - start < _FLOOD_SECONDS


def test_a_close_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other frames do not prolong the wait for a Close."""
    monkeypatch.setattr(command, "_PATIENCE", 0.2)

    def talk(connection: socket.socket) -> None:
        switching(behind=b"")(Once(connection))  # type: ignore[arg-type]
        until = time.monotonic() + _FLOOD_SECONDS
        while time.monotonic() < until:
            connection.sendall(b"\x8a\x00")
            time.sleep(0.01)

    with scripted(talk) as port:
        start = time.monotonic()
        assert "closed: 1000 sent, nothing received" in run(f"ws://127.0.0.1:{port}/").printed
        assert time.monotonic() - start < _FLOOD_SECONDS


def test_every_address_gets_its_share_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with an address that does not answer leaves time for the next one, and all of them have no more in sum."""
    with socket.socket() as full, scripted(switching()) as port:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:  # the queue of connections is full then, and who comes next hears nothing
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        addresses = [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", where) for where in (full.getsockname(), ("127.0.0.1", port))
        ]
        look_up = socket.getaddrinfo
        monkeypatch.setattr(
            socket,
            "getaddrinfo",
            lambda host, *more, **named: addresses if host == "many" else look_up(host, *more, **named),
        )
        start = time.monotonic()
        probed = run(f"ws://many:{port}/", "--timeout", "2")
        spent = time.monotonic() - start
        for each in waiting:
            each.close()
    assert probed.verdict.startswith("ok: ")
    assert spent < 2
