"""Signals to a running process: the orderly stop, and SIGHUP, which is none."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.support.process import PATIENCE, serving
from tests.support.sockets import ask, read_all, read_close, read_until, switch


def test_sigterm_sends_close_1001() -> None:
    """A WebSocket is told that the server goes away, and the process ends once the client has answered."""
    with serving() as server, server.connect() as client:
        switch(client)
        server.send(signal.SIGTERM)
        assert read_close(client) == b"\x88\x02\x03\xe9"
        client.sendall(b"\x88\x82\0\0\0\0\x03\xe9")
        assert server.wait() == -signal.SIGTERM
    assert "Server Shut Down." in server.text


def test_sigint_ends_in_order() -> None:
    """Ctrl-C is as good as SIGTERM; the exit status is twistd's own."""
    with serving() as server:
        server.send(signal.SIGINT)
        assert server.wait() == -signal.SIGINT
    assert "Traceback" not in server.text


def test_a_client_that_does_not_answer_is_cut_off() -> None:
    """A client that ignores Close is aborted after --stop-timeout; new ones are refused from the first moment."""
    with serving("--stop-timeout=1") as server, server.connect() as client:
        switch(client)
        began = time.monotonic()
        server.send(signal.SIGTERM)
        assert read_close(client) == b"\x88\x02\x03\xe9"
        with pytest.raises(ConnectionRefusedError):
            server.connect()
        assert server.wait() == -signal.SIGTERM
        assert 0.9 < time.monotonic() - began < 8
    assert "1 connections have not ended: aborting" in server.text


def test_a_second_signal_does_not_wait() -> None:
    """Who presses Ctrl-C twice has waited enough."""
    with serving("--stop-timeout=300") as server, server.connect() as client:
        switch(client)
        server.send(signal.SIGINT)
        assert read_close(client) == b"\x88\x02\x03\xe9"
        server.send(signal.SIGINT)
        assert server.wait() == -signal.SIGINT
    assert "Traceback" not in server.text


def test_signals_that_come_when_nothing_is_left_are_no_mistake() -> None:
    """Whoever cannot stop pressing Ctrl-C sees no traceback, in whatever moment of the stop it comes."""
    with serving() as server:
        server.send(signal.SIGTERM)
        server.await_line("Port .* Closed")
        while server.process.poll() is None:
            server.send(signal.SIGTERM)
            time.sleep(0.001)
        assert server.wait() == -signal.SIGTERM
    assert "Traceback" not in server.text
    assert "aborting" not in server.text


def test_another_protocol_ends_without_a_reset() -> None:
    """An upgraded connection that is no WebSocket is closed behind its last byte, not cut off."""
    with serving() as server, server.connect() as client:
        client.sendall(b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nlast")
        read_until(client, b"last")
        server.send(signal.SIGTERM)
        assert read_all(client) == b""
        assert server.wait() == -signal.SIGTERM


def test_sighup_reopens_the_access_log(tmp_path: Path) -> None:
    """The process lives on, and lines go to the new file; without a file it merely lives on."""
    path = tmp_path / "access.log"
    with serving(f"--access-log={path}") as server:
        ask(server, b"/one")
        path.rename(tmp_path / "moved.log")
        server.send(signal.SIGHUP)
        wait_for(path)
        ask(server, b"/two")
        assert '"GET /one HTTP/1.1" 404' in (tmp_path / "moved.log").read_text()
        assert '"GET /two HTTP/1.1" 404' in path.read_text()
        assert "/two" not in server.text
    with serving() as server:
        server.send(signal.SIGHUP)
        assert ask(server, b"/").startswith(b"HTTP/1.1 200 ")


def wait_for(path: Path) -> None:
    """Wait until a file is there."""
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
