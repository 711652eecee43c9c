r"""``json``: one object a line, in ASCII; what is not printable ASCII is written as ``\uhhhh`` (RFC 8259 section 7)."""

from __future__ import annotations

from json.encoder import encode_basestring_ascii

from twisted.logger import LogEvent

from upgradegw.service.formats.records import Records


def _encode(value: object) -> str:
    if isinstance(value, str):
        return encode_basestring_ascii(value)
    return "null" if value is None else repr(value)


class JsonLines:
    """The form for collectors of logs, which take a line for a record."""

    def __init__(self) -> None:
        """Start."""
        self._records = Records()

    def line(self, event: LogEvent) -> str:
        """Return an object with the event's time and fields."""
        # By hand, for ``json`` makes an encoder for every line, which costs as much again.
        record = self._records.record(event)
        return "{" + ",".join([f'"{name}":{_encode(value)}' for name, value in record.items()]) + "}"

    #: A record tells its own time, wherever it stands.
    message = line
