"""OpenSSL's own client: names, resumed sessions, client certificates."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.certificates import Authority, CertificateFiles
from tests.support.process import PATIENCE, Server, serving

VERSIONS = pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])


@dataclass(frozen=True)
class Place:
    """A running server with two certificates that asks clients for theirs, and who may connect."""

    folder: Path
    server: Server
    alice: CertificateFiles

    def client(self, *options: str, certificate: bool = True) -> str:
        """Shake hands, ask for a page, and return what OpenSSL says of it."""
        openssl = shutil.which("openssl")
        assert openssl is not None
        command = [openssl, "s_client", "-connect", f"127.0.0.1:{self.server.port}", "-ign_eof"]
        command += ["-CAfile", "authority.pem", "-verify_return_error", "-x509_strict"]
        if certificate:
            command += ["-cert", str(self.alice.cert), "-key", str(self.alice.key)]
        done = subprocess.run(
            [*command, *options],
            input=b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            cwd=self.folder,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        return (done.stdout + done.stderr).decode("utf-8", "replace")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A running server."""
    if shutil.which("openssl") is None:
        pytest.skip("the command openssl is not installed")
    folder = tmp_path_factory.mktemp("openssl")
    authority = Authority.named("authority")
    authority.write(folder)
    options = []
    for name in ("a.example", "b.example"):
        files = authority.certify(folder, name)
        options += ["--tls-cert", str(files.cert), "--tls-key", str(files.key)]
    options += ["--tls-client-ca", str(folder / "authority.pem"), "--access-log=access.log"]
    with serving(*options, folder=folder) as server:
        yield Place(folder, server, authority.certify(folder, subject="alice"))


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (("-servername", "a.example"), "a.example"),
        (("-servername", "B.Example"), "b.example"),
        (("-servername", "c.example"), "a.example"),
        (("-noservername",), "a.example"),
    ],
)
@VERSIONS
def test_names(place: Place, options: tuple[str, ...], name: str, version: str) -> None:
    """The certificate of the name that is asked for, or the first."""
    said = place.client(version, *options)
    assert re.search(rf"subject=CN ?= ?{re.escape(name)}$", said, re.MULTILINE), said
    assert "HTTP/1.1 200 OK" in said


@VERSIONS
def test_sessions_are_resumed(place: Place, version: str) -> None:
    """With a ticket, for a name of the second certificate, and the client is known by its certificate as before."""
    name = ("-servername", "b.example")
    assert "\nNew, TLSv1." in place.client(version, *name, "-sess_out", f"session{version}")
    said = place.client(version, *name, "-sess_in", f"session{version}", certificate=False)
    assert "\nReused, TLSv1." in said
    assert "HTTP/1.1 200 OK" in said
    assert (place.folder / "access.log").read_text().splitlines()[-1].endswith(' client_subject="CN=alice"')


@VERSIONS
def test_a_client_without_a_certificate(place: Place, version: str) -> None:
    """Is told so by TLS, and nothing by us."""
    said = place.client(version, certificate=False)
    assert "alert" in said
    assert "HTTP/1.1" not in said


@pytest.mark.parametrize("group", ["X25519", "P-256"])
def test_curves(place: Place, group: str) -> None:
    """X25519, and what those speak who do not have it."""
    assert "HTTP/1.1 200 OK" in place.client("-groups", group)


def test_a_second_hello(place: Place) -> None:
    """A client that guessed another curve than we like says hello twice, and gets the certificate of its name."""
    said = place.client("-groups", "ffdhe2048:P-256", "-servername", "b.example", "-msg", "-tls1_3")
    assert said.count("ClientHello") == 2
    assert re.search(r"subject=CN ?= ?b\.example$", said, re.MULTILINE)
    assert "HTTP/1.1 200 OK" in said
