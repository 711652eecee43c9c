"""The tables of ``[[listen]]``: where connections come in, and what is spoken on them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from upgradegw.service.config.words import File, Table, Text

_Port = Annotated[int, Meta(ge=1, le=65535)]
_Cert = Annotated[str, Meta(min_length=1, extra={"file": ("self-signed",)})]


class Certificate(Table, frozen=True, kw_only=True):
    """One certificate with its key."""

    cert: Annotated[File, Meta(description="PEM file: a certificate and its chain.")]
    key: Annotated[File | None, Meta(description="PEM file: the private key, if it is not in the other file.")] = None


class Tls(Table, frozen=True, kw_only=True):
    """TLS on a listener; the files are read again when they change, and at SIGHUP."""

    cert: Annotated[
        _Cert | None,
        Meta(
            description="PEM file: a certificate and its chain. Or the word `self-signed`, for trying it out: one that"
            " is made in memory, of which browsers warn."
        ),
    ] = None
    key: Annotated[File | None, Meta(description="PEM file: the private key, if it is not in the other file.")] = None
    certs: Annotated[
        tuple[Certificate, ...],
        Meta(
            description="More certificates, each with a `cert` and perhaps a `key`: each client gets the one for the"
            " name that it asks for, or else the first."
        ),
    ] = ()
    client_ca: Annotated[
        File | None, Meta(description="PEM file: demand a certificate of every client, signed by one of these.")
    ] = None
    client_optional: Annotated[bool, Meta(description="With `client_ca`: a client may go without a certificate.")] = (
        False
    )

    @property
    def pairs(self) -> tuple[tuple[str, str | None], ...]:
        """All certificates with their keys, the first one first."""
        own = () if self.cert is None else ((self.cert, self.key),)
        return own + tuple((each.cert, each.key) for each in self.certs)


class Listen(Table, frozen=True, kw_only=True):
    """One place to listen."""

    endpoint: Annotated[
        Text,
        Meta(
            description="Where: a server endpoint of Twisted, such as `tcp:8080`, `tcp:8080:interface=127.0.0.1`,"
            " `unix:/run/x.sock`, `haproxy:tcp:8080`, `systemd:index=0`."
        ),
    ]
    tls: Annotated[Tls | None, Meta(description="Speak TLS. Without it: cleartext.")] = None
    http2: Annotated[
        bool, Meta(description="Speak HTTP/2: where TLS agrees on `h2`, and as `h2c_prior_knowledge` says.")
    ] = True
    h2c_prior_knowledge: Annotated[
        bool,
        Meta(description="Without TLS, a connection may begin with HTTP/2's preface. As in HAProxy and nghttpx."),
    ] = True
    h2c_upgrade: Annotated[
        Literal["never", "direct", "always"],
        Meta(
            description='Whose `Upgrade: h2c` is answered with HTTP/2: `"direct"`, only of clients that nothing tells'
            ' to be behind a proxy; `"always"`, as in nghttpx. Never by default, as in nginx and RFC 9113 section 3.1.'
        ),
    ] = "never"
    tls_upgrade: Annotated[
        bool | Literal["required"],
        Meta(
            description="Start TLS on a cleartext connection where a client asks for it with `Upgrade: TLS/…`"
            ' (RFC 2817), with the certificates of `tls`; `"required"`: and answer 426 to the others.'
        ),
    ] = False
    redirect: Annotated[
        Literal["https"] | None,
        Meta(description="Answer no request but with a redirect (308) to `https://` of the same host and target."),
    ] = None
    https_port: Annotated[
        _Port | None,
        Meta(description="Port that `redirect` leads to. Without it: the first listener's that has TLS, or 443."),
    ] = None
    acme_webroot: Annotated[
        File | None,
        Meta(
            description="Folder of certbot's method webroot: serve what it puts into `.well-known/acme-challenge`,"
            " before every route."
        ),
    ] = None


class Admin(Table, frozen=True, kw_only=True):
    """The operator's own pages: `/healthz`, `/readyz`, `/metrics` and the status of what is connected."""

    endpoint: Annotated[
        Text, Meta(description="Where: a server endpoint of Twisted, such as `tcp:9090:interface=127.0.0.1`.")
    ]
    allow: Annotated[
        tuple[Text, ...],
        Meta(
            description='Networks or addresses that may ask; `"unix"` for peers on a UNIX socket. Without it:'
            " this machine."
        ),
    ] = ("127.0.0.0/8", "::1", "unix")
