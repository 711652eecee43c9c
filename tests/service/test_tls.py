"""Certificates: read in full, or refused in words."""

from __future__ import annotations

import ssl
import warnings
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.usage import UsageError
from twisted.web.resource import Resource

from tests.certificates import CertificateFiles, self_signed
from upgradegw.service.tls import over_tls, tls_options
from upgradegw.web.site import UpgradeSite


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """A certificate and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


class TcpTransport(StringTransport):
    """A transport with TCP's options."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Nothing to be set."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Nothing to be set."""


def handshake(
    options: Any, client: ssl.SSLContext, server_name: str = "localhost", *, http2: bool = True
) -> ssl.SSLObject:
    """Let a client of the standard library shake hands with a site of ours over TLS, in memory."""
    transport = TcpTransport()
    site = UpgradeSite(Resource(), http2=http2, reactor=MemoryReactorClock())
    server = over_tls(options, site).buildProtocol(transport.getPeer())
    assert server is not None
    server.makeConnection(transport)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = client.wrap_bio(incoming, outgoing, server_hostname=server_name)
    for _ in range(4):
        try:
            connection.do_handshake()
        except ssl.SSLWantReadError:
            server.dataReceived(outgoing.read())
            incoming.write(transport.value())
            transport.clear()
        else:
            return connection
    raise AssertionError("no end of the handshake")


def trusting(files: CertificateFiles) -> ssl.SSLContext:
    """A client that trusts the certificate."""
    return ssl.create_default_context(cafile=str(files.cert))


@pytest.mark.parametrize(
    ("offered", "selected"),
    [(["h2", "http/1.1"], "h2"), (["http/1.1", "h2"], "h2"), (["http/1.1"], "http/1.1"), ([], None)],
    ids=str,
)
def test_alpn(files: CertificateFiles, offered: list[str], selected: str | None) -> None:
    """H2-02: whoever offers HTTP/2 gets it, in TLS 1.3; who offers nothing may speak HTTP/1.1 unasked."""
    client = trusting(files)
    if offered:
        client.set_alpn_protocols(offered)
    connection = handshake(tls_options(str(files.cert), str(files.key)), client)
    assert (connection.selected_alpn_protocol(), connection.version()) == (selected, "TLSv1.3")


def test_alpn_without_http2(files: CertificateFiles) -> None:
    """H2-02: a site that does not speak HTTP/2 does not agree on it, whatever the certificate's options."""
    client = trusting(files)
    client.set_alpn_protocols(["h2", "http/1.1"])
    connection = handshake(tls_options(str(files.cert), str(files.key)), client, http2=False)
    assert connection.selected_alpn_protocol() == "http/1.1"


def test_alpn_without_a_protocol_in_common(files: CertificateFiles) -> None:
    """H2-02: h2c is not agreed on, nor is what nobody knows: nothing is, and HTTP/1.1 is spoken."""
    client = trusting(files)
    client.set_alpn_protocols(["h2c", "spdy/3"])
    assert handshake(tls_options(str(files.cert), str(files.key)), client).selected_alpn_protocol() is None


def test_tls_1_2_is_the_least(files: CertificateFiles) -> None:
    """A-33: TLS 1.2 is spoken, TLS 1.1 is not."""
    client = trusting(files)
    client.maximum_version = ssl.TLSVersion.TLSv1_2
    assert handshake(tls_options(str(files.cert), str(files.key)), client).version() == "TLSv1.2"
    client = trusting(files)
    client.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings(action="ignore"):  # the standard library warns of old versions, and rightly so
        client.minimum_version = ssl.TLSVersion.TLSv1
        client.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(ssl.SSLError):
        handshake(tls_options(str(files.cert), str(files.key)), client)


def test_the_chain_is_sent_in_full(files: CertificateFiles, tmp_path: Path) -> None:
    """Every certificate of the file goes to the client, the first as the server's."""
    other = self_signed(tmp_path, "other.example")
    chain = tmp_path / "fullchain.pem"
    chain.write_bytes(files.cert.read_bytes() + other.cert.read_bytes())
    options = tls_options(str(chain), str(files.key))
    assert [certificate.to_cryptography().subject.rfc4514_string() for certificate in options.extraCertChain] == [
        "CN=other.example"
    ]
    handshake(options, trusting(files))


def test_the_key_may_be_in_the_certificates_file(files: CertificateFiles, tmp_path: Path) -> None:
    """One file with both is enough."""
    both = tmp_path / "both.pem"
    both.write_bytes(files.key.read_bytes() + files.cert.read_bytes())
    handshake(tls_options(str(both), None), trusting(files))


def refusal(cert: Path, key: Path | None = None) -> str:
    """Return what is said of a pair of files."""
    with pytest.raises(UsageError) as caught:
        tls_options(str(cert), None if key is None else str(key))
    return str(caught.value)


def test_missing_and_unreadable_files_are_named(files: CertificateFiles, tmp_path: Path) -> None:
    """The option, the file and the reason."""
    gone = tmp_path / "gone.pem"
    assert refusal(gone, files.key) == f"--tls-cert {gone}: no such file or directory"
    assert refusal(files.cert, gone) == f"--tls-key {gone}: no such file or directory"
    assert refusal(tmp_path) == f"--tls-cert {tmp_path}: is a directory"


def test_files_of_another_kind_are_named(files: CertificateFiles, tmp_path: Path) -> None:
    """A key where a certificate should be, a certificate where a key should be, and what is neither."""
    text = tmp_path / "text.pem"
    text.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    for cert in (files.key, text):
        assert refusal(cert, files.key) == f"--tls-cert {cert}: this file holds no certificate in PEM form"
    assert refusal(files.cert, text) == f"--tls-key {text}: this file holds no private key in PEM form"
    assert refusal(files.cert) == (
        f"--tls-cert {files.cert}: this file holds no private key in PEM form; name the key's file with --tls-key"
    )


def test_a_key_of_another_certificate_is_refused(files: CertificateFiles, tmp_path: Path) -> None:
    """Clients would see a failed handshake; the operator sees why."""
    other = self_signed(tmp_path)
    assert refusal(files.cert, other.key) == (
        f"--tls-key {other.key}: this is not the key of the certificate in {files.cert}"
    )


def test_a_protected_key_is_refused(files: CertificateFiles, tmp_path: Path) -> None:
    """A daemon has nobody to ask for a passphrase."""
    key = load_pem_private_key(files.key.read_bytes(), None)
    protected = tmp_path / "protected.key"
    protected.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    assert refusal(files.cert, protected) == (
        f"--tls-key {protected}: the key is protected by a passphrase; remove it first"
    )
