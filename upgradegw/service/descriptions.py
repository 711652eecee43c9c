r"""Endpoint descriptions such as ``tcp:8080:interface=127.0.0.1``, read without a reactor.

The grammar is that of ``twisted.internet.endpoints.serverFromString``: parts divided by colons, ``name=value`` for
named parts, and a backslash in front of a colon, an equals sign or a backslash that is meant literally. Kinds that are
not known here are left to Twisted and its plugins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from twisted.python.usage import UsageError

#: A backslash and what it protects, a divider, or plain text.
_PIECES = re.compile(r"\\(?P<literal>.)|(?P<divider>[:=])|(?P<text>[^\\:=]+)", re.DOTALL)

#: Connections that wait to be accepted; Twisted has 50, nginx and Node.js 511.
DEFAULT_BACKLOG = 511


#: What ``ssl:`` has by position, as far as we know it.
_CERTIFIED = ("port", "privateKey", "certKey")


@dataclass(frozen=True, slots=True)
class Tcp:
    """A TCP port.

    Attributes:
        port: 0 lets the system choose.
        interface: The address to listen on; empty for all.
        ipv6: Whether an empty interface means IPv6.
        backlog: Connections that wait to be accepted.
    """

    port: int
    interface: str = ""
    ipv6: bool = False
    backlog: int = DEFAULT_BACKLOG


@dataclass(frozen=True, slots=True)
class Unix:
    """A UNIX socket.

    Attributes:
        path: Where it appears in the file system.
        mode: Its permissions; Twisted's default lets everybody connect.
        backlog: Connections that wait to be accepted.
        lockfile: Whether a file ``PATH.lock`` keeps a second server away.
    """

    path: str
    mode: int = 0o666
    backlog: int = DEFAULT_BACKLOG
    lockfile: bool = True


@dataclass(frozen=True, slots=True)
class Inherited:
    """A socket that systemd has opened.

    Attributes:
        domain: ``INET``, ``INET6`` or ``UNIX``; empty if nothing was said.
        index: Its place among the sockets passed on.
        name: Its name (``FileDescriptorName=``), which counts instead of the index; None if nothing was said.
    """

    domain: str = ""
    index: int = 0
    name: str | None = None

    @property
    def text(self) -> str:
        """The description, shortened to what finds the socket."""
        return f"systemd:index={self.index}" if self.name is None else f"systemd:name={self.name}"


@dataclass(frozen=True, slots=True)
class Other:
    """An endpoint that only Twisted or one of its plugins understands."""

    text: str


@dataclass(frozen=True, slots=True)
class Description:
    """An endpoint.

    Attributes:
        place: Where to listen.
        haproxy: Whether connections begin with a PROXY protocol header.
    """

    place: Tcp | Unix | Inherited | Other
    haproxy: bool = False

    @property
    def has_tls(self) -> bool:
        """Whether the endpoint brings TLS of its own."""
        return isinstance(self.place, Other) and self.place.text.removeprefix("haproxy:").startswith("ssl:")


def parse(text: str) -> Description:
    """Read an endpoint description.

    Raises:
        UsageError: It is malformed.
    """
    parts, named = _split(text)
    haproxy = parts[0] == "haproxy" and len(parts) > 1
    if haproxy:
        parts = parts[1:]
    kind, *rest = parts
    if kind in ("tcp", "tcp6"):
        return Description(_tcp(rest, named, kind == "tcp6"), haproxy)
    if kind == "unix":
        return Description(_unix(rest, named), haproxy)
    if kind == "systemd":
        return Description(_inherited(rest, named), haproxy)
    if kind.isdecimal():
        raise UsageError(f"write tcp:{kind} for a TCP port")
    if len(rest) == 1 and rest[0].isdecimal() and not named and ("." in kind or kind in ("", "*", "localhost")):
        interface = f":interface={kind}" if kind.strip("*") else ""
        raise UsageError(f"write tcp:{rest[0]}{interface} for a TCP port")
    return Description(Other(text), haproxy)


@dataclass(frozen=True, slots=True)
class Certified:
    """What an ``ssl:`` endpoint is to us.

    Attributes:
        endpoint: The same place without TLS.
        cert: The certificate's file, PEM.
        key: The private key's.
    """

    endpoint: str
    cert: str
    key: str


def certified(text: str) -> Certified | None:
    """Read an ``ssl:`` description, also below ``haproxy:``.

    Returns:
        None for other kinds, and where ``sslmethod``, ``extraCertChain`` or ``dhParameters`` say more than we know.

    Raises:
        UsageError: It is malformed.
    """
    parts, named = _split(text)
    below = "haproxy:" if parts[0] == "haproxy" and len(parts) > 1 else ""
    kind, *rest = parts[1:] if below else parts
    if kind != "ssl" or len(rest) > len(_CERTIFIED) or not {*named} <= {*_CERTIFIED, "interface", "backlog"}:
        return None
    values = _values((*_CERTIFIED, "interface", "backlog"), rest, named)
    if "port" not in values:
        return None
    key = values.get("privateKey", "server.pem")
    place = {name: values[name] for name in ("port", "interface", "backlog") if name in values}
    endpoint = ":".join(["tcp", *(f"{name}={_escaped(value)}" for name, value in place.items())])
    return Certified(below + endpoint, values.get("certKey", key), key)


def _escaped(value: str) -> str:
    return re.sub(r"([\\:=])", r"\\\1", value)


def _split(text: str) -> tuple[list[str], dict[str, str]]:
    parts: list[list[str]] = [[""]]
    for piece in _PIECES.finditer(text):
        if piece["divider"] == ":":
            parts.append([""])
        elif piece["divider"] == "=" and len(parts[-1]) == 1:
            parts[-1].append("")
        else:
            parts[-1][-1] += piece["literal"] or piece["text"] or "="
    return [part[0] for part in parts if len(part) == 1], {part[0]: part[1] for part in parts if len(part) > 1}


def _tcp(parts: list[str], named: dict[str, str], ipv6: bool) -> Tcp:
    values = _values(("port", "interface", "backlog"), parts, named)
    if "port" not in values:
        raise UsageError("a port number is missing, as in tcp:8080")
    interface = values.get("interface", "").strip("[]")
    port = _number("port", values["port"], 0, 65535)
    return Tcp(port, interface, ipv6 or ":" in interface, _backlog(values))


def _unix(parts: list[str], named: dict[str, str]) -> Unix:
    values = _values(("address", "mode", "backlog", "lockfile"), parts, named)
    if not values.get("address"):
        raise UsageError("a path is missing, as in unix:/run/upgradegw.sock")
    mode = values.get("mode", "666")
    if not re.fullmatch(r"0?[0-7]{3}", mode):
        raise UsageError(f"mode={mode} is no octal file mode, as in mode=660")
    lockfile = _number("lockfile", values.get("lockfile", "1"), 0, 1)
    return Unix(values["address"], int(mode, 8), _backlog(values), bool(lockfile))


def _inherited(parts: list[str], named: dict[str, str]) -> Inherited:
    values = _values(("domain", "index", "name"), parts, named)
    domain = values.get("domain", "")
    if domain not in {"", "INET", "INET6", "UNIX"}:
        raise UsageError(f"domain={domain} is none of INET, INET6 and UNIX")
    if ("index" in values) == ("name" in values):
        raise UsageError("write either index= or name=, as in systemd:domain=INET:index=0")
    return Inherited(domain, _number("index", values.get("index", "0"), 0, 1023), values.get("name"))


def _backlog(values: dict[str, str]) -> int:
    return _number("backlog", values.get("backlog", str(DEFAULT_BACKLOG)), 1, 1 << 20)


def _values(names: tuple[str, ...], parts: list[str], named: dict[str, str]) -> dict[str, str]:
    unknown = [name for name in named if name not in names]
    if unknown:
        raise UsageError(f"{unknown[0]}= is not known here; there are {', '.join(name + '=' for name in names)}")
    if len(parts) > len(names):
        raise UsageError(f"{parts[-1]!r} is one part too many")
    positional = dict(zip(names, parts, strict=False))
    twice = [name for name in positional if name in named]
    if twice:
        raise UsageError(f"{twice[0]} is there twice")
    return positional | named


def _number(name: str, text: str, lowest: int, highest: int) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or not lowest <= int(text) <= highest:
        raise UsageError(f"{text!r} is no {name}: write a number from {lowest} to {highest}")
    return int(text)
