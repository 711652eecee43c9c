"""What ``upgradegw probe`` is asked on the command line, checked before anything is connected."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import quote, urlsplit

from upgradegw.client.request import as_bytes, checked_host, checked_method, checked_request_fields, checked_target
from upgradegw.negotiation.extensions import parse_extensions
from upgradegw.negotiation.fields import get_all, is_token, members
from upgradegw.negotiation.model import Fields, UpgradeProtocol
from upgradegw.probe.websocket import EXTENSIONS
from upgradegw.protocols.stream import parse_token

#: Seconds for everything from connecting to the close.
DEFAULT_TIMEOUT = 10.0

_SCHEMES = {"http": False, "ws": False, "https": True, "wss": True}
_MAX_TIMEOUT = 86400.0

#: What stays as it is in a path and a query, beside letters and digits (RFC 3986 section 3.4, and what is encoded).
_PASSED = "/%:@!$&'()*+,;=-._~?[]"

_DESCRIPTION = (
    "Ask a server to switch protocols, show the handshake as it went over the wire, and say in words what is wrong with"
    " it. The exit status is 0 if the server switched, 1 if it did not, 2 if this command was called wrongly."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be probed.

    Attributes:
        secure: Whether over TLS.
        host: The name or address to connect to.
        port: The port.
        authority: What stands in Host.
        target: Path and query.
        token: The upgrade token.
        http2: Whether to ask with extended CONNECT.
        fields: More fields.
        origin: The Origin, or None.
        subprotocols: WebSocket subprotocols to offer.
        method: The method.
        content: The request's content, or None.
        unix_socket: Connect to this path instead.
        insecure: Whether any certificate will do.
        cacert: A file of authorities to trust instead of the system's.
        timeout: Seconds for everything.
    """

    secure: bool
    host: str
    port: int
    authority: bytes
    target: bytes
    token: UpgradeProtocol
    http2: bool
    fields: Fields
    origin: bytes | None
    subprotocols: tuple[bytes, ...]
    method: bytes
    content: bytes | None
    unix_socket: str | None
    insecure: bool
    cacert: str | None
    timeout: float

    @property
    def is_websocket(self) -> bool:
        """Whether WebSocket's own handshake belongs to it."""
        return self.token.name.lower() == b"websocket" and self.token.version is None

    @property
    def offered_subprotocols(self) -> tuple[bytes, ...]:
        """The subprotocols that the request names; a field that was given by hand counts."""
        given = get_all(self.fields, b"sec-websocket-protocol")
        return tuple(members(given)) if given else self.subprotocols

    @property
    def offered_extensions(self) -> frozenset[str]:
        """The names of the extensions in the request; a field that was given by hand counts."""
        given = get_all(self.fields, b"sec-websocket-extensions") or [EXTENSIONS]
        return frozenset(each.name for each in parse_extensions(given) or ())


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong."""

    def error(self, message: str) -> NoReturn:
        """End with exit status 2."""
        self.exit(2, f"{self.prog}: {message}; see --help\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser: its ``--help`` is what the reference is compared with."""
    made = _Parser(prog="upgradegw probe", description=_DESCRIPTION, allow_abbrev=False)
    add = made.add_argument
    add("url", metavar="URL", help="http, https, ws or wss; ws://localhost:8080/ws, for example")
    add("--token", default="websocket", metavar="TOKEN", help="the upgrade token to offer [default: websocket]")
    add("--http2", action="store_true", help="ask over HTTP/2 with extended CONNECT (RFC 8441)")
    add("--origin", metavar="ORIGIN", help="what a browser would send as Origin: https://app.example")
    add("--subprotocol", action="append", default=[], metavar="NAME", help="offer a subprotocol; can be repeated")
    add("--header", "-H", action="append", default=[], metavar="LINE", help="one more field, as 'Name: value'")
    add("--method", default="GET", metavar="METHOD", help="the method of the request [default: GET]")
    add("--data", metavar="TEXT", help="content of the request, for tokens that take some")
    add("--unix-socket", metavar="PATH", help="connect to a UNIX socket; the URL still says what to ask for")
    add("--insecure", "-k", action="store_true", help="do not check the certificate")
    add("--cacert", metavar="FILE", help="PEM file with the authorities to trust in place of the system's")
    add("--timeout", type=float, default=DEFAULT_TIMEOUT, metavar="SECONDS", help="for everything [default: 10]")
    return made


def read(arguments: list[str]) -> Wish:
    """Read the command line.

    Args:
        arguments: The words behind ``probe``.

    Raises:
        SystemExit: They are wrong (status 2), or ask for help.
    """
    made = parser()
    options = made.parse_args(arguments)
    try:
        return _wish(options)
    except ValueError as error:
        made.error(str(error))


def _wish(options: Any) -> Wish:
    secure, host, port, authority, target = _url(options.url)
    if not 0 < options.timeout <= _MAX_TIMEOUT:
        raise ValueError(f"--timeout {options.timeout:g}: write a number of seconds above zero, at most a day")
    token = parse_token(options.token)
    subprotocols = tuple(as_bytes(name) for name in options.subprotocol)
    if not all(map(is_token, subprotocols)):
        raise ValueError(f"--subprotocol {', '.join(options.subprotocol)}: this is no name of a subprotocol")
    if options.http2 and options.method != "GET":
        raise ValueError("--method: over HTTP/2 the method of a switch is CONNECT (RFC 8441)")
    if options.http2 and options.data is not None:
        raise ValueError("--data: over HTTP/2 a switch has no content (RFC 8441)")
    if subprotocols and token.name.lower() != b"websocket":
        raise ValueError(f"--subprotocol is WebSocket's, and {token} is to be asked for")
    fields = _fields(options.header)
    origin = None if options.origin is None else checked_request_fields([("Origin", options.origin)])[0][1]
    return Wish(
        secure=secure,
        host=host,
        port=port,
        authority=next((value for name, value in fields if name.lower() == b"host"), authority),
        target=target,
        token=token,
        http2=options.http2,
        fields=checked_request_fields(field for field in fields if field[0].lower() != b"host"),
        origin=origin,
        subprotocols=subprotocols,
        method=checked_method(options.method),
        content=None if options.data is None else options.data.encode(),
        unix_socket=options.unix_socket,
        insecure=options.insecure,
        cacert=options.cacert,
        timeout=options.timeout,
    )


def _url(url: str) -> tuple[bool, str, int, bytes, bytes]:
    """Split a URL; messages say what to write."""
    parts = urlsplit(url if "://" in url else f"//{url}", scheme="http")
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError(f"{url!r} is no URL of http, https, ws or wss")
    if "@" in parts.netloc:
        raise ValueError("leave the user out of the URL and send it with -H 'Authorization: …'")
    secure = _SCHEMES[parts.scheme]
    try:
        host = parts.hostname.encode("idna").decode("ascii") if ":" not in parts.hostname else parts.hostname
        port = parts.port
    except ValueError:
        raise ValueError(f"{url!r} names no host and port") from None
    usual = 443 if secure else 80
    bracketed = f"[{host}]" if ":" in host else host
    authority = checked_host(bracketed if port in (None, usual) else f"{bracketed}:{port}")
    target = quote(parts.path or "/", safe=_PASSED) + (f"?{quote(parts.query, safe=_PASSED)}" if parts.query else "")
    return secure, host, port if port is not None else usual, authority, checked_target(target)


def _fields(lines: list[str]) -> Fields:
    found = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"--header {line}: write 'Name: value'")
        found.append((as_bytes(name.strip()), value.strip().encode()))
    return tuple(found)
