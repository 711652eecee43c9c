"""The PEM files that TLS is made from, by name: read all together, and looked at for a change without being read."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509

from upgradegw.service.certificates import Pair, read_certificates, read_pair


@dataclass(frozen=True, slots=True)
class Material:
    """What TLS is made from.

    Attributes:
        pairs: Certificates with their keys; the first is for clients that name no server, or an unknown one.
        authorities: Who vouches for clients; empty if clients need no certificate.
        client_optional: Whether a client may go without a certificate.
    """

    pairs: tuple[Pair, ...]
    authorities: tuple[x509.Certificate, ...] = ()
    client_optional: bool = False

    def same_as(self, other: Material) -> bool:
        """Tell whether there is nothing new in other material."""
        return (
            self.authorities == other.authorities
            and len(self.pairs) == len(other.pairs)
            and all(mine.same_as(theirs) for mine, theirs in zip(self.pairs, other.pairs, strict=True))
        )


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Names of files.

    Attributes:
        pairs: The certificate's file and the key's, or None if the certificate's file holds both.
        client_ca: The file of those who vouch for clients.
        client_optional: Whether a client may go without a certificate.
        folder: Where files without a folder lie: the current one, which may be another when files are read again.
    """

    pairs: tuple[tuple[str, str | None], ...]
    client_ca: str | None = None
    client_optional: bool = False
    folder: Path = field(default_factory=Path.cwd)

    def read(self) -> Material:
        """Read all of them.

        Raises:
            UsageError: One is missing, unreadable or not what it should be.
        """
        pairs = tuple(read_pair(cert, key, self.folder) for cert, key in self.pairs)
        path = self.client_ca
        authorities = () if path is None else read_certificates(path, "--tls-client-ca", self.folder)
        return Material(pairs, authorities, self.client_optional)

    def signature(self) -> tuple[object, ...]:
        """Return what changes when a file does; links are followed, as certbot's ``live`` folder has them."""
        paths = [path for pair in self.pairs for path in pair]
        return tuple(signature_of(self.folder / path) for path in (*paths, self.client_ca) if path is not None)


def signature_of(path: Path) -> tuple[int, ...]:
    """Return what changes when a file does.

    Args:
        path: The file; links are followed.
    """
    try:
        found = os.stat(path)  # noqa: PTH116 - a Path's stat makes the path anew, and this is done every other second
    except OSError as error:
        return (error.errno or 0,)
    return (found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
