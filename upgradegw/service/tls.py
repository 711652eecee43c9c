"""TLS from PEM files, or from a certificate made on the spot: TLS 1.2 or later; ALPN says what the site speaks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from OpenSSL.crypto import X509, PKey
from OpenSSL.SSL import NO_OVERLAPPING_PROTOCOLS, Connection, Error
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.usage import UsageError

from upgradegw.service.self_signed import SelfSigned


def tls_options(cert: str, key: str | None) -> CertificateOptions:
    """Read a certificate chain and a private key.

    Args:
        cert: A PEM file: the server's certificate first, then the chain that leads to the root.
        key: A PEM file with the private key; None if it is in the certificate's file.

    Raises:
        UsageError: A file is missing, unreadable or not what it should be, or the key is another certificate's.
    """
    chain = _certificates(cert)
    private = _private_key(key or cert, "--tls-key" if key else "--tls-cert")
    if not _belong_together(chain[0], private):
        raise UsageError(f"--tls-key {key or cert}: this is not the key of the certificate in {cert}")
    options = _options(private, *chain)
    try:
        options.getContext()
    except Error as error:
        raise UsageError(f"--tls-cert {cert}: OpenSSL does not accept it ({_reason(error)})") from None
    return options


def self_signed_options(made: SelfSigned) -> CertificateOptions:
    """Use a certificate that was made on the spot."""
    return _options(made.key, made.certificate)


def _options(key: PrivateKeyTypes, certificate: x509.Certificate, *chain: x509.Certificate) -> CertificateOptions:
    return CertificateOptions(
        privateKey=PKey.from_cryptography_key(key),  # type: ignore[arg-type]
        certificate=X509.from_cryptography(certificate),
        extraCertChain=[X509.from_cryptography(each) for each in chain],
        # RFC 9325 section 3.1.1: nothing below TLS 1.2.
        insecurelyLowerMinimumTo=TLSVersion.TLSv1_2,
    )


def over_tls(options: CertificateOptions, factory: Any) -> IProtocolFactory:
    """Put TLS between a listening port of any kind and a factory.

    Args:
        options: The certificate.
        factory: The site; its ``acceptableProtocols`` says what ALPN may agree on, and in which order. With a client
            that offers nothing of these nothing is agreed on, and HTTP/1.1 is spoken (RFC 9113 section 3.2).
    """
    acceptable: list[bytes] = factory.acceptableProtocols()

    def select(_connection: Connection, offered: list[bytes]) -> Any:
        return next((protocol for protocol in acceptable if protocol in offered), NO_OVERLAPPING_PROTOCOLS)

    options.getContext().set_alpn_select_callback(select)
    return TLSMemoryBIOFactory(options, False, factory)


def _read(path: str, option: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{option} {path}: {(error.strerror or str(error)).lower()}") from None


def _certificates(path: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(_read(path, "--tls-cert"))
    except ValueError:
        raise UsageError(f"--tls-cert {path}: this file holds no certificate in PEM form") from None


def _private_key(path: str, option: str) -> PrivateKeyTypes:
    data = _read(path, option)
    try:
        return load_pem_private_key(data, password=None)
    except TypeError:
        raise UsageError(f"{option} {path}: the key is protected by a passphrase; remove it first") from None
    except ValueError:
        missing = "; name the key's file with --tls-key" if option == "--tls-cert" else ""
        raise UsageError(f"{option} {path}: this file holds no private key in PEM form{missing}") from None


def _belong_together(certificate: x509.Certificate, key: PrivateKeyTypes) -> bool:
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    return certificate.public_key().public_bytes(*form) == key.public_key().public_bytes(*form)


def _reason(error: Error) -> str:
    details = error.args[0] if error.args else []
    return str(details[0][-1]) if details else "no reason given"
