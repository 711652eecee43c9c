"""What a route says of its upstreams, beside their addresses; each key is of use only together with ``proxy``."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from upgradegw.service.config.plain import Plain
from upgradegw.service.config.words import AtLeastOne, Count, File, NoLimit, Some, Table, Text, Texts


class UpstreamTls(Table, frozen=True, kw_only=True):
    """TLS towards an upstream of `https://`."""

    ca: Annotated[
        File | None, Meta(description="PEM file: the authorities to trust. Without it: those of the system.")
    ] = None
    verify: Annotated[
        bool,
        Meta(description="Check the upstream's certificate. If not, whoever is in between can read and change all."),
    ] = True
    server_name: Annotated[
        Text | None,
        Meta(description="The name that is asked for and that the certificate must have. Without it: the URL's host."),
    ] = None
    cert: Annotated[
        File | None, Meta(description="PEM file: the certificate that is shown to the upstream, and its chain.")
    ] = None
    key: Annotated[File | None, Meta(description="PEM file: its private key, if it is not in the other file.")] = None


class Health(Table, frozen=True, kw_only=True):
    """When an upstream counts as down, and when as up again."""

    path: Annotated[
        Text | None,
        Meta(description="Ask for this path every `interval`; 2xx and 3xx are well. Without it nothing is asked."),
    ] = None
    interval: Annotated[Some, Meta(description="Seconds between two of these requests. As in HAProxy and Caddy.")] = (
        10.0
    )
    timeout: Annotated[Some, Meta(description="Seconds for its answer. As in Caddy.")] = 5.0
    failures: Annotated[
        AtLeastOne,
        Meta(
            description="Failures in a row, of requests or of these questions, after which an upstream is down."
            " As HAProxy's `fall`."
        ),
    ] = 3
    down_for: Annotated[
        Some,
        Meta(description="Seconds for which an upstream that is down gets no requests. nginx's `fail_timeout`."),
    ] = 10.0


class Proxied(Plain, frozen=True, kw_only=True):
    """What plain requests get, and how upstreams are asked."""

    upgrades: Annotated[
        Texts,
        Meta(
            description="The upgrade tokens that may be tunnelled, where the client offers them and the upstream"
            ' switches: `["tcp", "websocket"]`; `["*"]` for any but h2c and h2; `[]` for none.'
        ),
    ] = ("websocket",)
    strip_path: Annotated[bool, Meta(description="Take the route's path off the target before it goes upstream.")] = (
        False
    )
    proxy_host: Annotated[
        Text,
        Meta(
            description='The Host that the upstream sees: `"keep"`, the client\'s, as in Caddy and HAProxy;'
            ' `"upstream"`, that of the URL, as in nginx; or a name.'
        ),
    ] = "keep"
    forwarded: Annotated[
        Literal["x-forwarded", "forwarded", "both"],
        Meta(
            description="The fields in which the upstream is told of the client: `X-Forwarded-For`, `-Proto` and"
            " `-Host`, `Forwarded` (RFC 7239), or both."
        ),
    ] = "x-forwarded"
    upstream_http: Annotated[
        Literal[1, 2],
        Meta(description="The version of HTTP to an upstream of `https://`: 1 for HTTP/1.1, 2 for HTTP/2 by ALPN."),
    ] = 1
    upstream_tls: Annotated[UpstreamTls | None, Meta(description="TLS towards upstreams of `https://`.")] = None
    lenient: Annotated[
        tuple[Literal["no-connection-option", "websocket-without-key"], ...],
        Meta(
            description="What of an upstream's or a client's switch may violate RFC 9110 or 6455:"
            ' `"no-connection-option"`, there is no `Connection: upgrade` (IF-T/TLS); `"websocket-without-key"`, no'
            " `Sec-WebSocket-Key`, and so no `Sec-WebSocket-Accept`."
        ),
    ] = ()
    connect_timeout: Annotated[
        Some, Meta(description="Seconds for a connection to the upstream; then 504, or the next one is tried.")
    ] = 5.0
    response_timeout: Annotated[
        Some | NoLimit,
        Meta(description="Seconds for the head of the upstream's response; then 504. nginx's `proxy_read_timeout`."),
    ] = 60.0
    read_timeout: Annotated[
        Some | NoLimit,
        Meta(description="Seconds between two pieces of the upstream's response. nginx's `proxy_read_timeout`."),
    ] = 60.0
    max_response_head: Annotated[
        AtLeastOne, Meta(description="Bytes of the head of an upstream's response; beyond it 502.")
    ] = 16 * 1024
    max_interim: Annotated[Count, Meta(description="Interim (1xx) responses to one request; beyond it 502.")] = 10
    max_idle: Annotated[
        Count,
        Meta(description="Idle connections that are kept for an upstream's next requests. nginx's `keepalive`."),
    ] = 32
    idle_timeout: Annotated[
        Some, Meta(description="Seconds that such a connection is kept. nginx's `keepalive_timeout`.")
    ] = 60.0
    tunnel_idle_timeout: Annotated[
        Some | NoLimit,
        Meta(
            description="Seconds in which something must go through a tunnel, either way. HAProxy's `timeout tunnel`."
        ),
    ] = 3600.0
    balance: Annotated[
        Literal["round_robin", "least_connections"],
        Meta(description="How one of several upstreams is chosen: in turn, or the one with the fewest requests."),
    ] = "round_robin"
    health: Annotated[
        Health | None,
        Meta(description="When an upstream is down. Without it the defaults hold, where there are several."),
    ] = None
