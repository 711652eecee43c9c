r"""``logfmt``: ``name=value`` pairs with a space between them.

A value stands between quotation marks if it is empty or holds anything but printable ASCII, a space, ``=``, a quotation
mark or a backslash; it is then escaped as in JSON, so that no value can end its quotes or add a line. A field that is
None is left out.
"""

from __future__ import annotations

import re
from json.encoder import encode_basestring_ascii
from typing import Any

from twisted.logger import LogEvent

from upgradegw.service.formats.records import Records

#: What needs no quotation marks: printable ASCII without the space, ``"``, ``=`` and the backslash.
_BARE = re.compile(r"[!#-<>-\[\]-~]+")


def pairs(record: dict[str, Any]) -> str:
    """Return a record as pairs.

    Args:
        record: Names and values: None, numbers and texts.
    """
    return " ".join([f"{name}={_quoted(value)}" for name, value in record.items() if value is not None])


def _quoted(value: object) -> str:
    text = str(value)
    return text if _BARE.fullmatch(text) else encode_basestring_ascii(text)


class Logfmt:
    """The form that people and ``grep`` read, and collectors, too."""

    def __init__(self) -> None:
        """Start."""
        self._records = Records()

    def line(self, event: LogEvent) -> str:
        """Return the event's time and fields."""
        return pairs(self._records.record(event))

    #: A record tells its own time, wherever it stands.
    message = line
