"""A client of RFC 2817 in memory: cleartext first, then TLS of the standard library on the same connection."""

from __future__ import annotations

import contextlib
import ssl
from functools import lru_cache
from typing import Any

from tests.http1.wire import Answer, Wire, make_site, parse_answers
from upgradegw.service.self_signed import self_signed
from upgradegw.service.tls import ServerTls, self_signed_options
from upgradegw.web.tls_upgrade import TlsUpgrade

#: What the clients of CUPS offer.
CUPS = b"TLS/1.3,TLS/1.2,TLS/1.1,TLS/1.0"


@lru_cache(maxsize=1)
def certificates() -> ServerTls:
    """Certificates as a listener has them."""
    return self_signed_options(self_signed())


def securing(root: Any = None, *, tls: Any = None, buffer: int | None = None, **kwargs: Any) -> Securing:
    """Connect to a new site that takes offers of TLS, if need be through a socket that takes little at a time."""
    own = {name: kwargs.pop(name) for name in ("required", "versions") if name in kwargs}
    site, reactor = make_site(root, tls_upgrade=TlsUpgrade(tls or certificates(), **own), **kwargs)
    return Securing(site, reactor, buffer=buffer)


def offer(tokens: bytes = CUPS, *fields: bytes, method: bytes = b"OPTIONS", target: bytes = b"*") -> bytes:
    """Return a request that offers TLS, as CUPS's clients write it."""
    lines = [method + b" " + target + b" HTTP/1.1", b"Host: a.example", b"Connection: upgrade", b"Upgrade: " + tokens]
    return b"\r\n".join((*lines, *fields, b"", b""))


class Securing(Wire):
    """One connection, which may get TLS."""

    def begin(self, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> bytes:
        """Return the client's first bytes of TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = most
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self._incoming, self._outgoing)
        with contextlib.suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self._outgoing.read()

    def head(self) -> Answer:
        """Take the 101; what is behind it is the server's side of TLS."""
        self.turn()
        head, end, self.received = self.received.partition(b"\r\n\r\n")
        (answer,) = parse_answers(head + end)
        return answer

    def shake(self) -> None:
        """Shake hands; the client's first bytes are with the server, or are sent now."""
        for _ in range(4):
            self._exchange()
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                continue
            self._exchange()
            return
        raise AssertionError("no end of the handshake")

    def _exchange(self) -> None:
        self.send(self._outgoing.read())
        self._incoming.write(self.take())

    def inside(self, *requests: bytes) -> list[Answer]:
        """Send requests in TLS, and return all responses that have come in it."""
        for request in requests:
            self.tls.write(request)
        self._exchange()
        self.advance(0.1)
        self._exchange()
        read = bytearray()
        with contextlib.suppress(ssl.SSLWantReadError):
            while data := self.tls.read(1 << 16):
                read += data
        return parse_answers(bytes(read))
