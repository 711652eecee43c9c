"""What is told of a server's certificate, over real handshakes."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtensionOID, NameOID

from tests.certificates import CertificateFiles, write
from upgradegw.probe.tls_facts import tls_facts


def certificate(folder: Path, names: bytes) -> CertificateFiles:
    """Write a certificate whose subjectAltName holds these bytes."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "odd")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(dt.datetime(2099, 12, 31, 23, 59, tzinfo=dt.UTC))
        .add_extension(x509.UnrecognizedExtension(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, names), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = CertificateFiles(folder / "odd.pem", folder / "odd.key")
    write(files, (made,), key)
    return files


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (b"\x30\x03\x82\x01a", "certificate of CN=odd, for a"),
        (b"\x30\x04\x82\x02\xff\xfe", "certificate of CN=odd, for names that cannot be understood"),
    ],
)
def test_names(tmp_path: Path, names: bytes, told: str) -> None:
    """Names that are none are told as such: what a server shows is what is to be looked at."""
    files = certificate(tmp_path, names)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(files.cert, files.key)
    asking = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    asking.check_hostname, asking.verify_mode = False, ssl.CERT_NONE
    ends = socket.socketpair()
    with (
        serving.wrap_socket(ends[0], server_side=True, do_handshake_on_connect=False) as server,
        asking.wrap_socket(ends[1], do_handshake_on_connect=False) as client,
    ):
        shake(server, client)
        lines = tls_facts(client, checked=False)
    assert lines[1:] == [told, "certificate valid until 2099-12-31 23:59 UTC; not checked (-k)"]


def shake(*ends: ssl.SSLSocket) -> None:
    """Let both ends of a connection have their turns until they are done."""
    left = list(ends)
    for each in ends:
        each.setblocking(False)
    while left:
        for each in tuple(left):
            try:
                each.do_handshake()
            except ssl.SSLWantReadError:
                continue
            left.remove(each)
