"""HAProxy and nghttpx in front of a server of ours, with nothing of the machine's own configuration."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.clients.support import free_port, process, tool

_HAPROXY = """
global
    maxconn 200
defaults
    mode {mode}
    timeout connect 10s
    timeout client 60s
    timeout server 60s
    timeout tunnel 60s
frontend in
    bind 127.0.0.1:{port}
    default_backend out
backend out
    server gateway 127.0.0.1:{upstream} {how}
"""

#: What makes HAProxy speak HTTP/2 to a server, to WebSockets by extended CONNECT.
HTTP_2 = "proto h2 ws h2"


@contextlib.contextmanager
def haproxy(folder: Path, upstream: int, how: str, mode: str = "tcp") -> Iterator[int]:
    """Run HAProxy for the duration of a ``with`` block; the value is its port.

    Args:
        folder: An empty folder.
        upstream: The port that HAProxy speaks to.
        how: What follows the address in HAProxy's ``server`` line.
        mode: ``tcp``, or ``http`` where it is to read what it passes on.
    """
    program = tool("haproxy")
    port = free_port()
    file = folder / "haproxy.cfg"
    file.write_text(_HAPROXY.format(mode=mode, port=port, upstream=upstream, how=how))
    with process([program, "-db", "-f", str(file)], port, folder / "haproxy.log"):
        yield port


@contextlib.contextmanager
def nghttpx(folder: Path, upstream: int) -> Iterator[int]:
    """Run nghttpx, which speaks HTTP/2 to a server, for the duration of a ``with`` block; the value is its port."""
    program = tool("nghttpx")
    port = free_port()
    command = [program, "--conf=/dev/null", "--single-process", f"--frontend=127.0.0.1,{port};no-tls"]
    command += [f"--backend=127.0.0.1,{upstream};;proto=h2", "--errorlog-file=/dev/stderr"]
    with process(command, port, folder / "nghttpx.log"):
        yield port
