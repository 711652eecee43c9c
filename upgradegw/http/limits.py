"""What a connection may cost: every bound of the HTTP/1.1 channel, with the precedent for its value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one listening site.

    Attributes:
        head_timeout: Seconds for a whole request head, from its first byte, and for a TLS handshake. Absolute, so that
            a byte now and then does not prolong it (HAProxy's ``timeout http-request``, advised 10 s).
        max_head: Bytes of request line and fields together (HAProxy's ``bufsize``, twisted.web: 16 KiB).
        max_fields: Field lines of a request (Envoy 100, HAProxy 101).
        max_target: Bytes of the request target (nginx's ``large_client_header_buffers``: 8 KiB).
        max_content: Bytes of a request's content, or None (nginx's ``client_max_body_size``: 1 MiB).
        content_timeout: Seconds between two pieces of content, or None (nginx's ``client_body_timeout``: 60 s).
        write_timeout: Seconds in which the client must take something of what waits for it (nginx's
            ``send_timeout``: 60 s).
        max_connections: Connections at a time, or None (Envoy's edge guide: 10,000 a listener).
        max_connections_per_client: The same for one client address, or None. None by default because behind a proxy
            that is not named in ``trusted_proxies`` all clients have one address (nginx's ``limit_conn``, off).
        max_leading_data: Bytes kept behind a request that is being answered; then reading stops. They are the next
            requests, or what a client sends to the protocol that it expects behind the switch.
    """

    head_timeout: float = 10.0
    max_head: int = 16 * 1024
    max_fields: int = 100
    max_target: int = 8 * 1024
    max_content: int | None = 1024 * 1024
    content_timeout: float | None = 60.0
    write_timeout: float = 60.0
    max_connections: int | None = 10_000
    max_connections_per_client: int | None = None
    max_leading_data: int = 128 * 1024
