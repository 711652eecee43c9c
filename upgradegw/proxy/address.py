"""Where an upstream is: a URL, or a UNIX socket, and the path that is put before every target."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: The ports that a scheme implies; h2c is HTTP/2 without TLS, which has the port of http (RFC 9113 section 3.2).
_PORTS = {"http": 80, "https": 443, "h2c": 80}
_MAX_PORT = 65535

_FORMS = "http://HOST[:PORT][/PREFIX], https://…, h2c://… or unix:/PATH/OF.SOCKET[:/PREFIX]"

# RFC 3986 section 3: a host is a name or an IPv6 literal, here with a zone if it needs one (RFC 4007); user
# information, a query and a fragment are caught apart, to be told from a typing error.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://(?P<user>[^/?#]*@)?"
    r"(?P<host>\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9._\-]+)?\]|[^/?#:\[\]@\s]+)(?P<port>:[^/?#]*)?(?P<rest>.*)",
    re.DOTALL,
)
_NAME = re.compile(r"[A-Za-z0-9._\-]+")
# path-absolute of RFC 3986 section 3.3, empty segments allowed: what may begin an origin-form target.
_PREFIX = re.compile(r"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*)*")
_UNIX = re.compile(r"unix:(?://)?(?P<path>/(?!/)[^\x00:]+)(?::(?P<prefix>.*))?", re.DOTALL)

#: What people write for a scheme, and what they mean.
_MEANT = {"ws": "http", "wss": "https", "http2": "h2c", "tcp": "http", "h2": "https"}


@dataclass(frozen=True, slots=True)
class UpstreamAddress:
    """An upstream's place.

    Attributes:
        scheme: ``"http"``, ``"https"`` or ``"h2c"``: HTTP/2 with prior knowledge, without TLS.
        host: A name or an IP address, without brackets; ``"localhost"`` for a UNIX socket.
        port: The port; without meaning for a UNIX socket.
        prefix: Put before every target: ``b""``, or a path without a slash at its end.
        unix: The path of a UNIX socket, or None.
    """

    scheme: str
    host: str
    port: int
    prefix: bytes = b""
    unix: str | None = None

    @classmethod
    def parse(cls, text: str) -> UpstreamAddress:
        """Read an address as it stands in a configuration.

        Args:
            text: ``http://app.example:8080``, ``https://[2001:db8::1]/prefix``, ``h2c://localhost:9000``,
                ``unix:/run/app.sock`` or ``unix:/run/app.sock:/prefix``; ``unix:///run/app.sock`` is the same socket.

        Raises:
            ValueError: It is none; the text says what to write.
        """
        if text[:5].lower() == "unix:":
            return cls._parse_unix("unix:" + text[5:])
        match = _URL.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no address of an upstream: write {_suggestion(text)}")
        scheme = match["scheme"].lower()
        if scheme not in _PORTS:
            meant = _MEANT.get(scheme)
            raise ValueError(f"{text!r}: write {meant + '://' if meant else _FORMS} instead of {scheme}://")
        if match["user"]:
            raise ValueError(f"the address of an upstream has no user or password: write {scheme}://{match['host']}…")
        prefix = _checked_prefix(text, match["rest"])
        return cls(scheme, _checked_host(text, match["host"]), _checked_port(text, scheme, match["port"]), prefix)

    @classmethod
    def _parse_unix(cls, text: str) -> UpstreamAddress:
        match = _UNIX.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} names no socket: write unix:/PATH/OF.SOCKET with the whole path")
        return cls("http", "localhost", _PORTS["http"], _checked_prefix(text, match["prefix"] or ""), match["path"])

    @property
    def authority(self) -> bytes:
        """Host and port as they stand in Host (RFC 9110 section 7.2); the scheme's own port is left out."""
        # RFC 4007 section 11: a zone is this machine's own affair.
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host
        return (host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}").encode("ascii")

    def target(self, target: bytes) -> bytes:
        """Put the prefix before a target.

        Args:
            target: In origin-form, or ``*``, which has no path.
        """
        return self.prefix + target if self.prefix and target != b"*" else target

    def __str__(self) -> str:
        """As it stands in a configuration."""
        prefix = self.prefix.decode("ascii")
        if self.unix is not None:
            return f"unix:{self.unix}:{prefix}" if prefix else f"unix:{self.unix}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{prefix}"


def _suggestion(text: str) -> str:
    """Guess what was meant by what has no scheme; without a guess say what there is."""
    plain = text.partition("/")[0]
    if re.fullmatch(r"[A-Za-z0-9.\-]+(?::[0-9]+)?", plain):
        return f"http://{text}"
    if text.startswith("/") and not text.startswith("//"):
        return f"unix:{text}"
    return _FORMS


def _checked_host(text: str, host: str) -> str:
    if host.startswith("["):
        return host[1:-1]
    if not host.isascii():
        try:
            host = f"its ASCII form, {host.encode('idna').decode('ascii')}"
        except UnicodeError:
            host = "its ASCII form"
        raise ValueError(f"{text!r}: write {host}")
    if _NAME.fullmatch(host) is None:
        raise ValueError(f"{text!r}: {host!r} is no name of a host")
    return host


def _checked_port(text: str, scheme: str, port: str | None) -> int:
    digits = (port or ":")[1:]
    if not digits and port is None:
        return _PORTS[scheme]
    if not re.fullmatch("[0-9]{1,5}", digits) or not 1 <= int(digits) <= _MAX_PORT:
        raise ValueError(f"{text!r}: the port must be a number from 1 to {_MAX_PORT}")
    return int(digits)


def _checked_prefix(text: str, prefix: str) -> bytes:
    for mark, name in (("?", "query"), ("#", "fragment")):
        if mark in prefix:
            raise ValueError(f"{text!r}: an upstream's address has no {name}; only a path may follow the host")
    if _PREFIX.fullmatch(prefix) is None:
        raise ValueError(f"{text!r}: {prefix!r} is no path; it begins with / and what is no letter is written as %XX")
    return prefix.rstrip("/").encode("ascii")
