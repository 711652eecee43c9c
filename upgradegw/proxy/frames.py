"""Where one WebSocket frame ends and the next begins, in bytes that pass by (RFC 6455 section 5.2).

A tunnel passes frames on without a look at what is in them. It must know their boundaries all the same, from the first
byte on: when it ends, a Close frame of its own may stand only between two frames.
"""

from __future__ import annotations

from os import urandom

_CLOSE = 8
_EXTENDED = 126
_MASK_BIT = 0x80
_MASK_SIZE = 4
_CODE_SIZE = 2

#: By a frame's second byte: how many bytes it has in all, or 0 where its length stands in other bytes.
_SIZES = tuple(
    0 if (second & 0x7F) >= _EXTENDED else (second & 0x7F) + 2 + (_MASK_SIZE if second & _MASK_BIT else 0)
    for second in range(256)
)

#: From how many frames on it is worth a look whether all of them are alike.
_ALIKE = 4


class Frames:
    """The frames of one direction: only headers are looked at, and only those that are cut in two are kept.

    Attributes:
        close_code: The code of the Close frame that has passed: 1005 for one without (section 7.1.5), None before.
    """

    __slots__ = ("_partial", "_skip", "close_code")

    def __init__(self) -> None:
        """Stand before the first frame."""
        self.close_code: int | None = None
        # Bytes of the present frame that are still to come.
        self._skip = 0
        # The beginning of a header, which has passed already.
        self._partial = b""

    @property
    def at_boundary(self) -> bool:
        """Whether the bytes so far end with a frame."""
        return not self._skip and not self._partial

    @property
    def missing(self) -> int | None:
        """Bytes of the present frame that are still to come; None where its head is cut in two.

        It may be set by who has followed the bytes meanwhile, as far as a frame whose head was whole.
        """
        return None if self._partial else self._skip

    @missing.setter
    def missing(self, missing: int) -> None:
        self._skip = missing

    def feed(self, data: bytes | memoryview) -> None:
        """Follow bytes that pass.

        Args:
            data: The bytes; they are not kept.
        """
        size = len(data)
        at = self._skip
        if at > size:
            self._skip = at - size
            return
        if not at and not self._partial and size > 1 and _SIZES[data[1]] == size and data[0] & 0x0F != _CLOSE:
            return  # one short frame, as most pieces are
        if self._partial:
            found = self.next_boundary(data)
            if found is None:
                return
            at = found
        last = size - 1
        begun = False
        while at < last:
            # Most frames are short ones, and whole.
            length = _SIZES[data[at + 1]]
            if length and data[at] & 0x0F != _CLOSE:
                if not begun and size - at >= _ALIKE * length:
                    at += _alike(data, at, length)
                    begun = True
                else:
                    at += length
                continue
            end = self._end_of_frame(data, at)
            if end is None:
                break
            at = end
        if at < size:
            self._skip = 0
            self._partial = bytes(data[at:])
            return
        self._skip = at - size

    def next_boundary(self, data: bytes | memoryview) -> int | None:
        """Follow bytes as far as the end of the present frame.

        Args:
            data: The bytes.

        Returns:
            How many of them belong to the frame; None if all do, and more are to come.
        """
        size = len(data)
        at = self._skip
        if self._partial:
            before = len(self._partial)
            whole = self._partial + data
            end = self._end_of_frame(whole, 0)
            if end is None:
                self._partial = whole
                return None
            self._partial = b""
            at = end - before
        if at > size:
            self._skip = at - size
            return None
        self._skip = 0
        return at

    def _end_of_frame(self, data: bytes | memoryview, at: int) -> int | None:
        """Return where the frame that begins at a place ends, which may be behind the data; None to wait for more."""
        left = len(data) - at
        if left < 2:  # noqa: PLR2004 - section 5.2: opcode and length
            return None
        second = data[at + 1]
        length = second & 0x7F
        size = 2
        if length >= _EXTENDED:
            size += 2 if length == _EXTENDED else 8
            if left < size:
                return None
            length = int.from_bytes(data[at + 2 : at + size], "big")
        mask_at = at + size
        if second & _MASK_BIT:
            size += _MASK_SIZE
        if data[at] & 0x0F == _CLOSE and self.close_code is None:
            if length >= _CODE_SIZE and left < size + _CODE_SIZE:
                return None
            self.close_code = _code(data, mask_at, at + size, length)
        return at + size + length


def _alike(data: bytes | memoryview, at: int, length: int) -> int:
    """Return how many bytes frames have that are all like the first one, which is whole: one frame's if they are not.

    What sends much often sends the same: the same opcode, and the same size.
    """
    number = (len(data) - at) // length
    end = at + number * length
    seconds = bytes(data[at + 1 : end : length])
    if seconds.count(seconds[0]) == number:
        firsts = bytes(data[at:end:length])
        if firsts.count(firsts[0]) == number:
            return end - at
    return length


def _code(data: bytes | memoryview, mask_at: int, content_at: int, length: int) -> int:
    """Read the code of a Close frame (sections 5.5.1 and 7.1.5)."""
    if length < _CODE_SIZE:
        return 1005
    code = int.from_bytes(data[content_at : content_at + _CODE_SIZE], "big")
    if content_at > mask_at:
        code ^= int.from_bytes(data[mask_at : mask_at + _CODE_SIZE], "big")
    return code


def close_frame(code: int, *, masked: bool) -> bytes:
    """Return a Close frame without words.

    Args:
        code: The code (RFC 6455 section 7.4).
        masked: Whether it is sent as a client, with a mask that nobody can foretell (section 5.3).
    """
    if not masked:
        return b"\x88\x02" + code.to_bytes(2, "big")
    mask = urandom(_MASK_SIZE)
    return b"\x88\x82" + mask + (code ^ int.from_bytes(mask[:2], "big")).to_bytes(2, "big")
