"""The options of the access log: where its lines go, and which form they have."""

from __future__ import annotations

import os
from typing import Any

from twisted.python import usage

from upgradegw.service.defaults import Default
from upgradegw.service.formats import DEFAULT_FORMAT, FORMATS
from upgradegw.service.log_file import LogFile

_FORMAT_HELP = "Form of access lines: combined, json or logfmt."


class LogOptions(usage.Options):
    """What the command line says of the access log.

    Attributes:
        access_file: Where access lines go, if not to Twisted's log.
        access_place: What named that place, for messages; None for the option.
    """

    optParameters: Any = [  # noqa: RUF012 - Twisted's name and type
        ["access-log", None, None, "File for access lines, - for standard output, or off. [default: twistd's log]"],
        ["access-log-format", None, Default(DEFAULT_FORMAT), _FORMAT_HELP],
    ]
    access_file: LogFile | None = None
    access_place: str | None = None

    def check_access_log(self) -> None:
        """Look at what the options say, and open nothing.

        Raises:
            UsageError: There is no such format, or lines could not be written there.
        """
        form, target = self["access-log-format"], self["access-log"]
        if form not in FORMATS:
            raise usage.UsageError(f"--access-log-format {form}: write one of {', '.join(FORMATS)}")
        if target == "-":
            if self.parent is not None and not self.parent.get("nodaemon", True):
                raise usage.UsageError(
                    f"{self._place()}: a daemon has no standard output; name a file, or use twistd -n"
                )
        elif self._names_file():
            path = os.path.abspath(target)  # noqa: PTH100 - as LogFile has it
            folder = os.path.dirname(path)  # noqa: PTH120
            if os.path.isdir(path):  # noqa: PTH112
                raise usage.UsageError(f"{self._place()}: is a directory")
            if not os.path.isdir(folder):  # noqa: PTH112
                raise usage.UsageError(f"{self._place()}: no such file or directory")
            if not os.access(path if os.path.exists(path) else folder, os.W_OK):  # noqa: PTH110
                raise usage.UsageError(f"{self._place()}: permission denied")

    def open_access_log(self) -> None:
        """Open the file, once everything else is known to be right.

        Raises:
            UsageError: It cannot be opened.
        """
        target = self["access-log"]
        if target == "-":
            self.access_file = LogFile.standard_output()
        elif self._names_file():
            try:
                self.access_file = LogFile.append_to(target)
            except OSError as error:
                raise usage.UsageError(f"{self._place()}: {os.strerror(error.errno or 0).lower()}") from None

    def _place(self) -> str:
        target = self["access-log"]
        return f"{self.access_place}: {target}" if self.access_place else f"--access-log {target}"

    def _names_file(self) -> bool:
        return self["access-log"] not in (None, "off", "-")
