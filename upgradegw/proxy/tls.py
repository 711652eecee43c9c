"""TLS towards an upstream: whom to trust, what to show, which name to send and check; read from files once."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from OpenSSL import SSL
from OpenSSL.crypto import X509, PKey
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import Certificate, CertificateOptions, optionsForClientTLS, trustRootFromCertificates
from zope.interface import implementer

from upgradegw.proxy.address import UpstreamAddress
from upgradegw.proxy.settings import UpstreamSettings

_CERTIFICATE = re.compile(b"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)

#: What is offered with ALPN (RFC 7301), by the version of HTTP that is spoken.
_ALPN = {1: [b"http/1.1"], 2: [b"h2"]}


def ip_version(host: str) -> int | None:
    """Return 4 or 6, or None for a name.

    Args:
        host: A host, without brackets.
    """
    try:
        return ipaddress.ip_address(host).version
    except ValueError:
        return None


@implementer(IOpenSSLClientConnectionCreator)
class _Unverified:
    """Makes connections on which the certificate is not checked; the name is sent all the same."""

    def __init__(self, hostname: str, options: CertificateOptions) -> None:
        self._name = hostname.encode("ascii") if ip_version(hostname) is None else None
        self._context = options.getContext()

    def clientConnectionForTLS(self, tlsProtocol: Any) -> SSL.Connection:
        """Make a connection."""
        connection = SSL.Connection(self._context, None)
        connection.set_app_data(tlsProtocol)
        if self._name is not None:
            connection.set_tlsext_host_name(self._name)
        return connection


def server_name(address: UpstreamAddress, settings: UpstreamSettings) -> str:
    """Return the name that is sent (SNI) and that the certificate must have.

    Args:
        address: Where the upstream is.
        settings: May name another one.
    """
    return settings.server_name or address.host.partition("%")[0]


def client_tls(address: UpstreamAddress, settings: UpstreamSettings) -> Any:
    """Return what makes TLS connections to an upstream: an ``IOpenSSLClientConnectionCreator``.

    Args:
        address: Where the upstream is.
        settings: How TLS is spoken to it.

    Raises:
        ValueError: A file cannot be read, or is not what it should be.
    """
    hostname = server_name(address, settings)
    alpn = _ALPN[settings.http_version]
    own = _own_certificate(settings)
    if not settings.verify:
        return _Unverified(hostname, CertificateOptions(acceptableProtocols=alpn, **own))
    trust = None if settings.ca is None else trustRootFromCertificates(_authorities(settings.ca))
    return optionsForClientTLS(hostname, trust, acceptableProtocols=alpn, extraCertificateOptions=own)


def _read(name: str, file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ValueError(f"{name} = {file!r}: {error.strerror}") from None


def _certificates(name: str, file: str) -> list[X509]:
    found = _CERTIFICATE.findall(_read(name, file))
    if not found:
        raise ValueError(f"{name} = {file!r} holds no certificate in PEM")
    try:
        return [X509.from_cryptography(x509.load_pem_x509_certificate(each)) for each in found]
    except ValueError:
        raise ValueError(f"{name} = {file!r} holds something else than certificates in PEM") from None


def _authorities(file: str) -> list[Certificate]:
    return [Certificate(each) for each in _certificates("ca", file)]


def _own_certificate(settings: UpstreamSettings) -> dict[str, Any]:
    """Return what Twisted takes for the certificate that we show."""
    if settings.cert is None:
        return {}
    first, *chain = _certificates("cert", settings.cert)
    name, file = ("cert", settings.cert) if settings.key is None else ("key", settings.key)
    data = _read(name, file)
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError):
        raise ValueError(f"{name} = {file!r} holds no private key in PEM, or one with a password") from None
    if first.to_cryptography().public_key() != key.public_key():
        raise ValueError(f"the key in {file!r} is not the one of the certificate in {settings.cert!r}")
    return {"certificate": first, "privateKey": PKey.from_cryptography_key(key), "extraCertChain": chain}  # type: ignore[arg-type]
