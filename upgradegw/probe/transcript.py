"""What a person reads: ``*`` for the connection, ``>`` for what was sent, ``<`` for what came; nothing unprintable."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from upgradegw.negotiation.model import Fields

#: Bytes of a refusal's content that are shown, characters of a line, and lines.
_SHOWN = 1000
_WIDTH = 120
_LINES = 12


def visible(data: bytes | str) -> str:
    r"""Return a text as it may go to a terminal: control characters and what is not ASCII as ``\x..``."""
    text = data.decode("latin-1") if isinstance(data, bytes) else data
    return "".join(each if each.isascii() and each.isprintable() else ascii(each)[1:-1] for each in text)


class Transcript:
    """Prints as things happen, so that what hangs can be seen."""

    def __init__(self, out: TextIO) -> None:
        """Print to a file.

        Args:
            out: Standard output, usually.
        """
        self._out = out

    def note(self, text: str) -> None:
        """Say something about the connection."""
        self._line(f"* {visible(text)}")

    def sent(self, lines: Iterable[bytes]) -> None:
        """Show lines that were sent."""
        self._marked(">", lines)

    def received(self, lines: Iterable[bytes]) -> None:
        """Show lines that came."""
        self._marked("<", lines)

    def _marked(self, mark: str, lines: Iterable[bytes]) -> None:
        for line in lines:
            self._line(f"{mark} {visible(line)}")
        self._line(mark)

    def content(self, data: bytes) -> None:
        """Show the beginning of a refusal's content, if it is text."""
        if not data or b"\x00" in data:
            return
        lines = data[:_SHOWN].decode("utf-8", "replace").splitlines()
        for line in lines[:_LINES]:
            self._line(f"| {visible(line[:_WIDTH])}{'...' if len(line) > _WIDTH else ''}")
        if len(lines) > _LINES or len(data) > _SHOWN:
            self._line("| ...")

    def plain(self, text: str) -> None:
        """Print a line without a mark."""
        self._line(visible(text))

    def _line(self, text: str) -> None:
        print(text.rstrip(), file=self._out, flush=True)


def field_lines(fields: Fields) -> list[bytes]:
    """Return fields as lines."""
    return [name + b": " + value for name, value in fields]
