"""TLS by an Upgrade field (RFC 2817): how a site judges the offer, and starts TLS on the same connection.

The TLS layer is put between the connection's transport and the HTTP/1.1 channel; unlike ``startTLS`` this works on
every kind of transport, and with the site's own clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from OpenSSL import SSL
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from upgradegw.events import access_events
from upgradegw.http1.channel import Channel
from upgradegw.http1.head import Head
from upgradegw.interfaces import EndSummary, Taken, UpgradeInfo
from upgradegw.negotiation.model import RequestHead, UpgradeProtocol
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.tls_upgrade import choose_tls, tokens_of
from upgradegw.switched import Ended
from upgradegw.switching import switch
from upgradegw.takeover import attach_protocol
from upgradegw.tls.layer import TlsFactory
from upgradegw.web.clients import find_client
from upgradegw.web.http2 import may_upgrade

#: The versions that can be offered, and what keeps a connection from each.
_WITHOUT = {"1.2": SSL.OP_NO_TLSv1_2, "1.3": SSL.OP_NO_TLSv1_3}
#: RFC 9325 section 3.1.1: older ones are not spoken.
_WITHOUT_OLD = SSL.OP_NO_SSLv3 | SSL.OP_NO_TLSv1 | SSL.OP_NO_TLSv1_1


@dataclass(frozen=True, slots=True)
class TlsUpgrade:
    """What ``UpgradeSite(tls_upgrade=…)`` takes: TLS for clients that ask for it on a connection without.

    Attributes:
        tls: The certificates: ``CertificateOptions``, or another ``IOpenSSLServerConnectionCreator`` or
            ``IOpenSSLContextFactory``.
        required: Whether requests without TLS are answered with 426 (RFC 2817 section 4.2), and HTTP/2 without TLS is
            not spoken; else they are answered as if nothing had been offered.
        versions: What of TLS is offered and spoken: ``"1.2"``, ``"1.3"`` or both; ``tls`` must be able to.

    Raises:
        ValueError: ``versions`` holds none, or another one.
    """

    tls: Any
    required: bool = False
    versions: tuple[str, ...] = ("1.3", "1.2")

    def __post_init__(self) -> None:
        """Look at the versions."""
        if not self.versions or not set(self.versions) <= set(_WITHOUT):
            raise ValueError(f"versions={self.versions!r} must name {' or '.join(map(repr, _WITHOUT))}")


class _HttpInside(Factory):
    """What ALPN is asked about: inside there is HTTP/1.1, for that is the version of the request that waits."""

    noisy = False

    @staticmethod
    def acceptableProtocols() -> list[bytes]:
        """Return what is offered with ALPN."""
        return [b"http/1.1"]


class _Inside(Protocol):
    """Stands for the channel until TLS is connected, and tells the log whether the handshake ever was through."""

    def __init__(self, channel: Channel, options: int) -> None:
        self._channel = channel
        self._options = options

    def makeConnection(self, transport: Any) -> None:
        """TLS has begun: the channel goes on in it, and its version is no higher than what was announced."""
        transport.getHandle().set_options(self._options)
        attach_protocol(transport, self._channel)
        self._channel.secured(transport)

    def begins(self, transport: Any) -> None:
        """TLS is about to be connected."""

    def ends(self) -> Reason | None:
        """Say that there was never TLS, if so."""
        return Reason.TLS_FAILED if self._channel.securing else None


class TlsOffering:
    """Judges the offers of TLS to a site, and starts it.

    Attributes:
        tokens: What may be offered, the highest version first.
        required: Whether nothing is answered without TLS.
    """

    def __init__(self, site: Any, given: TlsUpgrade) -> None:
        """Take offers.

        Args:
            site: The ``UpgradeSite``.
            given: What it was given.
        """
        self.tokens = tokens_of(given.versions)
        self.required = given.required
        self._site = site
        self._layers: TlsFactory | None = None
        self._tls = given.tls

    def choose(self, channel: Channel, head: Head) -> bytes | None:
        """Return the token that the 101 names, or None.

        What came through a proxy is no offer of this client to us: the proxy passed on what was meant for it, and would
        not see what follows.
        """
        trusted = self._site.trusted
        if not may_upgrade("direct", channel.transport, channel.getPeer(), head.fields, trusted):
            return None
        return choose_tls(head.fields, self.tokens)

    def start(self, channel: Channel, head: Head, token: bytes, taken: Taken) -> None:
        """Write the 101 and start TLS behind it."""
        if self._layers is None:
            self._layers = TlsFactory(self._tls, False, _HttpInside(), self._site.reactor)
        inside = _Inside(channel, self._options_for(token))
        layer = self._layers.protocol(self._layers, inside)
        info = self._info(channel, head, token)
        fields = ((b"Upgrade", token), (b"Connection", b"Upgrade"))
        ended = self._ended(channel, info)
        switch(taken, (b"Switching Protocols", fields), layer, info, ended, witness=inside)

    def _options_for(self, token: bytes) -> int:
        """Return what keeps a connection from every version but the one that was named, and lower ones of ours."""
        options = _WITHOUT_OLD
        for version, without in _WITHOUT.items():
            own = b"TLS/" + version.encode("ascii")
            if own > token or own not in self.tokens:
                options |= without
        return options

    def _info(self, channel: Channel, head: Head, token: bytes) -> UpgradeInfo:
        client = find_client(channel, head.fields, self._site.trusted)
        has_content = bool(head.content_length) or head.chunked
        request = RequestHead(head.method, head.target, head.http_version, head.fields, has_content, client)
        return UpgradeInfo(request, UpgradeProtocol.parse(token), None, client, False, head.http_version)

    def _ended(self, channel: Channel, info: UpgradeInfo) -> Ended:
        """Log the switch now and the end when it comes."""
        clock = self._site.reactor
        began = clock.seconds()
        about = {
            "connection_id": channel.connection_id,
            "client": info.client.address,
            "path": info.head.target.partition(b"?")[0].decode("latin-1"),
            "token": str(info.token),
            "subprotocol": None,
            "http_version": info.http_version.decode("ascii"),
        }
        access_events.emit(
            "{client} {path!r}: switched to {token} from {http_version} ({connection_id})",
            event="switch",
            seconds=0.0,
            **about,
        )

        def ended(summarize: Callable[[], EndSummary]) -> None:
            # TLS tells the channel, unless it could not even begin.
            channel.cut(Failure(ConnectionDone()))
            summary = summarize()
            access_events.emit(
                "{client} {path!r}: {token} ended ({connection_id}): {reason} after {seconds:.3f} s, "
                "{bytes_in} bytes in, {bytes_out} out",
                event="end",
                seconds=clock.seconds() - began,
                bytes_in=summary.bytes_in,
                bytes_out=summary.bytes_out,
                close_code=None,
                reason=summary.reason,
                **about,
            )

        return ended
