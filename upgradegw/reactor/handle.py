"""What ``getHandle`` returns: the socket of a connection, for its options and addresses."""

from __future__ import annotations

import errno
import os
from typing import Any, NoReturn


class Handle:
    """uvloop's view of the socket, which knows options, addresses, ``fileno`` and ``dup``, and closes safely.

    No ``socket.socket``: that would close a descriptor that uvloop holds, at the latest when it is collected, and
    uvloop ends the process if one of its descriptors is closed behind its back.
    """

    def __init__(self, connection: Any, socket: Any) -> None:
        self._connection = connection
        self._socket = socket

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._socket, name)
        return _closed if callable(found) and self._connection.disconnected else found

    def fileno(self) -> int:
        """The descriptor, or -1 once it is closed, when somebody else may have its number."""
        return -1 if self._connection.disconnected else int(self._socket.fileno())

    def __repr__(self) -> str:
        return repr(self._socket)

    def close(self) -> None:
        """Give the connection up, without a word to the peer if the socket has been handed on."""
        self._connection.give_up()


def _closed(*_: Any, **__: Any) -> NoReturn:
    """Do as a socket that is closed.

    Raises:
        OSError: Always.
    """
    raise OSError(errno.EBADF, os.strerror(errno.EBADF))
