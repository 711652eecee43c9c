"""A certificate from an authority that asks our server, by the real certbot. Takes longer: ``.ci/full`` runs it."""

from __future__ import annotations

import os
from pathlib import Path

from tests.clients.support import free_port
from tests.deployment.authority import authority
from tests.deployment.conftest import DEPLOY
from tests.deployment.test_certbot import PLAIN, number_in, serial_number
from tests.support.process import serving


def test_certbot_gets_a_certificate_and_renews_it(tmp_path: Path) -> None:
    """The commands of the page, by the real certbot, from an authority that asks our server: first, and again."""
    webroot, copies = tmp_path / "webroot", tmp_path / "copies"
    webroot.mkdir()
    copies.mkdir()
    port = free_port()
    hook = {"UPGRADEGW_CERTIFICATES": str(copies), "UPGRADEGW_GROUP": str(os.getgid())}
    folder = tmp_path / "authority"
    folder.mkdir()
    first = "--tls-cert", "self-signed", "--redirect", f"tcp:{port}:interface=127.0.0.1", "--acme-webroot", str(webroot)
    with authority(folder, port) as issuer, serving(*first, folder=tmp_path) as server:
        get = "certonly", "--webroot", "-w", str(webroot), "-d", "app.example.com", "--agree-tos"
        deploying = "--deploy-hook", str(DEPLOY / "copy-certificate.sh")
        done = issuer.certbot(*get, "--register-unsafely-without-email", *deploying, **hook)
        assert done.returncode == 0, done.stdout + done.stderr
        server.await_line(r'"GET /.well-known/acme-challenge/\S+ HTTP/1.1" 200 ')
        copy = copies / "app.example.com.pem"
        number = number_in(copy)
        done = issuer.certbot("renew", "--force-renewal", "--no-random-sleep-on-renew", **hook)
        assert done.returncode == 0, done.stdout + done.stderr
        assert number_in(copy) != number
    with serving("--tls-cert", str(copy), *PLAIN, folder=tmp_path) as server:
        assert serial_number(server) == number_in(copy)
