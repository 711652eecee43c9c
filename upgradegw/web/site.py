"""UpgradeSite, and the mixin that makes a ``Site`` subclass of one's own one: our HTTP/1.1 and HTTP/2 for a site."""

from __future__ import annotations

from collections.abc import Iterable, KeysView
from functools import cached_property
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO, Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.python import log
from twisted.web.http import SWITCHING
from twisted.web.server import Request, Site

from upgradegw.events import access_events
from upgradegw.http.connected import Connected, Connection
from upgradegw.http.context import Context
from upgradegw.http.limits import Limits
from upgradegw.http1.channel import Channel
from upgradegw.http2.frames import PREFACE
from upgradegw.http2.limits import Http2Limits
from upgradegw.negotiation.authority import split_authority
from upgradegw.negotiation.client import TrustedProxies
from upgradegw.negotiation.model import Client, Fields, Refuse
from upgradegw.negotiation.reasons import Reason
from upgradegw.web.clients import find_client
from upgradegw.web.drain import Drainable
from upgradegw.web.http2 import Http2
from upgradegw.web.live import Live
from upgradegw.web.request import UpgradeRequest
from upgradegw.web.request_events import emit_request
from upgradegw.web.short_switch import ShortSwitch
from upgradegw.web.tls_upgrade import TlsOffering, TlsUpgrade

#: Content of this size goes to a file, as in twisted.web.
_MAX_IN_MEMORY = 100_000


class UpgradeSiteMixin(Drainable, Site):
    """Our HTTP/1.1 and HTTP/2 for a ``Site`` subclass of your own: ``class MySite(UpgradeSiteMixin, TheirSite)``.

    Arguments that are not its own go to ``TheirSite``, whose signature may be any. What that class overrides is called:
    ``requestFactory``, ``sessionFactory``, ``displayTracebacks``, ``getResourceFor``, ``log``, ``startFactory``,
    ``stopFactory``, ``makeSession``, and ``buildProtocol`` as long as it asks ``Site``'s for the channel. Its
    ``protocol`` and ``acceptableProtocols`` are not asked: what is spoken here is ours.

    Attributes:
        live: The table of upgraded connections that are open, for whoever wants to see them; None, and without cost,
            as long as nobody has set one.
    """

    trusted: TrustedProxies
    live: Live | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let our requests take the place of Twisted's, and of no other."""
        super().__init_subclass__(**kwargs)
        if cls.requestFactory is Request:
            cls.requestFactory = UpgradeRequest

    def __init__(
        self,
        *args: Any,
        trusted_proxies: Iterable[str] = (),
        allowed_hosts: Iterable[str] | None = None,
        head_timeout: float = 10.0,
        max_head: int = 16 * 1024,
        max_fields: int = 100,
        max_target: int = 8 * 1024,
        max_content: int | None = 1024 * 1024,
        content_timeout: float | None = 60.0,
        write_timeout: float = 60.0,
        max_connections: int | None = 10_000,
        max_connections_per_client: int | None = None,
        max_leading_data: int = 128 * 1024,
        http2: bool = True,
        h2c_prior_knowledge: bool = True,
        h2c_upgrade: str = "never",
        tls_upgrade: TlsUpgrade | None = None,
        extended_connect: bool = True,
        max_streams: int = 100,
        stream_window: int = 64 * 1024,
        connection_window: int = 1024 * 1024,
        max_continuations: int = 8,
        max_settings: int = 32,
        max_resets: int = 1000,
        resets_per_second: float = 33.0,
        max_glitches: int = 10_000,
        glitches_per_second: float = 330.0,
        max_control_frames: int = 1000,
        control_frames_per_second: float = 100.0,
        max_queued_acks: int = 1000,
        max_empty_frames: int = 10,
        preface_timeout: float = 10.0,
        settings_timeout: float = 5.0,
        sharing: UpgradeSiteMixin | None = None,
        **kwargs: Any,
    ) -> None:
        """Serve a resource tree.

        Args:
            args: As for ``Site``: ``resource``, the root of the tree; ``requestFactory``, which makes the requests, by
                default UpgradeRequest; ``logPath``, ``timeout``, ``logFormatter``, ``reactor``.
            trusted_proxies: The proxies that are believed when they say who the client is: networks, addresses, or
                ``"unix"`` for peers on a UNIX socket. Nobody by default (Envoy's ``use_remote_address``).
            allowed_hosts: The hosts that are answered for; requests for another one get 421 (RFC 9110 section
                15.5.20). None for all, as in nginx with one server; Django's ``ALLOWED_HOSTS`` is the same idea.
            head_timeout: Seconds for a whole request head and for a TLS handshake; then 408. 10, as HAProxy advises
                for ``timeout http-request``.
            max_head: Bytes of a request head; beyond it 431. 16 KiB, HAProxy's ``bufsize``.
            max_fields: Field lines of a request; beyond it 431. 100, as in Envoy.
            max_target: Bytes of a request target; beyond it 414. 8 KiB, as in nginx.
            max_content: Bytes of a request's content; beyond it 413. 1 MiB, nginx's ``client_max_body_size``. None
                for no limit; ``limit`` sets another one for a subtree.
            content_timeout: Seconds between two pieces of content; then 408. 60, nginx's ``client_body_timeout``.
            write_timeout: Seconds in which a client must take something of its response, or the connection is
                aborted. 60, nginx's ``send_timeout``.
            max_connections: Connections at a time; beyond it 503. 10,000, as in Envoy's edge guide. None: no limit.
            max_connections_per_client: The same for one client address; None by default, as in nginx.
            max_leading_data: Bytes kept behind a request that is being answered; then reading stops. 128 KiB.
            http2: Whether HTTP/2 is spoken: where TLS agrees on ``h2``, and as ``h2c_prior_knowledge`` says.
            h2c_prior_knowledge: Whether a connection without TLS may begin with HTTP/2's preface, as HAProxy and
                nghttpx have it.
            h2c_upgrade: Whose offer of HTTP/2 in an Upgrade field is accepted on a connection without TLS: ``"never"``,
                as in nginx and RFC 9113 section 3.1; ``"direct"``, only of clients that nothing tells to be behind a
                proxy; ``"always"``, as in nghttpx.
            tls_upgrade: TLS for clients that ask for it in an Upgrade field on a connection without (RFC 2817), as
                those of CUPS do; None for nobody. What comes through a proxy is no such offer.
            extended_connect: Whether HTTP/2 clients are told that they can switch protocols on a stream (RFC 8441).
            max_streams: Requests at a time on an HTTP/2 connection, those among them that the client has reset and
                that are still worked on; beyond it REFUSED_STREAM. 100, as in Envoy's edge guide and HAProxy.
            stream_window: Bytes that a client may send on a stream ahead of what is read. 64 KiB, Envoy's edge guide.
            connection_window: The same for all streams of a connection. 1 MiB, Envoy's edge guide.
            max_continuations: CONTINUATION frames of a header block; beyond it, and beyond each of the following, the
                connection ends with ENHANCE_YOUR_CALM. 8, as in nghttp2.
            max_settings: Entries of a SETTINGS frame. 32, as in nghttp2.
            max_resets: Streams that are reset, by either side, at once. 1,000, as in nghttp2.
            resets_per_second: How many more each second allows. 33, as in nghttp2.
            max_glitches: Frames that mean nothing, at once. 10,000, as in nghttp2.
            glitches_per_second: How many more each second allows. 330, as in nghttp2.
            max_control_frames: PING and SETTINGS at once. 1,000, as Envoy has it for frames of control.
            control_frames_per_second: How many more each second allows. 100, as for a WebSocket.
            max_queued_acks: Acknowledgements that wait to be read. 1,000, as in nghttp2.
            max_empty_frames: Frames without content in a row. 10; Envoy allows one.
            preface_timeout: Seconds for HTTP/2's preface. 10, as in Go.
            settings_timeout: Seconds from there to the client's SETTINGS. 5; Go has 2.
            sharing: Another site that stands behind other listeners of the same server: connections are counted
                together, and ``stop``, ``abort`` and ``drain`` of each end those of both. None for no other.
            kwargs: As for ``Site``; ``timeout`` is the time that a connection may lie idle: 60 s, as in ``Site``.

        Raises:
            ValueError: A trusted proxy, an allowed host or ``h2c_upgrade`` is written wrongly, or a window is out of
                its range.
        """
        given = dict(locals())
        self.trusted = TrustedProxies.parse(trusted_proxies)
        self._allowed_hosts = None if allowed_hosts is None else _parse_hosts(allowed_hosts)
        self._limits = Limits(**{name: given[name] for name in Limits.__slots__})
        http2_limits = Http2Limits(**{name: given[name] for name in Http2Limits.__slots__})
        making = Http2(
            self, lambda: self._context, http2_limits, extended_connect=extended_connect, h2c_upgrade=h2c_upgrade
        )
        self._http2 = making if http2 else None
        self._tls_upgrade = None if tls_upgrade is None else TlsOffering(self, tls_upgrade)
        demands_tls = tls_upgrade is not None and tls_upgrade.required
        self._preface = PREFACE if h2c_prior_knowledge and not demands_tls else b""
        self._sharing = sharing
        super().__init__(*args, **kwargs)
        # Without a file to write to, Site writes every request to Twisted's log; here that is the access log's office.
        self._logs = self.logPath is not None or self._is_theirs("log")

    def _is_theirs(self, name: str) -> bool:
        """Tell whether a class behind this one overrides a method of Site's."""
        return getattr(getattr(super(), name), "__func__", None) is not getattr(Site, name)

    @cached_property
    def _context(self) -> Context:
        """What the connections share; made with the first, so that ``timeOut`` can be set on the site before."""
        return Context(
            self._limits,
            self.reactor,
            self._find_client,
            idle_timeout=self.timeOut,
            allowed_hosts=self._allowed_hosts,
            trusted=self.trusted,
            connected=None if self._sharing is None else self._sharing.connected,
        )

    @cached_property
    def _short_switch(self) -> ShortSwitch | None:
        """The way to a switch without a request; None where a log file would miss it."""
        return None if self._logs else ShortSwitch(self, UpgradeSiteMixin.log)

    @property
    def connected(self) -> Connected:
        """Who is connected, here and to the sites with which this is shared."""
        return self._context.connected

    @property
    def connections(self) -> KeysView[Connection]:
        """The live connections, those that have been switched to other protocols among them."""
        return self._context.connections

    def stop(self) -> Deferred[None]:
        """End all connections in order: idle ones now, requests when answered, switched ones by their protocol.

        Returns:
            A Deferred that fires when all are gone. How long that may take is for the caller to decide; see ``abort``.
        """
        return self._context.stop()

    def abort(self) -> None:
        """End at once the connections that are left."""
        self._context.abort()

    # --- For Twisted.

    def protocol(self) -> Any:
        """Make the channel of a new connection (``Site.buildProtocol`` asks here for it)."""
        channel = Channel(self._context)
        channel.tls_upgrade = self._tls_upgrade
        channel.short_switch = self._short_switch
        if self._http2 is not None:
            self._http2.prepare(channel, self._preface)
        return channel

    def acceptableProtocols(self) -> list[bytes]:
        """Return what is offered with ALPN (RFC 9113 section 3.2), in order of preference."""
        return [b"h2", b"http/1.1"] if self._http2 is not None else [b"http/1.1"]

    def startFactory(self) -> None:
        """Open the log file, if there is one; without one, nothing goes to Twisted's log."""
        if self.logPath is not None or self._is_theirs("startFactory"):
            super().startFactory()
            if self.logPath is None and getattr(self, "logFile", None) is log.logfile:
                self.logFile = None

    def log(self, request: Any) -> None:
        """Write a request to the log file, if there is one, and emit it as an access event, if somebody listens.

        A refused upgrade is always worth an event.
        """
        if self._logs:
            super().log(request)
        if request.code == SWITCHING or getattr(request, "switched", False):
            return  # has an event of its own
        outcome = getattr(request, "upgrade_outcome", None)
        refused = isinstance(outcome, Refuse) and outcome.reason is not Reason.NO_UPGRADE
        if refused or access_events.wants_requests:
            if getattr(request, "site", None) is None:
                request.site = self  # a requestFactory may make requests that know no site
            emit_request(request, outcome)

    def _find_client(self, connection: Connection, fields: Fields) -> Client:
        return find_client(connection, fields, self.trusted)


class UpgradeSite(UpgradeSiteMixin):
    """A site with our HTTP/1.1 and HTTP/2: strict, bounded, and with a way out to other protocols.

    It takes what ``Site`` takes, and serves the same resources with any ``requestFactory``. It speaks HTTP/1.1,
    HTTP/1.0 and HTTP/2: over TLS by agreement, without TLS to clients that begin with it. Unlike ``Site`` it writes
    requests to Twisted's log only if ``logPath`` is given, and then to that file; for all else there are access events.

    Its methods are those of ``UpgradeSiteMixin``.
    """

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ARG002 - Twisted's signature
        """Make the channel of a new connection; at once, and not through three classes of twisted.web."""
        channel = self.protocol()
        channel.factory = channel.site = self
        channel.requestFactory = self.requestFactory
        channel.timeOut = self.timeOut
        return channel

    @staticmethod
    def getContentFile(length: int | None) -> IO[bytes]:
        """Return where the content of a request goes (called by Request): memory, or a file beyond 100,000 bytes.

        A subclass may have another one.

        Args:
            length: Bytes of content, or None if that is not known.
        """
        return BytesIO() if length is not None and length < _MAX_IN_MEMORY else TemporaryFile()


def _parse_hosts(hosts: Iterable[str]) -> frozenset[bytes]:
    if isinstance(hosts, str):
        raise ValueError(f"allowed_hosts must be a list, not one text: write [{hosts!r}]")  # noqa: TRY004 - one kind
    names = set()
    for host in hosts:
        found = split_authority(host.encode("ascii", "replace"))
        if found is None:
            raise ValueError(f"{host!r} is no host: write a name such as 'example.com', or an address")
        names.add(found[0])
    return frozenset(names)
