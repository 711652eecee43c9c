"""nginx in front of a server of ours, with the very configurations that the documentation shows."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.certificates import CertificateFiles
from tests.clients.support import ROOT, free_port, process, tool

#: The better one, and the one that most people have.
GOOD = ROOT / "docs" / "examples" / "nginx.conf"
COMMON = ROOT / "docs" / "examples" / "nginx-common.conf"

#: What a documented configuration listens on and speaks to; tests put other ports there, and change nothing else.
LISTEN = "listen 443 ssl;"
UPSTREAM = "127.0.0.1:8080"

#: What surrounds a site: everything in one folder, one process, and nothing of the machine's own configuration.
_AROUND = """
daemon off;
master_process off;
pid nginx.pid;
events { worker_connections 128; }
http {
    default_type text/html;
    access_log off;
    client_body_temp_path temp_client;
    proxy_temp_path temp_proxy;
    fastcgi_temp_path temp_fastcgi;
    uwsgi_temp_path temp_uwsgi;
    scgi_temp_path temp_scgi;
    include site.conf;
}
"""


def replace_once(text: str, old: str, new: str) -> str:
    """Put one text in the place of another, which must be there exactly once."""
    assert text.count(old) == 1, f"{text.count(old)} times {old!r} in:\n{text}"
    return text.replace(old, new)


@contextlib.contextmanager
def nginx(
    folder: Path,
    configuration: Path,
    upstream: str,
    certificate: CertificateFiles,
    *,
    tls: bool = False,
    changes: Mapping[str, str] | None = None,
) -> Iterator[int]:
    """Run nginx for the duration of a ``with`` block; the value is its port.

    Args:
        folder: An empty folder. Files that nginx is to serve itself go into ``html`` in it.
        configuration: One of the documented files.
        upstream: What nginx speaks to, in place of ``127.0.0.1:8080``.
        certificate: Lies where the file says it does.
        tls: Whether the port speaks TLS, as the file says, or cleartext.
        changes: More texts of the file to replace.
    """
    program = tool("nginx")
    port = free_port()
    site = replace_once(configuration.read_text(), LISTEN, f"listen 127.0.0.1:{port}{' ssl' if tls else ''};")
    site = replace_once(site, *_server_of(site, upstream))
    for old, new in (changes or {}).items():
        site = replace_once(site, old, new)
    shutil.copy(certificate.cert, folder / "fullchain.pem")
    shutil.copy(certificate.key, folder / "privkey.pem")
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(_AROUND)
    command = [program, "-p", f"{folder}/", "-c", "nginx.conf", "-e", "stderr"]
    with process(command, port, folder / "log"):
        yield port


def _server_of(site: str, upstream: str) -> tuple[str, str]:
    """Find the line that names the server of ours: comments may name its address, too."""
    lines = [line for line in site.splitlines() if UPSTREAM in line and not line.lstrip().startswith("#")]
    assert len(lines) == 1, f"{UPSTREAM} is named {len(lines)} times in:\n{site}"
    return lines[0], lines[0].replace(UPSTREAM, upstream)
