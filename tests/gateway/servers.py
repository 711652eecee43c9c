"""The gateways that are compared, each configured as a competent operator would for these protocols."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.clients.support import free_port, process
from tests.gateway.rows_of_protocols import WITHOUT_CONNECTION, WITHOUT_KEY
from tests.support.process import IN_FOREGROUND, PATIENCE, serving

#: Ours: any token, and the two named exceptions on paths of their own.
_UPGRADEGW = """
stop_timeout = 3
access_log = "off"

[[listen]]
endpoint = "tcp:0:interface=127.0.0.1"

[[route]]
path = "/"
proxy = "http://127.0.0.1:{upstream}"
upgrades = ["*"]
origins = ["*"]
allow = ["127.0.0.1"]

[[route]]
path = "{without_connection}"
proxy = "http://127.0.0.1:{upstream}"
upgrades = ["IF-T/TLS 1.0"]
lenient = ["no-connection-option"]

[[route]]
path = "{without_key}"
proxy = "http://127.0.0.1:{upstream}"
upgrades = ["websocket"]
lenient = ["websocket-without-key"]
"""

_NGINX = """
daemon off;
worker_processes 1;
worker_shutdown_timeout 3s;
pid nginx.pid;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path temp_client;
    proxy_temp_path temp_proxy;
    fastcgi_temp_path temp_fastcgi;
    uwsgi_temp_path temp_uwsgi;
    scgi_temp_path temp_scgi;
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        ""      "";
    }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://127.0.0.1:{upstream};
            proxy_http_version 1.1;
            proxy_buffering off;
            proxy_request_buffering off;
            proxy_set_header Upgrade           $http_upgrade;
            proxy_set_header Connection        $connection_upgrade;
            proxy_set_header Host              $http_host;
            proxy_set_header X-Forwarded-For   $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_read_timeout 1h;
            proxy_send_timeout 1h;
        }}
    }}
}}
"""

_HAPROXY = """
global
    maxconn 200
    hard-stop-after 3s
defaults
    mode http
    option forwardfor
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    timeout tunnel 1h
frontend in
    bind 127.0.0.1:{port}
    default_backend out
backend out
    server upstream 127.0.0.1:{upstream}
"""


@dataclass(frozen=True)
class Running:
    """A gateway that runs.

    Attributes:
        port: Its port on 127.0.0.1.
        process: Its process number.
        stop: The signal that asks it for an orderly stop.
    """

    port: int
    process: int
    stop: signal.Signals


@dataclass(frozen=True)
class Gateway:
    """A gateway that can be run.

    Attributes:
        name: As the table has it.
        program: What must be installed.
        run: Runs it in a folder, in front of an upstream's port, for the duration of a ``with`` block.
        version: The arguments that make it print its version.
    """

    name: str
    program: str
    run: Callable[[Path, int], contextlib.AbstractContextManager[Running]]
    version: tuple[str, ...]

    @property
    def installed(self) -> bool:
        """Whether it can be run here."""
        return _find(self.program) is not None

    def says(self) -> str:
        """Return the version that it prints."""
        command = [_find(self.program) or self.program, *self.version]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        words = (done.stdout + done.stderr).replace("/", " ").split()
        return next((word for word in words if word[0].isdigit() and "." in word), "?").partition("-")[0]


def _find(name: str) -> str | None:
    # Servers lie where only root's search path leads.
    return shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")


@contextlib.contextmanager
def upgradegw(folder: Path, upstream: int) -> Iterator[Running]:
    """Run ours, as its users do."""
    file = folder / "gateway.toml"
    file.write_text(
        _UPGRADEGW.format(upstream=upstream, without_connection=WITHOUT_CONNECTION, without_key=WITHOUT_KEY)
    )
    with serving("--config", str(file), command=IN_FOREGROUND, listen=False) as server:
        yield Running(server.port, server.process.pid, signal.SIGTERM)
    (folder / "log").write_text(server.text)


@contextlib.contextmanager
def nginx(folder: Path, upstream: int) -> Iterator[Running]:
    """Run nginx."""
    port = free_port()
    (folder / "nginx.conf").write_text(_NGINX.format(port=port, upstream=upstream))
    command = [_find("nginx") or "nginx", "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"]
    with process(command, port, folder / "log") as number:
        yield Running(port, number, signal.SIGQUIT)


@contextlib.contextmanager
def haproxy(folder: Path, upstream: int) -> Iterator[Running]:
    """Run HAProxy."""
    port = free_port()
    (folder / "haproxy.cfg").write_text(_HAPROXY.format(port=port, upstream=upstream))
    command = [_find("haproxy") or "haproxy", "-db", "-f", str(folder / "haproxy.cfg")]
    with process(command, port, folder / "log") as number:
        yield Running(port, number, signal.SIGUSR1)


@contextlib.contextmanager
def nghttpx(folder: Path, upstream: int) -> Iterator[Running]:
    """Run nghttpx."""
    port = free_port()
    command = [_find("nghttpx") or "nghttpx", "--conf=/dev/null", "--single-process", "--errorlog-file=/dev/stderr"]
    command += [f"--frontend=127.0.0.1,{port};no-tls", f"--backend=127.0.0.1,{upstream}", "--backend-read-timeout=1h"]
    with process(command, port, folder / "log") as number:
        yield Running(port, number, signal.SIGQUIT)


GATEWAYS = (
    Gateway("upgradegw", sys.executable, upgradegw, ("-c", "import upgradegw; print(upgradegw.__version__)")),
    Gateway("nginx", "nginx", nginx, ("-v",)),
    Gateway("HAProxy", "haproxy", haproxy, ("-v",)),
    Gateway("nghttpx", "nghttpx", nghttpx, ("--version",)),
)
