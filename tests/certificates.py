"""Certificates made for a test."""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class CertificateFiles:
    """Where a certificate and its key lie."""

    cert: Path
    key: Path


def self_signed(directory: Path, name: str = "localhost") -> CertificateFiles:
    """Write a self-signed certificate for ``localhost`` and 127.0.0.1, valid for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = CertificateFiles(directory / f"{name}.pem", directory / f"{name}.key")
    files.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


_USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Authority:
    """Somebody who signs certificates, for a test."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    issuers: tuple[x509.Certificate, ...] = ()

    @classmethod
    def named(cls, name: str, above: Authority | None = None) -> Authority:
        """Make an authority; one with another above it is an intermediate one."""
        key = ec.generate_private_key(ec.SECP256R1())
        constraint = x509.BasicConstraints(ca=True, path_length=None)
        signs = dict.fromkeys(_USES, False) | {"key_cert_sign": True}
        certificate = _sign(
            name, key, above or name, (above and above.key) or key, (constraint, x509.KeyUsage(**signs))
        )
        return cls(certificate, key, (above.certificate, *above.issuers) if above else ())

    def certify(
        self,
        folder: Path,
        *names: str,
        subject: str | None = None,
        file: str | None = None,
        key: Key | None = None,
        begins: dt.timedelta = dt.timedelta(hours=-1),
        ends: dt.timedelta = dt.timedelta(days=90),
    ) -> CertificateFiles:
        """Write a certificate for names, with those of the authorities that a client does not have, and its key."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        extensions = (x509.SubjectAlternativeName([x509.DNSName(name) for name in names]),) if names else ()
        subject = subject or (names[0] if names else "nobody")
        certificate = _sign(subject, key, self, self.key, extensions, begins, ends)
        file = file or subject.replace("*", "_")
        files = CertificateFiles(folder / f"{file}.pem", folder / f"{file}.key")
        chain = (certificate, *((self.certificate, *self.issuers[:-1]) if self.issuers else ()))
        write(files, chain, key)
        return files

    def write(self, folder: Path) -> Path:
        """Write the authority's own certificate."""
        name = self.certificate.subject.rfc4514_string().removeprefix("CN=")
        path = folder / f"{name}.pem"
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path


def write(files: CertificateFiles, chain: tuple[x509.Certificate, ...], key: Key) -> None:
    """Write a chain and a key to their files."""
    files.cert.write_bytes(b"".join(each.public_bytes(serialization.Encoding.PEM) for each in chain))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))


def _sign(
    subject: str,
    key: Key,
    issuer: Authority | str,
    issuer_key: ec.EllipticCurvePrivateKey,
    extensions: tuple[x509.ExtensionType, ...],
    begins: dt.timedelta = dt.timedelta(hours=-1),
    ends: dt.timedelta = dt.timedelta(days=90),
) -> x509.Certificate:
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named if isinstance(issuer, str) else issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + begins)
        .not_valid_after(now + ends)
    )
    for each in extensions:
        builder = builder.add_extension(each, critical=not isinstance(each, x509.SubjectAlternativeName))
    # Without these two, clients that go by the letter of RFC 5280 section 4.2.1 refuse it; Python 3.13 does.
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    whose = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    builder = builder.add_extension(whose, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
