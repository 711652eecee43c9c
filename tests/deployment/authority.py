"""A certificate authority on this machine: Pebble, Let's Encrypt's own for tests, and the DNS server that it asks."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.certificates import CertificateFiles, self_signed
from tests.clients.support import free_port, run_tool, tool, wait_for_port
from tests.support.process import PATIENCE


@dataclass(frozen=True)
class Authority:
    """The authority, and a client's folder.

    Attributes:
        url: Its directory (RFC 8555 section 7.1.1).
        certificate: Its own, for HTTPS.
        folder: Where certbot keeps what it has.
    """

    url: str
    certificate: CertificateFiles
    folder: Path

    def certbot(self, command: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run certbot as an operator would, with all its folders in ours."""
        folders = [f"--{name}-dir={self.folder / name}" for name in ("config", "work", "logs")]
        return run_tool(
            [tool("certbot"), command, *folders, "--non-interactive", f"--server={self.url}", *options],
            env={**os.environ, "REQUESTS_CA_BUNDLE": str(self.certificate.cert), **variables},
            timeout=2 * PATIENCE,
        )


@contextlib.contextmanager
def _running(command: list[str], port: int, folder: Path, **variables: str) -> Iterator[None]:
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as output:
        started = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env={**os.environ, **variables}
        )
    try:
        assert wait_for_port(port, started), log.read_text()
        yield
    finally:
        started.terminate()
        started.wait(PATIENCE)


@contextlib.contextmanager
def authority(folder: Path, http_port: int) -> Iterator[Authority]:
    """Run an authority that proves domains on a port of this machine, whatever their name.

    Args:
        folder: An empty folder.
        http_port: Where it asks for challenges; outside of tests it is 80.
    """
    pebble, names = tool("pebble"), tool("pebble-challtestsrv")
    port, management, dns = free_port(), free_port(), free_port()
    certificate = self_signed(folder)
    addresses = {"listenAddress": f"127.0.0.1:{port}", "managementListenAddress": f"127.0.0.1:{management}"}
    files = {"certificate": str(certificate.cert), "privateKey": str(certificate.key)}
    configuration = {"pebble": {**addresses, **files, "httpPort": http_port, "tlsPort": free_port()}}
    (folder / "pebble.json").write_text(json.dumps(configuration))
    off = [f"-{each}=" for each in ("http01", "https01", "tlsalpn01", "management", "defaultIPv6")]
    answering = [names, f"-dns01=127.0.0.1:{dns}", "-defaultIPv4=127.0.0.1", *off]
    issuing = [pebble, "-config", f"{folder}/pebble.json", "-dnsserver", f"127.0.0.1:{dns}"]
    with (
        _running(answering, dns, folder),
        _running(issuing, port, folder, PEBBLE_VA_NOSLEEP="1", PEBBLE_WFE_NONCEREJECT="0"),
    ):
        yield Authority(f"https://localhost:{port}/dir", certificate, folder)
