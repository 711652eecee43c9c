"""A connection to the server, with what TLS agreed on, or in words why there is none.

Plain sockets and the standard library's ``ssl``: one connection is made, so nothing waits beside it, and ``ssl`` says
why a certificate was not believed.
"""

from __future__ import annotations

import os
import socket
import ssl
import time
from typing import Any

from upgradegw.probe.arguments import Wish
from upgradegw.probe.tls_facts import tls_facts
from upgradegw.probe.transcript import Transcript

#: Seconds for finding out whether a server that gave no answer speaks TLS.
_TLS_PATIENCE = 3.0


class ProbeFailed(Exception):  # noqa: N818 - it is the outcome, not an error
    """There is no answer to judge; the text says why, and what may help."""


class NoAnswer(ProbeFailed):
    """The server left without a word, as those do that were spoken to in the wrong protocol."""


class Deadline:
    """The time that is left."""

    def __init__(self, seconds: float) -> None:
        """Start now.

        Args:
            seconds: How long everything may take.
        """
        self.seconds = seconds
        self._start = time.monotonic()

    @property
    def left(self) -> float:
        """Seconds that are left; never zero, which to a socket means something else."""
        return max(self._start + self.seconds - time.monotonic(), 0.001)

    @property
    def over(self) -> bool:
        """Whether no time is left."""
        return time.monotonic() >= self._start + self.seconds

    @property
    def spent(self) -> str:
        """How long it has taken so far."""
        return f"{(time.monotonic() - self._start) * 1000:.0f} ms"


class Wire:
    """A connection; everything on it ends at the deadline."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        """Use a connected socket.

        Args:
            connected: The socket, with TLS on it if there is TLS.
            deadline: When to give up.
        """
        self._socket = connected
        self._deadline = deadline

    def send(self, data: bytes) -> None:
        """Send bytes.

        Raises:
            ProbeFailed: The server is gone, or does not read.
        """
        try:
            self._socket.settimeout(self._deadline.left)
            self._socket.sendall(data)
        except TimeoutError:
            raise ProbeFailed("the server does not read the request") from None
        except OSError:
            return  # what it said before it went is still to be read

    def receive(self, seconds: float | None = None) -> bytes:
        """Return the next bytes; none if the server has ended its side.

        Args:
            seconds: Wait no longer than that.

        Raises:
            TimeoutError: Nothing came in time.
            ProbeFailed: The connection broke.
        """
        if self._deadline.over:  # what never ceases to come would keep a socket from saying so
            raise TimeoutError
        try:
            left = self._deadline.left
            self._socket.settimeout(left if seconds is None else min(seconds, left))
            return self._socket.recv(65536)
        except TimeoutError:
            raise
        except ssl.SSLEOFError:
            return b""
        except ssl.SSLError as error:
            raise ProbeFailed(f"TLS failed behind the handshake: {_ssl_words(error)}") from None
        except ConnectionError:
            raise NoAnswer(
                "the server broke the connection off without an answer; it may expect the PROXY header of a proxy"
            ) from None

    def close(self) -> None:
        """Leave."""
        self._socket.close()


def connect(wish: Wish, transcript: Transcript, deadline: Deadline) -> Wire:
    """Connect, with TLS if the URL says so.

    Args:
        wish: Where to.
        transcript: Shows what was agreed on.
        deadline: When to give up.

    Raises:
        ProbeFailed: There is no connection.
    """
    raw = _connect_unix(wish.unix_socket, deadline) if wish.unix_socket else _connect_tcp(wish, deadline)
    transcript.note(f"connected to {_name(raw.getpeername())} from {_name(raw.getsockname())} after {deadline.spent}")
    if not wish.secure:
        return Wire(raw, deadline)
    try:
        secure = _start_tls(raw, wish, deadline)
    except BaseException:
        raw.close()
        raise
    for line in tls_facts(secure, checked=not wish.insecure):
        transcript.note(line)
    return Wire(secure, deadline)


def _connect_unix(path: str, deadline: Deadline) -> socket.socket:
    raw = socket.socket(socket.AF_UNIX)
    try:
        raw.settimeout(deadline.left)
        raw.connect(path)
    except OSError as error:
        raw.close()
        raise ProbeFailed(f"no connection to {path}: {_words(error)}") from None
    return raw


def _connect_tcp(wish: Wish, deadline: Deadline) -> socket.socket:
    where = f"{wish.host}:{wish.port}"
    try:
        return _connect_to_any(socket.getaddrinfo(wish.host, wish.port, type=socket.SOCK_STREAM), deadline)
    except socket.gaierror as error:
        raise ProbeFailed(f"there is no address for the name {wish.host} ({error.strerror})") from None
    except ConnectionRefusedError:
        raise ProbeFailed(f"{where} refused the connection: nobody listens there, or only on another address") from None
    except TimeoutError:
        raise ProbeFailed(
            f"no connection to {where} within {deadline.seconds:g} seconds: a firewall, or the wrong address"
        ) from None
    except OSError as error:
        raise ProbeFailed(f"no connection to {where}: {_words(error)}") from None


def _connect_to_any(addresses: list[tuple[Any, ...]], deadline: Deadline) -> socket.socket:
    """Connect to the first address that answers; each gets its share of the time, so that the last is asked, too."""
    failure: OSError = TimeoutError()
    for number, (*_, address) in enumerate(addresses):
        try:
            return socket.create_connection(address[:2], deadline.left / (len(addresses) - number))
        except OSError as error:
            failure = error
    raise failure


def _words(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _name(address: object) -> str:
    if isinstance(address, tuple):
        return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
    return str(address) or "a UNIX socket"


# --- TLS.


def _context(wish: Wish) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=wish.cacert)
    except (OSError, ssl.SSLError) as error:
        raise ProbeFailed(f"--cacert {wish.cacert}: {error.strerror or 'no PEM file'}") from None
    if wish.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.set_alpn_protocols(["h2"] if wish.http2 else ["http/1.1"])
    return context


def _start_tls(raw: socket.socket, wish: Wish, deadline: Deadline) -> ssl.SSLSocket:
    context = _context(wish)
    try:
        raw.settimeout(deadline.left)
        return context.wrap_socket(raw, server_hostname=wish.host)
    except ssl.SSLCertVerificationError as error:
        why = visible_reason(error.verify_message)
        raise ProbeFailed(
            f"the certificate is not to be trusted: {why}; --cacert FILE trusts one more, -k all"
        ) from None
    except TimeoutError:
        raise ProbeFailed("the server does not answer the TLS handshake: it may not speak TLS here (http://)") from None
    except ssl.SSLError as error:
        raise ProbeFailed(f"no TLS: {_ssl_words(error)}") from None
    except OSError:
        raise ProbeFailed("the server closed the connection during the TLS handshake") from None


def speaks_tls(wish: Wish, deadline: Deadline) -> bool:
    """Find out, on a second connection, whether a server that gave no answer wants TLS.

    Args:
        wish: Where to.
        deadline: When to give up; a few seconds are enough.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        raw = _connect_unix(wish.unix_socket, deadline) if wish.unix_socket else _connect_tcp(wish, deadline)
    except ProbeFailed:
        return False
    with raw:
        raw.settimeout(min(deadline.left, _TLS_PATIENCE))
        try:
            context.wrap_socket(raw, server_hostname=wish.host).close()
        except OSError:
            return False
    return True


def visible_reason(message: str) -> str:
    """Return OpenSSL's words without the full stop."""
    return message.rstrip(".")


def _ssl_words(error: ssl.SSLError) -> str:
    """Say in words what OpenSSL calls by names."""
    reason = error.reason or ""
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}:
        return "the server does not speak TLS here: use http:// or ws://"
    if "NO_APPLICATION_PROTOCOL" in reason:
        return "the server has no protocol in common with us (ALPN): it does not speak HTTP/2 here; try without --http2"
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return f"the server ended the handshake ({reason.lower()}): it may want a client certificate"
    if isinstance(error, ssl.SSLEOFError):
        return "the server closed the connection during the handshake"
    return reason.replace("_", " ").lower() or str(error)
