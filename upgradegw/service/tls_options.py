"""The options that say how TLS is spoken: certificates, their keys, and who vouches for clients."""

from __future__ import annotations

from typing import Any

from twisted.python import usage

from upgradegw.service.config.model import Certificate, Tls
from upgradegw.service.gateway.secured import SELF_SIGNED


class TlsOptions(usage.Options):
    """Options that ``Options`` has from here."""

    optParameters = [  # noqa: RUF012 - Twisted's name and type
        ["tls-client-ca", None, None, "PEM file: demand a certificate of every client, signed by one of these."],
    ]
    optFlags = [  # noqa: RUF012 - Twisted's name and type
        ["tls-client-optional", None, "With --tls-client-ca: a client may go without a certificate."],
    ]

    def __init__(self) -> None:
        """Start without certificates."""
        super().__init__()
        self._certificates: list[str] = []
        self._keys: list[str] = []

    def opt_tls_cert(self, file: str) -> None:
        """PEM file: a certificate and its chain; turns TLS on for every listener. With several, each client gets the one for the name it asks for, or else the first. Or the word self-signed, for trying it out: a certificate that is made in memory, of which browsers warn."""  # noqa: E501
        self._certificates.append(file)

    def opt_tls_key(self, file: str) -> None:
        """PEM file: the private key, if it is not in the certificate's file; one for each --tls-cert, in their order."""  # noqa: E501
        self._keys.append(file)

    def tls_table(self) -> Tls | None:
        """Return what the options say as a table of the configuration; nothing is read.

        Raises:
            UsageError: Options contradict one another.
        """
        if not self._certificates:
            self._refuse_without_certificate()
            return None
        if self["tls-client-optional"] and self["tls-client-ca"] is None:
            raise usage.UsageError("--tls-client-optional is of use only together with --tls-client-ca")
        if SELF_SIGNED in self._certificates and len(self._certificates) > 1:
            raise usage.UsageError(f"--tls-cert {SELF_SIGNED}: goes with no other certificate")
        if SELF_SIGNED in self._certificates and self._keys:
            raise usage.UsageError(f"--tls-cert {SELF_SIGNED}: the key is made, too; leave --tls-key out")
        if self._keys and len(self._keys) != len(self._certificates):
            raise usage.UsageError(
                f"--tls-key: {len(self._keys)} for {len(self._certificates)} of --tls-cert; write one for each, in"
                " their order, or none if the certificates' files hold the keys"
            )
        keys: list[Any] = self._keys or [None] * len(self._certificates)
        first, *more = (Certificate(cert=cert, key=key) for cert, key in zip(self._certificates, keys, strict=True))
        optional = bool(self["tls-client-optional"])
        client_ca = self["tls-client-ca"]
        table = Tls(cert=first.cert, key=first.key, certs=tuple(more), client_ca=client_ca, client_optional=optional)
        table.placed(f"--tls-cert {first.cert}", {})
        return table

    def _refuse_without_certificate(self) -> None:
        given = {
            "--tls-key": self._keys,
            "--tls-client-ca": self["tls-client-ca"],
            "--tls-client-optional": self["tls-client-optional"],
        }
        for option, value in given.items():
            if value:
                raise usage.UsageError(f"{option} is of use only together with --tls-cert")
