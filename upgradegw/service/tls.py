"""TLS for a server: which OpenSSL context a new connection gets, with which certificate, and for how long.

Contexts are made anew and never changed: a connection that has begun keeps what it began with, whatever is exchanged
meanwhile. All contexts of one making form a ``Generation``, whose first one holds the keys of the session tickets.
OpenSSL makes those keys at random with the context, and uses the first context's also for connections that change to
another one for their server's name. So tickets are good for every name of one generation and for no other: a change of
certificates or of the authorities for clients leaves no way back in, and an age of a generation is an age of its keys.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from OpenSSL import SSL
from OpenSSL.crypto import X509, X509StoreFlags
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator, IProtocolFactory
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.usage import UsageError
from zope.interface import implementer

from upgradegw.service.certificates import Pair
from upgradegw.service.self_signed import SelfSigned
from upgradegw.service.server_names import ServerNames
from upgradegw.service.tls_files import Material, TlsFiles
from upgradegw.tls.layer import TlsFactory

#: Seconds for which keys of session tickets are used. RFC 9325 section 3.4 allows a week; whoever steals such a key can
#: read what was resumed with it over TLS 1.2, so less is better.
TICKET_KEY_SECONDS = 12 * 3600
#: Seconds for which a ticket is good: half of that, as the same section has it.
TICKET_SECONDS = TICKET_KEY_SECONDS // 2

#: For TLS 1.2: ephemeral keys and AEAD alone, as RFC 9325 section 4.2 recommends; none of them is among those that RFC
#: 9113 appendix A prohibits. TLS 1.3 has no others.
CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    b"ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)

#: RFC 9325 sections 3.3 and 3.5: no compression, no new handshake within a connection. Not the server's order of
#: ciphers: all of them are good, and the client knows which its processor is fast at.
_OPTIONS = SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION
#: As in Twisted: certificates between a client's and its authority.
_VERIFY_DEPTH = 9


def _select(connection: SSL.Connection, offered: list[bytes]) -> Any:
    """Answer ALPN: the first of the site's that the client offers; without one, HTTP/1.1 is spoken all the same."""
    protocol: TLSMemoryBIOProtocol = connection.get_app_data()
    site: Any = protocol.factory.wrappedFactory
    return next((each for each in site.acceptableProtocols() if each in offered), SSL.NO_OVERLAPPING_PROTOCOLS)


class Generation:
    """The contexts for one state of the files, with ticket keys of their own."""

    def __init__(self, material: Material) -> None:
        """Make the contexts.

        Raises:
            UsageError: OpenSSL does not accept a certificate.
        """
        self._material = material
        self._identity = _identity(material)
        contexts = [self._context(pair) for pair in material.pairs]
        #: What a connection begins with.
        self.first = contexts[0]
        if len(contexts) > 1:
            pairs = zip(material.pairs, contexts, strict=True)
            self._names = ServerNames((pair.names, context) for pair, context in pairs)
            self.first.set_tlsext_servername_callback(self._change)

    def _change(self, connection: SSL.Connection) -> None:
        """Change to the context for the name that the client has sent; OpenSSL asks without a name, too."""
        found = self._names.find(connection.get_servername())
        if found is not None and found is not self.first:
            connection.set_context(found)

    def _context(self, pair: Pair) -> SSL.Context:
        context = SSL.Context(SSL.TLS_SERVER_METHOD)
        context.set_min_proto_version(SSL.TLS1_2_VERSION)  # RFC 9325 section 3.1.1
        context.set_max_proto_version(0)
        context.set_options(_OPTIONS)
        context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # as Twisted does: idle connections need little memory
        context.set_cipher_list(CIPHERS)
        # Sessions live in tickets, with the client; nothing is kept here that grows with their number.
        context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
        context.set_timeout(TICKET_SECONDS)
        context.set_session_id(self._identity)
        context.set_alpn_select_callback(_select)
        # While a connection uses this context, OpenSSL may still call back into the first; it must not go before.
        context.set_app_data(self)
        try:
            context.use_certificate(pair.certificate)
            context.use_privatekey(pair.key)  # type: ignore[arg-type]
            for each in pair.chain[1:]:
                context.add_extra_chain_cert(each)
        except SSL.Error as error:
            raise UsageError(f"--tls-cert {pair.file}: OpenSSL does not accept it ({_reason(error)})") from None
        self._ask_clients(context)
        return context

    def _ask_clients(self, context: SSL.Context) -> None:
        """Demand certificates of clients, if there is somebody who vouches for them."""
        material = self._material
        if not material.authorities:
            return
        store = context.get_cert_store()
        assert store is not None  # noqa: S101 - a context has one
        # Who is named is trusted, also if somebody else has signed its certificate.
        store.set_flags(X509StoreFlags.PARTIAL_CHAIN)
        for authority in material.authorities:
            store.add_cert(X509.from_cryptography(authority))
            context.add_client_ca(authority)
        context.set_verify(SSL.VERIFY_PEER | (0 if material.client_optional else SSL.VERIFY_FAIL_IF_NO_PEER_CERT))
        context.set_verify_depth(_VERIFY_DEPTH)


def _identity(material: Material) -> bytes:
    """Return what a session must have been made under to be resumed: the same demands on clients."""
    told = sha256(b"optional" if material.client_optional else b"required")
    for authority in material.authorities:
        told.update(authority.public_bytes(Encoding.DER))
    return told.digest()


@implementer(IOpenSSLServerConnectionCreator)
class ServerTls:
    """Gives each new connection its context, and exchanges contexts between two connections.

    Attributes:
        material: What is in use.
        files: Where it came from; None if it was made in memory.
        signature: That of the files before they were read.
    """

    def __init__(
        self,
        material: Material,
        files: TlsFiles | None = None,
        signature: tuple[object, ...] = (),
        *,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with some material.

        Args:
            material: Certificates and keys.
            files: Where they came from.
            signature: That of the files before they were read.
            seconds: The clock for the age of ticket keys.

        Raises:
            UsageError: OpenSSL does not accept a certificate.
        """
        self.files = files
        self.signature = signature
        self._seconds = seconds
        self.use(material)

    def use(self, material: Material) -> None:
        """Use other material for new connections, with new ticket keys; if it is refused, nothing changes.

        Raises:
            UsageError: OpenSSL does not accept a certificate.
        """
        self._generation = Generation(material)
        self.material = material
        self._ends = self._seconds() + TICKET_KEY_SECONDS

    def serverConnectionForTLS(self, protocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: ARG002 - Twisted's
        """Return OpenSSL's side of a new connection."""
        if self._seconds() >= self._ends:
            self.use(self.material)
        return SSL.Connection(self._generation.first)


def tls_options(cert: str, key: str | None) -> ServerTls:
    """Read a certificate chain and a private key; see ``read_pair``.

    Raises:
        UsageError: A file is missing, unreadable or not what it should be, or the key is another certificate's.
    """
    return tls_from_files(TlsFiles(((cert, key),)))


def tls_from_files(files: TlsFiles) -> ServerTls:
    """Read all files.

    Raises:
        UsageError: One is missing, unreadable or not what it should be.
    """
    signature = files.signature()
    return ServerTls(files.read(), files, signature)


def self_signed_options(made: SelfSigned, client_ca: TlsFiles | None = None) -> ServerTls:
    """Use a certificate that was made on the spot.

    Args:
        made: The certificate.
        client_ca: Names the file of those who vouch for clients, and no certificates.

    Raises:
        UsageError: That file is missing, unreadable or not what it should be.
    """
    clients = (client_ca or TlsFiles((), folder=Path())).read()
    pair = Pair((made.certificate,), made.key, "self-signed")
    return ServerTls(Material((pair,), clients.authorities, clients.client_optional))


def over_tls(tls: ServerTls, factory: Any, clock: Any = None) -> IProtocolFactory:
    """Put TLS between a listening port of any kind and a factory.

    Args:
        tls: The certificates.
        factory: The site; its ``acceptableProtocols`` says what ALPN may agree on, and in which order. With a client
            that offers nothing of these nothing is agreed on, and HTTP/1.1 is spoken (RFC 9113 section 3.2).
        clock: Gives the moments at which small writes are joined and sent; None for the running reactor.
    """
    return TlsFactory(tls, False, factory, clock)


def _reason(error: SSL.Error) -> str:
    details = error.args[0] if error.args else []
    return str(details[0][-1]) if details else "no reason given"
