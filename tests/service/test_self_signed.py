"""The certificate for trying it out: whom it names, how long it lasts, and that a client who pins it is content."""

from __future__ import annotations

import datetime as dt
import hashlib
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from tests.service.test_tls import handshake
from upgradegw.service.self_signed import self_signed
from upgradegw.service.tls import self_signed_options


def names(certificate: x509.Certificate) -> list[str]:
    """Return what a certificate is for."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in found]


@pytest.mark.parametrize("server_name", ["localhost", "127.0.0.1", "::1", "box.example"])
@pytest.mark.parametrize("protocols", [["h2", "http/1.1"], ["http/1.1"]], ids=["h2", "http/1.1"])
def test_a_client_that_trusts_it_finds_nothing_wrong(
    monkeypatch: pytest.MonkeyPatch, server_name: str, protocols: list[str]
) -> None:
    """H2-02: under each name that this machine has; what the client likes best is agreed on."""
    monkeypatch.setattr(socket, "gethostname", lambda: "box.example")
    made = self_signed()
    client = ssl.create_default_context(cadata=made.certificate.public_bytes(Encoding.PEM).decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT  # as later Pythons have it
    client.set_alpn_protocols(protocols)
    connection = handshake(self_signed_options(made), client, server_name)
    assert connection.selected_alpn_protocol() == protocols[0]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("box.example", ["localhost", "box.example", "127.0.0.1", "::1"]),
        ("localhost", ["localhost", "127.0.0.1", "::1"]),
        ("bücher", ["localhost", "127.0.0.1", "::1"]),
        ("", ["localhost", "127.0.0.1", "::1"]),
    ],
)
def test_its_names(monkeypatch: pytest.MonkeyPatch, host: str, expected: list[str]) -> None:
    """It is for this machine; a host name that no certificate can hold is left out."""
    monkeypatch.setattr(socket, "gethostname", lambda: host)
    assert names(self_signed().certificate) == expected


def test_it_is_for_trying_out() -> None:
    """An ECDSA key on P-256, valid now and for a week, and no authority over other certificates."""
    certificate = self_signed().certificate
    key = certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.curve.name == "secp256r1"
    now = dt.datetime.now(dt.UTC)
    assert certificate.not_valid_before_utc < now
    assert dt.timedelta(days=6) < certificate.not_valid_after_utc - now <= dt.timedelta(days=7)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_each_start_has_its_own() -> None:
    """Key and number are new each time, so that nobody has the key of the one that is in use."""
    first, second = self_signed(), self_signed()
    assert first.certificate.serial_number != second.certificate.serial_number
    assert first.fingerprint != second.fingerprint


def test_the_notice_tells_the_fingerprint() -> None:
    """As browsers show it: pairs of capital digits, with colons."""
    made = self_signed()
    digest = hashlib.sha256(made.certificate.public_bytes(Encoding.DER)).hexdigest().upper()
    assert made.fingerprint == ":".join(digest[at : at + 2] for at in range(0, 64, 2))
    assert "browsers will warn" in made.notice
    assert made.fingerprint in made.notice
