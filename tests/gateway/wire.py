"""A connection as bytes: what a client or a server of these tests says and hears, word for word.

Nothing here knows the gateway. What does not come in time is not there: the caller judges what it got.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from dataclasses import dataclass
from typing import Self

#: Seconds that a byte may take on one machine before it counts as not coming; a hanging server costs a row this much.
PATIENCE = 3.0


@dataclass(frozen=True)
class Head:
    """The head of a request or a response, as it came.

    Attributes:
        first: The request line or status line.
        fields: The field lines in order, values without white space around them.
    """

    first: str
    fields: tuple[tuple[str, str], ...] = ()

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.first.split()[1])

    @property
    def phrase(self) -> str:
        """The reason phrase."""
        return self.first.split(" ", 2)[2] if self.first.count(" ") > 1 else ""

    @property
    def method(self) -> str:
        """The method of a request."""
        return self.first.split()[0]

    @property
    def target(self) -> str:
        """The target of a request."""
        return self.first.split()[1]

    def all(self, name: str) -> list[str]:
        """Return the values of the lines of one name."""
        return [value for each, value in self.fields if each.lower() == name.lower()]

    def list(self, name: str) -> list[str]:
        """Return the members of a list that may stand on several lines, in lower case."""
        members = ",".join(self.all(name)).split(",")
        return [member.strip().lower() for member in members if member.strip()]

    def upgrades(self, token: str = "") -> bool:
        """Tell whether it speaks of an upgrade as RFC 9110 section 7.8 has it: to this token, or to any."""
        tokens = self.list("upgrade")
        return "upgrade" in self.list("connection") and (token.lower() in tokens if token else bool(tokens))


def parse(text: bytes) -> Head:
    """Read a head, without its empty line."""
    first, *lines = text.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines if line)
    return Head(first, tuple((name, value.strip()) for name, _, value in pairs))


class Wire:
    """One end of a connection.

    Attributes:
        reset: Whether the other end has reset the connection.
    """

    def __init__(self, connected: socket.socket, patience: float = PATIENCE) -> None:
        self._socket = connected
        self._patience = patience
        self._received = b""
        self._ended = False
        self.reset = False
        if connected.family != socket.AF_UNIX:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @classmethod
    def to(cls, port: int, patience: float = PATIENCE) -> Wire:
        """Connect to a port of 127.0.0.1."""
        return cls(socket.create_connection(("127.0.0.1", port), patience), patience)

    def over_tls(self, context: ssl.SSLContext, name: str) -> Wire:
        """Return the same connection with TLS on it, as a client."""
        return Wire(context.wrap_socket(self._socket, server_hostname=name), self._patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_why: object) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send bytes; nobody need be there to hear them."""
        with contextlib.suppress(OSError):
            self._socket.sendall(data)

    def end(self) -> None:
        """Send FIN, and go on reading."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def abort(self) -> None:
        """Send RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        """Close both directions."""
        self._socket.close()

    def _more(self, deadline: float) -> bool:
        """Read once; False if there is nothing more, or not in time."""
        left = deadline - time.monotonic()
        if self._ended or left <= 0:
            return False
        self._socket.settimeout(left)
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            return False
        except OSError:
            self.reset = self._ended = True
            return False
        finally:
            with contextlib.suppress(OSError):
                self._socket.settimeout(self._patience)
        self._received += data
        self._ended = not data
        return bool(data)

    def _deadline(self, patience: float | None = None) -> float:
        return time.monotonic() + (patience or self._patience)

    def take(self, count: int) -> bytes:
        """Return the next bytes, or the fewer that came."""
        deadline = self._deadline()
        while len(self._received) < count and self._more(deadline):
            pass
        data, self._received = self._received[:count], self._received[count:]
        return data

    def piece(self) -> bytes:
        """Return what is there, or the next that comes, however little it is."""
        if not self._received:
            self._more(self._deadline())
        data, self._received = self._received, b""
        return data

    def until(self, mark: bytes, patience: float | None = None) -> bytes | None:
        """Return what comes up to a mark, which is dropped; None if the mark does not come."""
        deadline = self._deadline(patience)
        while mark not in self._received:
            if not self._more(deadline):
                return None
        data, _, self._received = self._received.partition(mark)
        return data

    def head(self, patience: float | None = None) -> Head | None:
        """Return the next head, None if none comes."""
        text = self.until(b"\r\n\r\n", patience)
        return None if text is None else parse(text)

    def content(self, head: Head) -> bytes:
        """Return the content of a message: of the length given, in chunks, or up to the end."""
        if "chunked" in head.list("transfer-encoding"):
            return self._chunks()
        lengths = head.all("content-length")
        if lengths:
            return self.take(int(lengths[0]))
        return b"" if head.first.endswith(("HTTP/1.1", "HTTP/1.0")) else self.rest()

    def _chunks(self) -> bytes:
        content = b""
        while line := self.until(b"\r\n"):
            size = int(line.split(b";")[0], 16)
            if not size:
                self.until(b"\r\n")
                break
            content += self.take(size)
            self.take(2)
        return content

    def rest(self) -> bytes:
        """Return everything up to the other end's FIN, or as much as comes in time."""
        deadline = self._deadline()
        while self._more(deadline):
            pass
        data, self._received = self._received, b""
        return data

    @property
    def ended(self) -> bool:
        """Whether the other end's FIN has been read."""
        return self._ended
