"""A file to which lines are appended, opened anew on request so that ``logrotate`` can move it away."""

from __future__ import annotations

import os

from twisted.logger import Logger


class LogFile:
    """Appends each line with one system call, so that lines never mix and nothing waits in a buffer."""

    log = Logger()

    def __init__(self, path: str | None, descriptor: int) -> None:
        """Write to an open file.

        Args:
            path: The file's absolute path; None if it cannot be opened anew.
            descriptor: The open file; it is closed by ``close``.
        """
        self._path = path
        self._descriptor = descriptor
        self._failing = False

    @classmethod
    def append_to(cls, path: str) -> LogFile:
        """Open a file, made if it is not there.

        Raises:
            OSError: It cannot be opened.
        """
        path = os.path.abspath(path)  # noqa: PTH100 - a str is wanted, and the file need not exist
        return cls(path, _open(path))

    @classmethod
    def standard_output(cls) -> LogFile:
        """Write to standard output as it is now; twistd redirects ``sys.stdout`` into its own log later."""
        return cls(None, os.dup(1))

    def write(self, line: bytes) -> None:
        """Append a line; if that fails say so once, and go on serving."""
        try:
            os.write(self._descriptor, line)
        except OSError as error:
            if not self._failing:
                self._failing = True
                self.log.error("The access log cannot be written: {error}", error=error.strerror)  # noqa: TRY400 - no traceback
        else:
            self._failing = False

    def reopen(self) -> None:
        """Open the path anew; if that fails, go on with the file that is open."""
        if self._path is None:
            return
        try:
            fresh = _open(self._path)
        except OSError as error:
            self.log.error("{path} cannot be opened anew: {error}", path=self._path, error=error.strerror)  # noqa: TRY400
            return
        os.close(self._descriptor)
        self._descriptor = fresh

    def close(self) -> None:
        """Close the file; lines that come later are dropped."""
        descriptor, self._descriptor = self._descriptor, -1
        self._failing = True
        os.close(descriptor)


def _open(path: str) -> int:
    # Readable by the owner and the group only: addresses of people are in it.
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
