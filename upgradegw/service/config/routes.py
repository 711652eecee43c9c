"""The tables of ``[[route]]``: what is served at a path, to whom, and within which bounds."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from upgradegw.service.config.plain import Otherwise
from upgradegw.service.config.upstreams import Proxied
from upgradegw.service.config.words import AtLeastOne, Count, File, NoLimit, Reference, Some, Table, Text, Texts

#: In the place of ``MODULE:ATTRIBUTE``: the upgrade that an installed package brings for the token.
INSTALLED = "installed"

#: Keys that become arguments of ``limit``, and of ``websocket``.
ROUTE_LIMITS = ("max_content", "content_timeout", "write_timeout")
WEBSOCKET = (
    "origins", "max_message_size", "max_frame_size", "max_fragments", "ping_interval", "ping_timeout", "close_timeout",
    "message_timeout", "control_frames_per_second", "max_unsent", "write_timeout", "compression", "subprotocols",
)  # fmt: skip

#: Those of them that are of no use without ``websocket``.
FOR_WEBSOCKET = tuple(name for name in WEBSOCKET if name not in ("origins", "write_timeout"))

_AtLeastOneSecond = Annotated[float, Meta(ge=1)]


class ForwardAuth(Table, frozen=True, kw_only=True):
    """Another server that says who may pass."""

    url: Annotated[Text, Meta(description="Asked with GET and the client's fields; as `proxy` has it.")]
    fields: Annotated[
        Texts, Meta(description="Fields of its 2xx response that go on with the request, such as `X-Remote-User`.")
    ] = ()


class BasicAuth(Table, frozen=True, kw_only=True):
    """Names and passwords (RFC 7617); use it over TLS only. Exactly one of `file` and `users`."""

    file: Annotated[
        File | None,
        Meta(
            description="File with a line `name:hash` for each user; `python -m upgradegw.web.passwords` makes a hash."
        ),
    ] = None
    users: Annotated[dict[Text, Text] | None, Meta(description='Hashes by name: `{ ann = "${ANN_HASH}" }`.')] = None
    realm: Annotated[Text, Meta(description="What a browser shows to the person whom it asks.")] = "upgradegw"


class Guarded(Proxied, frozen=True, kw_only=True):
    """A route with who may use it."""

    origins: Annotated[
        Texts | None,
        Meta(
            description='Origins whose pages may open WebSockets: `"https://app.example"`; `"null"`, `"*"`.'
            " Without it: those that the factory allows, or the same origin; with `proxy` it is the upstream's to say."
        ),
    ] = None
    authorize: Annotated[
        Reference | None,
        Meta(description="Asked for each request or upgrade: a callable as `UpgradeResource(authorize=…)` takes it."),
    ] = None
    forward_auth: Annotated[
        Text | ForwardAuth | None,
        Meta(
            description="A URL that is asked for each request: 2xx lets it pass, any other response is the client's."
            " Or a table with `url` and `fields`. As in Traefik and Caddy."
        ),
    ] = None
    basic_auth: Annotated[BasicAuth | None, Meta(description="Names and passwords: `{ file }` or `{ users }`.")] = None
    allow: Annotated[
        Texts | None,
        Meta(description='Networks or addresses of clients, or `"unix"`; others get 403. Without it: all may.'),
    ] = None


class Bounded(Guarded, frozen=True, kw_only=True):
    """The limits of a route: without one, that of `[limits]` holds, or of the WebSocket factory."""

    max_content: Annotated[
        Count | NoLimit | None, Meta(description="Bytes of a request's content; beyond it 413. Without it: `[limits]`.")
    ] = None
    content_timeout: Annotated[
        Some | NoLimit | None, Meta(description="Seconds between two pieces of content. Without it: `[limits]`.")
    ] = None
    write_timeout: Annotated[
        Some | None,
        Meta(
            description="Seconds in which a client must take something of a response, or of what a WebSocket has"
            " unsent. Without it: `[limits]`, and 60 for WebSockets."
        ),
    ] = None
    max_connections: Annotated[
        AtLeastOne | NoLimit | None,
        Meta(description="Upgraded connections of the route at a time; beyond it 503. Without it: no limit."),
    ] = None
    max_connections_per_client: Annotated[
        AtLeastOne | NoLimit | None, Meta(description="The same for one client address. Without it: no limit.")
    ] = None
    max_message_size: Annotated[
        Count | NoLimit | None,
        Meta(description="Bytes of a WebSocket message received, inflated; beyond it Close 1009. Without it: 1 MiB."),
    ] = None
    max_frame_size: Annotated[
        Count | NoLimit | None,
        Meta(description="Bytes of a frame received. Without it: 1 MiB, or `max_message_size` if that is larger."),
    ] = None
    max_fragments: Annotated[
        AtLeastOne | NoLimit | None,
        Meta(description="Frames of a message received; beyond it Close 1008. Without it: 1,024."),
    ] = None
    ping_interval: Annotated[
        _AtLeastOneSecond | NoLimit | None, Meta(description="Seconds between pings of a WebSocket. Without it: 20.")
    ] = None
    ping_timeout: Annotated[
        _AtLeastOneSecond | NoLimit | None,
        Meta(description="Seconds in which a ping must be answered, or data must arrive. Without it: 20."),
    ] = None
    close_timeout: Annotated[
        _AtLeastOneSecond | NoLimit | None, Meta(description="Seconds for the closing handshake. Without it: 5.")
    ] = None
    message_timeout: Annotated[
        Some | NoLimit | None,
        Meta(description="Seconds from a message's first byte to its last; beyond it Close 1008. Without it: 60."),
    ] = None
    control_frames_per_second: Annotated[
        AtLeastOne | NoLimit | None,
        Meta(description="Pings, pongs and closes received a second; beyond it Close 1008. Without it: 100."),
    ] = None
    max_unsent: Annotated[
        AtLeastOne | NoLimit | None,
        Meta(description="Bytes kept for a client that does not read, or it is let go. Without it: 16 MiB."),
    ] = None
    compression: Annotated[
        bool | None,
        Meta(description="permessage-deflate: accepted with small windows, or never. Without it: as the factory says."),
    ] = None
    subprotocols: Annotated[
        Texts | None,
        Meta(description="WebSocket subprotocols, of which the client's first is chosen if the factory chooses none."),
    ] = None


class Route(Bounded, frozen=True, kw_only=True):
    """One path, with all that is below it: the longest path wins, by whole segments, and a host wins over none.

    It has `websocket` or `upgrade`, or both, and what `otherwise` says; or one of `proxy`, `static`, `wsgi`,
    `resource`, `redirect`, `respond`.
    """

    path: Annotated[str, Meta(pattern="^/", description="The path, without escapes: `/chat`.")]
    exact: Annotated[bool, Meta(description="This path alone, and nothing below it.")] = False
    host: Annotated[
        Text | Texts | None,
        Meta(description='Only for this host, or these: `"a.example"`, `"*.example"`. Without it: for all others.'),
    ] = None
    websocket: Annotated[
        Reference | None,
        Meta(
            description="A WebSocket factory, as `MODULE:ATTRIBUTE`: Autobahn's `WebSocketServerFactory` or"
            " `WebSocketServerProtocol` class, one for `twisted.web.websocket`, or what `websocket(…)` returned."
        ),
    ] = None
    upgrade: Annotated[
        dict[Text, Text],
        Meta(
            description='Protocol factories by upgrade token: `{ "echo" = "myapp:EchoFactory" }`; `"installed"` for'
            " the one that an installed package brings."
        ),
    ] = field(default_factory=dict)
    otherwise: Annotated[
        Otherwise | None,
        Meta(
            description="What requests get that do not switch: a table with one of `static`, `wsgi`, `resource`,"
            " `proxy`, `redirect`, `respond`. Without it: 426."
        ),
    ] = None
    headers: Annotated[
        dict[Text, str],
        Meta(
            description="Fields of every response of the route, in the place of its own:"
            ' `{ "X-Frame-Options" = "DENY" }`.'
        ),
    ] = field(default_factory=dict)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts; empty for all."""
        return () if self.host is None else (self.host,) if isinstance(self.host, str) else self.host
