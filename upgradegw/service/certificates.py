"""Certificates in PEM files: read in full, or refused in words that name the option, the file and the reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from twisted.python.usage import UsageError


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its chain, and its private key.

    Attributes:
        chain: The server's certificate first, then those that lead to the root.
        key: The private key of the first.
        file: The certificate's file as it was named; for messages.
    """

    chain: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes
    file: str

    @property
    def certificate(self) -> x509.Certificate:
        """The server's own certificate."""
        return self.chain[0]

    @property
    def names(self) -> tuple[str, ...]:
        """The host names it is for, in lower case; wildcards among them.

        Those of subjectAltName alone: no browser looks at the common name any more (RFC 9525 section 2).
        """
        return tuple(name.lower() for name in self._alternative(x509.DNSName))

    @property
    def addresses(self) -> tuple[str, ...]:
        """The IP addresses it is for; nobody is told them by SNI (RFC 6066 section 3)."""
        return tuple(str(address) for address in self._alternative(x509.IPAddress))

    def _alternative(self, kind: type[x509.DNSName | x509.IPAddress]) -> list[str]:
        try:
            found = self.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):  # ValueError: not to be understood
            return []
        return found.value.get_values_for_type(kind)  # type: ignore[return-value]

    def same_as(self, other: Pair) -> bool:
        """Tell whether certificate, chain and key are those of another pair."""
        return self.chain == other.chain and _public(self.key) == _public(other.key)


def read_pair(cert: str, key: str | None, folder: Path) -> Pair:
    """Read a certificate chain and a private key.

    Args:
        cert: A PEM file: the server's certificate first, then the chain that leads to the root.
        key: A PEM file with the private key; None if it is in the certificate's file.
        folder: Where a file without a folder lies.

    Raises:
        UsageError: A file is missing, unreadable or not what it should be, or the key is another certificate's.
    """
    chain = read_certificates(cert, "--tls-cert", folder)
    private = _private_key(key or cert, "--tls-key" if key else "--tls-cert", folder)
    try:
        belong_together = _public(chain[0]) == _public(private)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"--tls-cert {cert}: the certificate is for a key of an unknown kind") from None
    if not belong_together:
        raise UsageError(f"--tls-key {key or cert}: this is not the key of the certificate in {cert}")
    return Pair(chain, private, cert)


def read_certificates(path: str, option: str, folder: Path) -> tuple[x509.Certificate, ...]:
    """Read the certificates of a PEM file, at least one.

    Args:
        path: The file.
        option: The option that named it, for messages.
        folder: Where a file without a folder lies.

    Raises:
        UsageError: The file is missing or unreadable, or there are none in it.
    """
    try:
        return tuple(x509.load_pem_x509_certificates(_read(path, option, folder)))
    except ValueError:
        raise UsageError(f"{option} {path}: this file holds no certificate in PEM form") from None


def _read(path: str, option: str, folder: Path) -> bytes:
    try:
        return (folder / path).read_bytes()
    except OSError as error:
        raise UsageError(f"{option} {path}: {(error.strerror or str(error)).lower()}") from None


def _private_key(path: str, option: str, folder: Path) -> PrivateKeyTypes:
    data = _read(path, option, folder)
    try:
        return load_pem_private_key(data, password=None)
    except TypeError:
        raise UsageError(f"{option} {path}: the key is protected by a passphrase; remove it first") from None
    except (ValueError, UnsupportedAlgorithm):
        missing = "; name the key's file with --tls-key" if option == "--tls-cert" else ""
        raise UsageError(f"{option} {path}: this file holds no private key in PEM form{missing}") from None


def _public(of: x509.Certificate | PrivateKeyTypes) -> bytes:
    return of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
