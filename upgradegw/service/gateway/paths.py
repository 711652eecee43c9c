"""Where a route stands: the segments of its path, and the patterns of its hosts."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.python.usage import UsageError

from upgradegw.negotiation.authority import split_authority

#: A path as the segments between its slashes, without escapes; ``/`` is the empty tuple.
Segments = tuple[bytes, ...]

#: In the place of a host: any.
ANY = b""


def parse_path(path: str) -> Segments:
    """Split a route's path; a slash at its end makes no difference.

    Raises:
        UsageError: It is no absolute path, or holds something that no route can match.
    """
    if not path.startswith("/"):
        raise UsageError(f"the path {path!r} must begin with a slash")
    segments = path.strip("/").split("/") if path.strip("/") else []
    if "" in segments or "." in segments or ".." in segments:
        raise UsageError(f"the path {path!r} must not hold empty segments, '.' or '..'")
    if any(character in path for character in "?#%"):
        raise UsageError(f"the path {path!r} must be written without '?', '#' and percent escapes")
    return tuple(segment.encode() for segment in segments)


def exact_segments(path: str) -> Segments:
    """Split the path of an exact route, of which a slash at the end is a part.

    Returns:
        What a request for that path has in its ``postpath``: an empty last segment stands for the slash.

    Raises:
        UsageError: As ``parse_path``.
    """
    segments = parse_path(path)
    return (*segments, b"") if path.endswith("/") else segments


def as_others_read(segments: list[bytes]) -> list[bytes]:
    """Return a path as servers read it that merge slashes, take ``%2F`` or a backslash for one, or cut parameters off.

    Args:
        segments: The path, without escapes.
    """
    parts = b"/".join(segments).replace(b"\\", b"/").split(b"/")
    names = [part.partition(b";")[0] for part in parts]
    return [*filter(None, names), *([] if names[-1] else [b""])]


def parse_host(host: str) -> bytes:
    """Read the host of a route: a name or an address, or ``*.`` and a name for all names below that one.

    Returns:
        The pattern in lower case.

    Raises:
        UsageError: It is neither, or has a port.
    """
    wildcard = host.startswith("*.")
    try:
        found = split_authority((host[2:] if wildcard else host).encode("ascii"))
    except UnicodeEncodeError:
        raise UsageError(f"the host {host!r} must be written in ASCII, as punycode: {_punycode(host)}") from None
    if found is None:
        raise UsageError(f"{host!r} is no host: write a name such as 'a.example', an address, or '*.a.example'")
    name, port = found
    if port is not None:
        raise UsageError(f"the host {host!r} must be written without a port")
    return b"*." * wildcard + without_last_dot(name)


def _punycode(host: str) -> str:
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return "xn--…"


def without_last_dot(name: bytes) -> bytes:
    """Return a name as its owner writes it: with and without a dot at its end it is the same in DNS (RFC 1034 3.1)."""
    return name[:-1] if name.endswith(b".") else name


def host_patterns(authority: bytes | None) -> Iterator[bytes]:
    """Yield the patterns that fit a host, the one that says most first and ``ANY`` last.

    Args:
        authority: The authority that the client used; None if it is not known.
    """
    found = None if authority is None else split_authority(authority)
    if found is not None:
        name = without_last_dot(found[0])
        yield name
        _, dot, rest = name.partition(b".")
        while dot and not name.startswith(b"["):
            yield b"*." + rest
            _, dot, rest = rest.partition(b".")
    yield ANY
