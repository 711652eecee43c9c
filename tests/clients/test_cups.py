"""The clients of CUPS, which ask for TLS on a connection without (RFC 2817), with a small printer of ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import CertificateFiles
from tests.clients.support import ROOT, assert_no_traceback, run_tool, tool
from tests.support.process import IN_FOREGROUND, serving

ASKING = """{
    NAME "what the printer says of itself"
    OPERATION Get-Printer-Attributes
    GROUP operation-attributes-tag
    ATTR charset attributes-charset utf-8
    ATTR naturalLanguage attributes-natural-language en
    ATTR uri printer-uri $uri
    STATUS successful-ok
    EXPECT printer-name OF-TYPE name WITH-VALUE standin
}
"""


@dataclass(frozen=True)
class Printing:
    """A running printer.

    Attributes:
        port: Where it listens.
        log: Where it writes each operation, and what that came in.
        folder: A home for CUPS's clients, which remember certificates there.
    """

    port: int
    log: Path
    folder: Path

    def run(self, *command: str) -> str:
        """Run a client, and return what it prints; it must not fail."""
        done = run_tool([tool(command[0]), *command[1:]], cwd=self.folder, env={**os.environ, "HOME": str(self.folder)})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def operations(self) -> list[str]:
        """Return what has been asked until now."""
        return self.log.read_text().splitlines()


@contextmanager
def printing(certificate: CertificateFiles, folder: Path, *more: str) -> Iterator[Printing]:
    """Run the printer."""
    log = folder / "printer.log"
    command = [sys.executable, "-m", "tests.clients.ipp", str(certificate.cert), str(certificate.key), *more]
    with log.open("wb") as output:
        started = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=output, text=True)
    with started:
        try:
            assert started.stdout is not None
            yield Printing(int(started.stdout.readline()), log, folder)
        finally:
            started.terminate()


#: A gateway before a printer that knows no TLS.
GATEWAY = """
[[listen]]
endpoint = "tcp:0:interface=127.0.0.1"
tls = {{ cert = "{cert}", key = "{key}" }}
tls_upgrade = {setting}

[[route]]
path = "/"
proxy = "http://127.0.0.1:{port}"
upgrades = []
"""


@pytest.mark.parametrize(("setting", "options"), [("true", ["-E"]), ('"required"', [])])
def test_through_the_gateway(certificate: CertificateFiles, tmp_path: Path, setting: str, options: list[str]):
    """TL-01: TLS ends at the gateway, which asks the printer without; its log tells of the switch."""
    with printing(certificate, tmp_path) as printer:
        text = GATEWAY.format(cert=certificate.cert, key=certificate.key, setting=setting, port=printer.port)
        (tmp_path / "gateway.toml").write_text(text)
        arguments = "--config", "gateway.toml", "--access-log", "access.log", "--access-log-format", "json"
        with serving(*arguments, folder=tmp_path, command=IN_FOREGROUND, listen=False) as server:
            said = printer.run("lpstat", *options, "-h", f"127.0.0.1:{server.port}", "-p")
        assert "printer standin is idle" in said
        assert "CUPS-Get-Printers cleartext" in printer.operations()
        log = (tmp_path / "access.log").read_text()
        assert '"token":"TLS/1.' in log.replace('": "', '":"'), log
        assert_no_traceback(server)


def test_lpstat(certificate: CertificateFiles, tmp_path: Path):
    """TL-01: ``lpstat -E`` sees printer, default and scheduler; every operation has come in TLS."""
    with printing(certificate, tmp_path) as printer:
        address = f"127.0.0.1:{printer.port}"
        assert printer.run("lpstat", "-E", "-h", address, "-r") == "scheduler is running\n"
        assert "printer standin is idle" in printer.run("lpstat", "-E", "-h", address, "-p")
        assert "default destination: standin" in printer.run("lpstat", "-E", "-h", address, "-d")
        assert set(printer.operations()) == {"CUPS-Get-Default TLS", "CUPS-Get-Printers TLS"}


def test_lpstat_without_tls(certificate: CertificateFiles, tmp_path: Path):
    """The same port serves those who do not ask for TLS."""
    with printing(certificate, tmp_path) as printer:
        assert "standin is idle" in printer.run("lpstat", "-h", f"127.0.0.1:{printer.port}", "-p")
        assert {line.split()[1] for line in printer.operations()} == {"cleartext"}


def test_lpstat_where_tls_is_demanded(certificate: CertificateFiles, tmp_path: Path):
    """TL-01: lpstat understands the 426, and does without being told what it had not been asked to do."""
    with printing(certificate, tmp_path, "required") as printer:
        assert "standin is idle" in printer.run("lpstat", "-h", f"127.0.0.1:{printer.port}", "-p")
        assert {line.split()[1] for line in printer.operations()} == {"TLS"}


@pytest.mark.parametrize("more", [(), ("required",)])
def test_ipptool(certificate: CertificateFiles, tmp_path: Path, more: tuple[str, ...]):
    """TL-01: ``ipptool -E`` has what it expects."""
    asking = tmp_path / "asking.test"
    asking.write_text(ASKING)
    with printing(certificate, tmp_path, *more) as printer:
        uri = f"ipp://127.0.0.1:{printer.port}/printers/standin"
        said = printer.run("ipptool", "-E", "-t", uri, str(asking))
        assert re.search(r"what the printer says of itself +\[PASS\]", said), said
        assert printer.operations() == ["Get-Printer-Attributes TLS"]
