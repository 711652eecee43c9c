"""The table ``[limits]``: every bound of the site, under the name that it has as an argument of ``UpgradeSite``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from upgradegw.service.config.words import AtLeastOne, Count, NoLimit, Some, Table


class Limits(Table, frozen=True, kw_only=True):
    """Bounds of every listener; those that a route can have, too, hold where the route says nothing."""

    timeout: Annotated[
        Some | NoLimit,
        Meta(description="Seconds that a connection may lie idle between two requests. As in twisted.web."),
    ] = 60.0
    head_timeout: Annotated[
        Some,
        Meta(description="Seconds for a whole request head and for a TLS handshake; then 408. As HAProxy advises."),
    ] = 10.0
    max_head: Annotated[
        AtLeastOne, Meta(description="Bytes of a request head; beyond it 431. HAProxy's `bufsize`.")
    ] = 16 * 1024
    max_fields: Annotated[AtLeastOne, Meta(description="Field lines of a request; beyond it 431. As in Envoy.")] = 100
    max_target: Annotated[AtLeastOne, Meta(description="Bytes of a request target; beyond it 414. As in nginx.")] = (
        8 * 1024
    )
    max_content: Annotated[
        Count | NoLimit,
        Meta(description="Bytes of a request's content; beyond it 413. nginx's `client_max_body_size`."),
    ] = 1024 * 1024
    content_timeout: Annotated[
        Some | NoLimit,
        Meta(description="Seconds between two pieces of content; then 408. nginx's `client_body_timeout`."),
    ] = 60.0
    write_timeout: Annotated[
        Some,
        Meta(
            description="Seconds in which a client must take something of its response, or the connection is aborted."
            " nginx's `send_timeout`."
        ),
    ] = 60.0
    max_connections: Annotated[
        AtLeastOne | NoLimit,
        Meta(description="Connections at a time, over all listeners; beyond it 503. As in Envoy's edge guide."),
    ] = 10_000
    max_connections_per_client: Annotated[
        AtLeastOne | NoLimit, Meta(description="The same for one client address. None by default, as in nginx.")
    ] = "none"
    max_leading_data: Annotated[
        AtLeastOne, Meta(description="Bytes kept behind a request that is being answered; then reading stops.")
    ] = 128 * 1024
    max_streams: Annotated[
        AtLeastOne,
        Meta(
            description="Requests at a time on an HTTP/2 connection; beyond it REFUSED_STREAM."
            " As in Envoy's edge guide and HAProxy."
        ),
    ] = 100
    stream_window: Annotated[
        int,
        Meta(
            description="Bytes that a client may send on an HTTP/2 stream ahead of what is read. Envoy's edge guide.",
            ge=65_535,
            le=2**31 - 1,
        ),
    ] = 64 * 1024
    connection_window: Annotated[
        int,
        Meta(description="The same for all streams of a connection. Envoy's edge guide.", ge=65_535, le=2**31 - 1),
    ] = 1024 * 1024
    max_continuations: Annotated[
        Count,
        Meta(
            description="CONTINUATION frames of a header block; beyond it, and beyond each of the following, the HTTP/2"
            " connection ends with ENHANCE_YOUR_CALM. As in nghttp2."
        ),
    ] = 8
    max_settings: Annotated[Count, Meta(description="Entries of a SETTINGS frame. As in nghttp2.")] = 32
    max_resets: Annotated[
        AtLeastOne, Meta(description="Streams that are reset, by either side, at once. As in nghttp2.")
    ] = 1000
    resets_per_second: Annotated[Some, Meta(description="How many more each second allows. As in nghttp2.")] = 33.0
    max_glitches: Annotated[AtLeastOne, Meta(description="Frames that mean nothing, at once. As in nghttp2.")] = 10_000
    glitches_per_second: Annotated[Some, Meta(description="How many more each second allows. As in nghttp2.")] = 330.0
    max_control_frames: Annotated[
        AtLeastOne, Meta(description="PING and SETTINGS at once. As Envoy has it for frames of control.")
    ] = 1000
    control_frames_per_second: Annotated[
        Some, Meta(description="How many more each second allows. As for a WebSocket.")
    ] = 100.0
    max_queued_acks: Annotated[
        AtLeastOne, Meta(description="Acknowledgements that wait to be read. As in nghttp2.")
    ] = 1000
    max_empty_frames: Annotated[AtLeastOne, Meta(description="Frames without content in a row. Envoy allows one.")] = 10
    preface_timeout: Annotated[Some, Meta(description="Seconds for HTTP/2's preface. As in Go.")] = 10.0
    settings_timeout: Annotated[Some, Meta(description="Seconds from there to the client's SETTINGS. Go has 2.")] = 5.0
