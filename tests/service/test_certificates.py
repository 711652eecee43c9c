"""PEM files: read in full, or refused in words."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID
from twisted.python.usage import UsageError

from tests.certificates import Authority, CertificateFiles, self_signed
from upgradegw.service.certificates import Pair, read_certificates, read_pair


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """A certificate and its key."""
    return self_signed(tmp_path_factory.mktemp("tls"))


def read(files: CertificateFiles) -> Pair:
    """Read a pair."""
    return read_pair(str(files.cert), str(files.key), Path("/nowhere"))


def test_a_chain_is_read_in_full(tmp_path: Path) -> None:
    """The server's certificate, and all that follow it in the file."""
    middle = Authority.named("middle", Authority.named("root"))
    pair = read(middle.certify(tmp_path, "a.example"))
    assert [each.subject.rfc4514_string() for each in pair.chain] == ["CN=a.example", "CN=middle"]
    assert pair.certificate is pair.chain[0]


def test_names_are_those_of_the_subject_alternative_name(tmp_path: Path) -> None:
    """In lower case, wildcards among them, addresses apart; the common name does not count (RFC 9525 section 2)."""
    authority = Authority.named("root")
    pair = read(authority.certify(tmp_path, "A.Example", "*.xn--bcher-kva.example", subject="other.example"))
    assert (pair.names, pair.addresses) == (("a.example", "*.xn--bcher-kva.example"), ())
    pair = read(self_signed(tmp_path))
    assert (pair.names, pair.addresses) == (("localhost",), ("127.0.0.1",))
    assert read(authority.certify(tmp_path, subject="common.example")).names == ()


def test_an_extension_that_cannot_be_read_names_nothing(tmp_path: Path) -> None:
    """A certificate may hold anything; the server starts all the same, and --check has its say."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "junk")])
    now = dt.datetime.now(dt.UTC)
    junk = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x01junk")
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + dt.timedelta(days=1), [])
    certificate = builder.add_extension(junk, critical=False).sign(key, hashes.SHA256())
    assert Pair((certificate,), key, "junk.pem").names == ()


def test_the_same_pair_is_known_again(files: CertificateFiles, tmp_path: Path) -> None:
    """Certificate, chain and key count, not the files."""
    pair = read(files)
    assert pair.same_as(read(files))
    assert not pair.same_as(read(self_signed(tmp_path)))
    assert not pair.same_as(Pair((*pair.chain, *pair.chain), pair.key, pair.file))


def test_files_without_a_folder_lie_in_the_given_one(files: CertificateFiles) -> None:
    """A daemon may be in another folder by the time it reads them again."""
    pair = read_pair(files.cert.name, files.key.name, files.cert.parent)
    assert (pair.file, pair.names) == ("localhost.pem", ("localhost",))


def test_a_file_of_authorities_needs_one(files: CertificateFiles, tmp_path: Path) -> None:
    """An empty file would let nobody in."""
    assert len(read_certificates(str(files.cert), "--tls-client-ca", tmp_path)) == 1
    with pytest.raises(UsageError, match=r"--tls-client-ca .*: this file holds no certificate in PEM form"):
        read_certificates(str(files.key), "--tls-client-ca", tmp_path)


def refusal(cert: Path, key: Path | None = None) -> str:
    """Return what is said of a pair of files."""
    with pytest.raises(UsageError) as caught:
        read_pair(str(cert), None if key is None else str(key), Path())
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


def test_a_key_of_an_unknown_kind_is_refused(files: CertificateFiles, tmp_path: Path) -> None:
    """In words as well."""
    der = bytearray(
        load_pem_private_key(files.key.read_bytes(), None).private_bytes(
            Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
        )
    )
    at = der.index(bytes.fromhex("2a8648ce3d030107"))  # the name of the curve
    der[at + 7] = 0x7F
    odd = tmp_path / "odd.key"
    odd.write_bytes(b"-----BEGIN PRIVATE KEY-----\n" + base64.encodebytes(der) + b"-----END PRIVATE KEY-----\n")
    assert refusal(files.cert, odd) == f"--tls-key {odd}: this file holds no private key in PEM form"


def test_a_protected_key_is_refused(files: CertificateFiles, tmp_path: Path) -> None:
    """A daemon has nobody to ask for a passphrase."""
    key = load_pem_private_key(files.key.read_bytes(), None)
    protected = tmp_path / "protected.key"
    protected.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))
    assert refusal(files.cert, protected) == (
        f"--tls-key {protected}: the key is protected by a passphrase; remove it first"
    )
