"""UNIX connections that carry descriptors (SCM_RIGHTS), which uvloop's transports cannot."""

from __future__ import annotations

import array
import os
import socket
from collections.abc import Iterable
from typing import Any

from twisted.internet.error import FileDescriptorOverrun
from twisted.internet.interfaces import IFileDescriptorReceiver
from twisted.logger import Logger
from twisted.python.failure import Failure

from upgradegw.reactor.streams import READ_SIZE

#: Descriptors that one read takes; Linux passes at most 253 with one message (SCM_MAX_FD).
_AT_ONCE = 253

_SPACE = socket.CMSG_SPACE(_AT_ONCE * array.array("i").itemsize)


class DescriptorTransport:
    """Takes the place of uvloop's transport, as far as a connection uses one, and reads and writes by itself.

    Attributes:
        queued: Descriptors to be sent, each with one octet of what is written.
    """

    log = Logger()

    def __init__(self, loop: Any, replaced: Any, connection: Any) -> None:
        """Read on, from a copy of the socket.

        Args:
            loop: The loop.
            replaced: uvloop's transport, which has nothing left to send. It is closed; that ends no connection, since
                there is a copy of the socket.
            connection: Gets what is read.
        """
        self._loop = loop
        self._connection = connection
        self._socket = replaced.get_extra_info("socket").dup()
        replaced.abort()
        self._unsent = b""
        self._closing = False
        self.queued: list[int] = []

    # --- As uvloop's.

    def get_extra_info(self, name: str) -> Any:
        """Only the socket is asked for."""
        return {"socket": self._socket}.get(name)

    def get_write_buffer_size(self) -> int:
        """Return how many octets are unsent."""
        return len(self._unsent)

    def resume_reading(self) -> None:
        """Read."""
        if self._socket.fileno() != -1:
            self._loop.add_reader(self._socket.fileno(), self._read)

    def pause_reading(self) -> None:
        """Read no more for now."""
        if self._socket.fileno() != -1:
            self._loop.remove_reader(self._socket.fileno())

    def write(self, data: bytes) -> None:
        """Send; the connection is told if something is left."""
        self._unsent += data
        self._send()
        if self._unsent and self._socket.fileno() != -1:
            self._loop.add_writer(self._socket.fileno(), self._writable)
            self._connection.pause_writing()

    def writelines(self, pieces: Iterable[bytes]) -> None:
        """Send pieces in one."""
        self.write(b"".join(pieces))

    def write_eof(self) -> None:
        """End what we send."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Close when all is sent."""
        self._closing = True
        self.pause_reading()
        if not self._unsent:
            self.abort()

    def abort(self) -> None:
        """Close now, and tell the connection, as uvloop does, a little later."""
        self._end(None)

    def _end(self, error: OSError | None) -> None:
        if self._socket.fileno() == -1:
            return
        self.pause_reading()
        self._loop.remove_writer(self._socket.fileno())
        self._socket.close()
        self._loop.call_soon(self._connection.passing_lost, error)

    # --- Reading and writing.

    def _send(self) -> None:
        if len(self.queued) > len(self._unsent):
            self.queued.clear()
            self._loop.call_soon(self._connection.lose_at_once, Failure(FileDescriptorOverrun()))
            return
        try:
            while self.queued:
                rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", self.queued[:1]))
                self._socket.sendmsg([self._unsent[:1]], [rights])
                del self.queued[0]
                self._unsent = self._unsent[1:]
            self._unsent = self._unsent[self._socket.send(self._unsent) :] if self._unsent else b""
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            self._unsent = b""
            self._end(error)

    def _writable(self) -> None:
        self._send()
        if self._unsent or self._socket.fileno() == -1:
            return
        self._loop.remove_writer(self._socket.fileno())
        if self._closing:
            self.abort()
        else:
            self._connection.resume_writing()

    def _read(self) -> None:
        try:
            data, rights, _flags, _address = self._socket.recvmsg(READ_SIZE, _SPACE, socket.MSG_CMSG_CLOEXEC)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        for level, kind, octets in rights:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                self._received(octets)
        if data:
            self._connection.received(data)
        elif self._socket.fileno() != -1:
            self.pause_reading()
            self._connection.eof_received()

    def _received(self, octets: bytes) -> None:
        descriptors = array.array("i")
        descriptors.frombytes(octets[: len(octets) - len(octets) % descriptors.itemsize])
        protocol = self._connection.protocol
        for descriptor in descriptors:
            if IFileDescriptorReceiver.providedBy(protocol):
                protocol.fileDescriptorReceived(descriptor)
            else:
                self.log.info("a descriptor that nobody expects is closed")
                os.close(descriptor)
