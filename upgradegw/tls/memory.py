"""OpenSSL between two buffers in memory, with one call for each step and none that ends in an exception.

pyOpenSSL's ``Connection`` does the same in public, but makes room of 32 KiB for each read, and tells by an exception
that there is nothing more to read: for a short message that costs more than its encryption. So reads and writes go past
it to the library that it stands on, by way of room that all connections share; whatever is not a plain success goes
back to it, and raises what it raises.

This is the only file that names private attributes of pyOpenSSL. Where one of them is missing, ``Memory.of`` says so,
and everything goes Twisted's own way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cryptography.hazmat.bindings.openssl.binding import Binding
from OpenSSL import SSL

_lib: Any = Binding.lib
_ffi: Any = Binding.ffi

#: The most that a record holds (RFC 8446 section 5.1).
RECORD = 16 * 1024
#: Bytes that are put in, or encrypted, at once: a record, or one with what frames it. OpenSSL keeps the room that its
#: buffers once had, so this bounds what an idle connection costs; and what is worked on stays in the processor's cache.
PIECE = 2 * RECORD
#: More than a piece is when it is encrypted, and than is in one together with the begin of a record before it.
_ROOM = 64 * 1024
_room = _ffi.new("char[]", _ROOM)

_ssl_read, _ssl_write, _bio_write, _bio_read = _lib.SSL_read, _lib.SSL_write, _lib.BIO_write, _lib.BIO_read
_get_error, _WANT_READ = _lib.SSL_get_error, _lib.SSL_ERROR_WANT_READ
_pointer, _bytes = _ffi.from_buffer, _ffi.unpack


class Memory:
    """Reads and writes one connection, whose handshake is done.

    Attributes:
        error: Why there is nothing more to read: the peer has ended (``ZeroReturnError``), or what it sent is no TLS.
    """

    __slots__ = ("_fail", "_incoming", "_outgoing", "_ssl", "error")

    def __init__(self, ssl: Any, incoming: Any, outgoing: Any, fail: Callable[[Any, int], None]) -> None:
        """See ``of``."""
        self._ssl = ssl
        self._incoming = incoming
        self._outgoing = outgoing
        self._fail = fail
        self.error: SSL.Error | None = None

    @classmethod
    def of(cls, connection: SSL.Connection) -> Memory | None:
        """Return what reads and writes a connection that was made without a socket; it keeps the connection alive.

        Returns:
            None if this pyOpenSSL is another one than we know.
        """
        known: Any = connection
        try:
            return cls(known._ssl, known._into_ssl, known._from_ssl, known._raise_ssl_error)  # noqa: SLF001
        except AttributeError:
            return None

    def put(self, data: bytes) -> bytes:
        """Take what has come from the peer, and return the content of all records that are complete.

        Behind them may be an end, or what is no TLS: then there is an ``error``.

        Args:
            data: At most ``PIECE`` bytes, for the sake of the room; may be empty.
        """
        if data:
            _bio_write(self._incoming, data, len(data))
        ssl, whole = self._ssl, 0
        size = _ssl_read(ssl, _room, _ROOM)
        while size > 0:
            whole += size
            size = _ssl_read(ssl, _room + whole, _ROOM - whole)
        if _get_error(ssl, size) != _WANT_READ:
            try:
                self._fail(ssl, size)
            except SSL.Error as error:
                self.error = error.with_traceback(None)  # which would lead back here
        return _bytes(_room, whole) if whole else b""

    def encrypt(self, data: bytes) -> bytes:
        """Return a record that is to be sent, behind whatever else OpenSSL has for the peer.

        Args:
            data: At most ``RECORD`` bytes; not empty.

        Returns:
            Nothing if OpenSSL waits for the peer.

        Raises:
            OpenSSL.SSL.Error: It cannot be encrypted.
        """
        written = _ssl_write(self._ssl, data, len(data))
        if written > 0:
            return _bytes(_room, _bio_read(self._outgoing, _room, _ROOM))  # type: ignore[no-any-return]
        if _get_error(self._ssl, written) != _WANT_READ:
            self._fail(self._ssl, written)
        return b""

    def write(self, data: bytes | memoryview) -> int:
        """Encrypt.

        Args:
            data: At most ``PIECE`` bytes; not empty.

        Returns:
            How many of them; fewer only if OpenSSL waits for the peer.

        Raises:
            OpenSSL.SSL.Error: It cannot be encrypted.
        """
        start, size, done = _pointer(data), len(data), 0
        while done < size:  # pyOpenSSL has it that each call makes one record
            written = _ssl_write(self._ssl, start + done, size - done)
            if written > 0:
                done += written
            elif _get_error(self._ssl, written) == _WANT_READ:
                break
            else:
                self._fail(self._ssl, written)
        return done

    def take(self) -> bytes:
        """Return what OpenSSL has for the peer; empty if there is nothing."""
        size = _bio_read(self._outgoing, _room, _ROOM)
        return _bytes(_room, size) if size > 0 else b""
