"""A certificate that is made for this process alone, so that TLS and HTTP/2 can be tried out without a file."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: Who shows the certificate to a person, a browser for example, shows this name.
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "upgradegw, self-signed")])
#: Long enough to try something out, too short to be taken for more.
_VALID = dt.timedelta(days=7)
#: Clocks differ; the client's may be behind.
_BEFORE = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SelfSigned:
    """A certificate and its key.

    Attributes:
        certificate: The certificate.
        key: Its private key, which is written nowhere.
    """

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate in the form in which browsers and OpenSSL show it."""
        return self.certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    @property
    def notice(self) -> str:
        """What the log says, so that nobody is surprised."""
        return (
            "The certificate is self-signed and was made at this start, so browsers will warn of it."
            f" Its SHA-256 fingerprint is {self.fingerprint}."
        )


def self_signed() -> SelfSigned:
    """Make a certificate for this machine's own names that is valid for a week, on the curve P-256."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_NAME)
        .issuer_name(_NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(_names(socket.gethostname())), critical=False)
        # Whoever comes to trust it trusts this server, and no certificate beyond it (RFC 5280 section 4.2.1.9).
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return SelfSigned(certificate, key)


def _names(host: str) -> list[x509.GeneralName]:
    """Return what the certificate is for: this machine as it calls itself, and as its host name has it."""
    names: list[x509.GeneralName] = [x509.DNSName("localhost")]
    if host.isascii() and host not in {"", "localhost"}:  # a name beyond ASCII would be written in another way
        names.append(x509.DNSName(host))
    return names + [x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "::1")]
