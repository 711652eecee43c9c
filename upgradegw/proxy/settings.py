"""What an upstream may cost: times, sizes, connections, and how TLS is spoken to it."""

from __future__ import annotations

from dataclasses import dataclass

#: Times that may be None, for no limit.
_OPTIONAL_TIMES = ("response_timeout", "read_timeout")
_TIMES = ("connect_timeout", "idle_timeout")


@dataclass(frozen=True, slots=True)
class UpstreamSettings:
    """Bounds and ways of one upstream; times are exact to about a second.

    Attributes:
        connect_timeout: Seconds for a connection, from the name's lookup to the end of TLS's handshake (nginx's
            ``proxy_connect_timeout`` has 60 s; a server that is there answers within one).
        response_timeout: Seconds from the request's last byte, or the last piece of content that the upstream took, to
            the end of the response's head (nginx's ``proxy_read_timeout``: 60 s); None for no limit.
        read_timeout: Seconds between two pieces of a response's content, while somebody reads it; None for no limit.
        max_head: Bytes of a response's head.
        max_interim: Responses 1xx before the final one.
        max_idle: Idle connections that are kept for later requests; 0 closes each behind its response.
        idle_timeout: Seconds for which an idle connection is kept. Shorter where the upstream says so (Keep-Alive).
        http_version: 1, or 2 for HTTP/2.
        ca: A PEM file with the certificates of authorities to be trusted instead of the system's.
        verify: Whether the upstream's certificate is checked.
        server_name: The name that is sent (SNI) and checked in place of the address's host.
        cert: A PEM file with the certificate, and those between it and its authority, that is shown to the upstream.
        key: A PEM file with its key; None if it is in the same file.
    """

    connect_timeout: float = 5.0
    response_timeout: float | None = 60.0
    read_timeout: float | None = 60.0
    max_head: int = 16 * 1024
    max_interim: int = 10
    max_idle: int = 32
    idle_timeout: float = 60.0
    http_version: int = 1
    ca: str | None = None
    verify: bool = True
    server_name: str | None = None
    cert: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: One of them makes no sense; the text names it.
        """
        for name in (*_TIMES, *_OPTIONAL_TIMES):
            value = getattr(self, name)
            if value is None and name in _OPTIONAL_TIMES:
                continue
            if not _is_number(value, (int, float)) or not 0 < value < float("inf"):
                or_none = ", or None for no limit" if name in _OPTIONAL_TIMES else ""
                raise ValueError(f"{name}={value!r} must be a number of seconds above 0{or_none}")
        for name, least in (("max_head", 1), ("max_interim", 0), ("max_idle", 0)):
            value = getattr(self, name)
            if not _is_number(value, int) or value < least:
                raise ValueError(f"{name}={value!r} must be a whole number, {least} or more")
        if self.http_version not in {1, 2}:
            raise ValueError(f"http_version={self.http_version!r} must be 1 or 2")
        if self.key is not None and self.cert is None:
            raise ValueError("key= is of no use without cert=")
        if self.ca is not None and not self.verify:
            raise ValueError("ca= is of no use with verify=False")


def _is_number(value: object, kinds: type | tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and not isinstance(value, bool)
