"""Fields to header blocks (RFC 7541): most are in the table, and are found there by their hash.

The tables and Huffman's code are those of the ``hpack`` package, whose encoder searches its table from end to end for
each field, and writes a log line about it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

from upgradegw.http2.decoding import FIELD_OVERHEAD, STATIC, TABLE_SIZE, Field

#: Huffman's code (RFC 7541 appendix B), as text of zeros and ones; its last symbol, which ends a string, is not used.
_CODES = [f"{code:0{length}b}" for code, length in zip(REQUEST_CODES[:256], REQUEST_CODES_LENGTH[:256], strict=True)]

#: Where in the static table a field is, and where the first of each name.
_FIELDS = {field: index for index, field in enumerate(STATIC) if index}
_NAMES = {name: index for index, (name, _) in reversed(list(enumerate(STATIC))) if index}

# How the ways to write a field begin, and the bits that are left for a number (RFC 7541 section 6).
_INDEXED, _INDEXED_BITS = 0x80, 7
_ADDED, _ADDED_BITS = 0x40, 6
_RESIZED, _RESIZED_BITS = 0x20, 5
_NEVER, _NEVER_BITS = 0x10, 4
_WITHOUT, _WITHOUT_BITS = 0x00, 4
_HUFFMAN = 0x80

#: A field that would push out more than the half of a table stays out of it.
_WORTH = 2


class Encoder:
    """One direction of a connection."""

    __slots__ = ("_count", "_fields", "_least", "_limit", "_names", "_secret", "_size", "_table", "_told")

    def __init__(self, secret: frozenset[bytes] = frozenset()) -> None:
        """Have an empty table.

        Args:
            secret: Names, in lower case, of fields that nobody on the way may put into a table (RFC 7541 section 7.1).
        """
        self._secret = secret
        self._table: deque[Field] = deque()
        # The number that each field, and the last field of each name, had when it came; of all that ever came.
        self._fields: dict[Field, int] = {}
        self._names: dict[bytes, int] = {}
        self._count = self._size = 0
        # The table's size; what the peer was told last, and the least in between.
        self._limit = self._told = self._least = TABLE_SIZE

    def resize(self, limit: int) -> None:
        """Keep to a table of so many bytes at most; the peer hears of it in the next block (RFC 7541 section 4.2)."""
        self._limit = min(limit, TABLE_SIZE)  # it is our memory, too
        self._least = min(self._least, self._limit)
        self._shrink()

    def encode(self, fields: Iterable[Field]) -> bytes:
        """Return a block; the names must be in lower case."""
        block = bytearray()
        if self._limit != self._told or self._least < self._told:
            self._tell(block)
        known = self._fields
        for field in fields:
            number = known.get(field)
            if number is not None:
                index = len(STATIC) + self._count - number
                if index < 0x7F:  # noqa: PLR2004 - it fits into one byte
                    block.append(_INDEXED | index)
                else:
                    _write(block, index, _INDEXED, _INDEXED_BITS)
            elif field in _FIELDS:
                block.append(_INDEXED | _FIELDS[field])
            else:
                self._literal(block, field)
        return bytes(block)

    def _tell(self, block: bytearray) -> None:
        if self._least < self._limit:
            _write(block, self._least, _RESIZED, _RESIZED_BITS)
        _write(block, self._limit, _RESIZED, _RESIZED_BITS)
        self._told = self._least = self._limit

    def _literal(self, block: bytearray, field: Field) -> None:
        """Write a field out, and have it in the table from then on."""
        name, value = field
        number = self._names.get(name)
        index = _NAMES.get(name) or (0 if number is None else len(STATIC) + self._count - number)
        if name in self._secret:
            _write(block, index, _NEVER, _NEVER_BITS)
        elif (len(name) + len(value) + FIELD_OVERHEAD) * _WORTH > self._limit:
            _write(block, index, _WITHOUT, _WITHOUT_BITS)
        else:
            _write(block, index, _ADDED, _ADDED_BITS)
            self._add(field)
        if not index:
            _write_string(block, name)
        _write_string(block, value)

    def _add(self, field: Field) -> None:
        name, value = field
        self._count += 1
        self._table.append(field)
        self._fields[field] = self._names[name] = self._count
        self._size += len(name) + len(value) + FIELD_OVERHEAD
        self._shrink()

    def _shrink(self) -> None:
        while self._size > self._limit:
            number = self._count - len(self._table) + 1
            field = name, value = self._table.popleft()
            self._size -= len(name) + len(value) + FIELD_OVERHEAD
            del self._fields[field]  # a field that is there is not added again
            if self._names[name] == number:
                del self._names[name]


def _write(block: bytearray, number: int, first: int, bits: int) -> None:
    """Write a number behind the bits with which its first byte begins (RFC 7541 section 5.1)."""
    most = (1 << bits) - 1
    if number < most:
        block.append(first | number)
        return
    block.append(first | most)
    number -= most
    while number > 0x7F:  # noqa: PLR2004 - seven bits in each byte
        block.append(number & 0x7F | 0x80)
        number >>= 7
    block.append(number)


def _write_string(block: bytearray, text: bytes) -> None:
    """Write a string, in Huffman's code if that is shorter (RFC 7541 section 5.2)."""
    bits = "".join([_CODES[byte] for byte in text])
    length = (len(bits) + 7) // 8
    if length < len(text):
        _write(block, length, _HUFFMAN, 7)
        bits += "1" * (8 * length - len(bits))
        block += int(bits, 2).to_bytes(length, "big")
    else:
        _write(block, len(text), 0, 7)
        block += text
