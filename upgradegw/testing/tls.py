"""TLS in memory: ours at the server, Twisted's at the client, with a certificate as old as the process."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.protocol import Factory
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOFactory

from upgradegw.testing.reactor import Reactor
from upgradegw.tls.layer import TlsFactory


@lru_cache(maxsize=1)
def _certificate() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make a certificate that nobody need trust, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "upgradegw.testing")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    return builder.sign(key, SHA256()), key


class _One(Factory):
    """Has one protocol."""

    noisy = False

    def __init__(self, protocol: IProtocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: Any) -> Any:  # noqa: ARG002 - Twisted's signature
        return self._protocol


def server_side(factory: IProtocolFactory, reactor: Reactor) -> IProtocolFactory:
    """Put TLS between connections in memory and a site.

    Args:
        factory: The site.
        reactor: Its reactor.
    """
    certificate, key = _certificate()
    # Twisted passes these on to pyOpenSSL, which takes cryptography's and would rather have no others.
    options = CertificateOptions(privateKey=key, certificate=certificate)  # type: ignore[arg-type]
    return TlsFactory(options, False, factory, reactor)


def client_side(protocol: IProtocol, reactor: Reactor, offered: bytes) -> Any:
    """Return what a client's protocol is connected through; it offers one application protocol (ALPN).

    Args:
        protocol: The client's protocol.
        reactor: Moves the bytes.
        offered: The protocol that TLS is to agree on: ``b"http/1.1"``, for example.
    """
    options = CertificateOptions(acceptableProtocols=[offered])
    return TLSMemoryBIOFactory(options, True, _One(protocol), clock=reactor).buildProtocol(None)
