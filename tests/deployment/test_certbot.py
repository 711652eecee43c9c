"""A certificate from an authority: challenges on the cleartext port, renewals by certbot, files exchanged."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import ssl
import stat
from pathlib import Path

from cryptography import x509

from tests.certificates import CertificateFiles, self_signed
from tests.clients.support import run_tool
from tests.deployment.conftest import DEPLOY
from tests.support.process import PATIENCE, Server, serving
from tests.support.sockets import ask, switch

TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"
PLAIN = "--redirect", "tcp:0:interface=127.0.0.1"


def plain(server: Server) -> Server:
    """The same server at its cleartext port."""
    return Server(server.process, urls=[server.urls[1]])


def serial_number(server: Server) -> int:
    """The number of the certificate that a new client is shown."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    with server.connect() as connection, unchecked.wrap_socket(connection, server_hostname="localhost") as tls:
        shown = tls.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def number_in(path: Path) -> int:
    """The number of the first certificate in a file."""
    return x509.load_pem_x509_certificates(path.read_bytes())[0].serial_number


def deploy(lineage: Path, folder: Path, **variables: str) -> None:
    """Run the hook as certbot does."""
    own = str(os.getgid())
    variables = {"UPGRADEGW_CERTIFICATES": str(folder), "UPGRADEGW_GROUP": own, **variables}
    done = run_tool(
        [str(DEPLOY / "copy-certificate.sh")], env={**os.environ, "RENEWED_LINEAGE": str(lineage), **variables}
    )
    assert (done.returncode, done.stderr) == (0, "")


def lineage(folder: Path, files: CertificateFiles) -> Path:
    """Lay a certificate down as certbot does: links in ``live`` to files in ``archive``."""
    live = folder / "live" / "app.example"
    archive = folder / "archive" / "app.example"
    for each in (live, archive):
        each.mkdir(parents=True, exist_ok=True)
    for name, source in (("privkey", files.key), ("fullchain", files.cert)):
        shutil.copy(source, archive / f"{name}1.pem")
        (live / f"{name}.pem").unlink(missing_ok=True)
        (live / f"{name}.pem").symlink_to(archive / f"{name}1.pem")
    return live


def test_challenges_are_answered_beside_routes(tmp_path: Path, tls_options: tuple[str, ...]) -> None:
    """RFC 8555 section 8.3: over cleartext, with a route for everything; the redirect is for all else."""
    webroot, public = tmp_path / "webroot", tmp_path / "public"
    (public / ".well-known" / "acme-challenge").mkdir(parents=True)
    (public / "index.html").write_text("the page")
    webroot.mkdir()
    options = *tls_options, *PLAIN, "--acme-webroot", str(webroot), "--static", f"/={public}"
    with serving(*options, folder=tmp_path) as server:
        at = b"/.well-known/acme-challenge/" + TOKEN.encode()
        assert ask(plain(server), at).startswith(b"HTTP/1.1 404 ")
        (webroot / ".well-known" / "acme-challenge").mkdir(parents=True)
        (webroot / ".well-known" / "acme-challenge" / TOKEN).write_text(f"{TOKEN}.thumbprint")
        assert ask(plain(server), at).endswith(f"\r\n\r\n{TOKEN}.thumbprint".encode())
        assert ask(plain(server), b"/").startswith(b"HTTP/1.1 308 ")


def test_the_hook_makes_a_file_for_the_group(tmp_path: Path, certificate: CertificateFiles) -> None:
    """Key and chain in one file, which the group can read and nobody else, exchanged in one step."""
    live, folder = lineage(tmp_path, certificate), tmp_path / "copies"
    folder.mkdir()
    deploy(live, folder)
    (copy,) = folder.iterdir()
    assert (copy.name, stat.S_IMODE(copy.stat().st_mode)) == ("app.example.pem", 0o640)
    assert copy.read_bytes() == certificate.key.read_bytes() + certificate.cert.read_bytes()


def exchanged(tmp_path: Path, certificate: CertificateFiles) -> tuple[int, int, int]:
    """Exchange the certificate under a WebSocket; return the old number, the new one, and the one that is shown."""
    folder = tmp_path / "copies"
    folder.mkdir()
    deploy(lineage(tmp_path, certificate), folder)
    copy = folder / "app.example.pem"
    client = ssl.create_default_context(cafile=str(certificate.cert))
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(tmp_path / "notify"))
    notify.settimeout(PATIENCE)
    variables = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
    with notify, serving("--tls-cert", str(copy), *PLAIN, folder=tmp_path, env=variables) as server:
        assert notify.recv(4096).startswith(b"READY=1\n")
        old = serial_number(server)
        with server.connect() as connection, client.wrap_socket(connection, server_hostname="localhost") as open_before:
            switch(open_before)
            (tmp_path / "renewed").mkdir()
            deploy(lineage(tmp_path, self_signed(tmp_path / "renewed")), folder)
            server.send(signal.SIGHUP)
            assert notify.recv(4096).startswith(b"RELOADING=1\n")
            assert notify.recv(4096).startswith(b"READY=1\n")
            shown = serial_number(server)
            open_before.sendall(b"\x89\x80\0\0\0\0")  # a ping: the WebSocket is as it was
            assert open_before.recv(64).endswith(b"\x8a\x00")
    return old, number_in(copy), shown


def test_an_exchange_disturbs_nobody(tmp_path: Path, certificate: CertificateFiles) -> None:
    """The connections that are open go on, and so does the server."""
    old, new, shown = exchanged(tmp_path, certificate)
    assert old != new
    assert shown in {old, new}


def test_a_renewal_is_picked_up(tmp_path: Path, certificate: CertificateFiles) -> None:
    """SIGHUP behind the hook: READY=1 comes when new clients are shown the new certificate."""
    _, new, shown = exchanged(tmp_path, certificate)
    assert shown == new
