"""The options that say how TLS is spoken: certificates, their keys, and who vouches for clients."""

from __future__ import annotations

from twisted.python import usage

from upgradegw.service.self_signed import self_signed
from upgradegw.service.tls import ServerTls, self_signed_options, tls_from_files
from upgradegw.service.tls_files import TlsFiles

#: In the place of a certificate's file. A file of this name is ``./self-signed``.
SELF_SIGNED = "self-signed"


class TlsOptions(usage.Options):
    """Options of TLS.

    Attributes:
        tls: Gives connections their certificates, once ``read_tls`` has been called; None for cleartext.
        tls_notice: A line for the log, of what a person should know of these certificates; None without one.
    """

    optParameters = [  # noqa: RUF012 - Twisted's name and type
        ["tls-client-ca", None, None, "PEM file: demand a certificate of every client, signed by one of these."],
    ]
    optFlags = [  # noqa: RUF012 - Twisted's name and type
        ["tls-client-optional", None, "With --tls-client-ca: a client may go without a certificate."],
    ]
    tls: ServerTls | None

    def __init__(self) -> None:
        """Start without certificates."""
        super().__init__()
        self.tls = None
        self.tls_notice: str | None = None
        self._certificates: list[str] = []
        self._keys: list[str] = []

    def opt_tls_cert(self, file: str) -> None:
        """PEM file: a certificate and its chain; turns TLS on for every listener. With several, each client gets the one for the name it asks for, or else the first. Or the word self-signed, for trying it out: a certificate that is made in memory, of which browsers warn."""  # noqa: E501
        self._certificates.append(file)

    def opt_tls_key(self, file: str) -> None:
        """PEM file: the private key, if it is not in the certificate's file; one for each --tls-cert, in their order."""  # noqa: E501
        self._keys.append(file)

    def read_tls(self) -> ServerTls | None:
        """Read what the options name.

        Raises:
            UsageError: Options contradict one another, or a file is not what it should be.
        """
        if not self._certificates:
            self._refuse_without_certificate()
            return None
        if self["tls-client-optional"] and self["tls-client-ca"] is None:
            raise usage.UsageError("--tls-client-optional is of use only together with --tls-client-ca")
        if SELF_SIGNED in self._certificates:
            return self._self_signed()
        if self._keys and len(self._keys) != len(self._certificates):
            raise usage.UsageError(
                f"--tls-key: {len(self._keys)} for {len(self._certificates)} of --tls-cert; write one for each, in"
                " their order, or none if the certificates' files hold the keys"
            )
        return tls_from_files(self._files(tuple(zip(self._certificates, self._keys or self._no_keys(), strict=True))))

    def _no_keys(self) -> list[None]:
        return [None] * len(self._certificates)

    def _files(self, pairs: tuple[tuple[str, str | None], ...]) -> TlsFiles:
        return TlsFiles(pairs, self["tls-client-ca"], bool(self["tls-client-optional"]))

    def _refuse_without_certificate(self) -> None:
        given = {
            "--tls-key": self._keys,
            "--tls-client-ca": self["tls-client-ca"],
            "--tls-client-optional": self["tls-client-optional"],
        }
        for option, value in given.items():
            if value:
                raise usage.UsageError(f"{option} is of use only together with --tls-cert")

    def _self_signed(self) -> ServerTls:
        if len(self._certificates) > 1:
            raise usage.UsageError(f"--tls-cert {SELF_SIGNED}: goes with no other certificate")
        if self._keys:
            raise usage.UsageError(f"--tls-cert {SELF_SIGNED}: the key is made, too; leave --tls-key out")
        made = self_signed()
        self.tls_notice = made.notice
        return self_signed_options(made, self._files(()))
