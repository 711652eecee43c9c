"""Header blocks to fields (RFC 7541), of which a connection decodes one for each request.

The tables and Huffman's code are those of the ``hpack`` package. Its decoder is a general one; this one slices nothing
and logs nothing, and most of what it meets is one byte that stands for a whole field.
"""

from __future__ import annotations

from collections import deque

from h2.errors import ErrorCodes
from hpack import HPACKError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

from upgradegw.http2.faults import ConnectionFault, flood

Field = tuple[bytes, bytes]

#: What each field costs beyond its bytes, in the table and against limits (RFC 7541 section 4.1, RFC 9113 6.5.2).
FIELD_OVERHEAD = 32

#: Bytes of the table of either side, unless SETTINGS say otherwise; ours never do (RFC 9113 section 6.5.2).
TABLE_SIZE = 4096

#: The fields that everybody knows, from 1 (RFC 7541 appendix A).
STATIC: tuple[Field, ...] = ((b"", b""), *((bytes(name), bytes(value)) for name, value in HeaderTable.STATIC_TABLE))

# The first bit, or bits, say what stands here; the rest is a number, or begins one (RFC 7541 section 6).
_INDEXED, _ADDED, _RESIZED = 0x80, 0x40, 0x20
_HUFFMAN = 0x80

#: Bytes behind the first that a number may have: enough for 2^28, and no frame of ours is longer than 2^14.
_MOST_BYTES = 4


def _error(what: str) -> ConnectionFault:
    return ConnectionFault(ErrorCodes.COMPRESSION_ERROR, what)


class Decoder:
    """One direction of a connection.

    Attributes:
        max_fields: Bytes that the fields of one block may have, each counted with ``FIELD_OVERHEAD``.
    """

    __slots__ = ("_limit", "_size", "_table", "max_fields")

    def __init__(self, max_fields: int) -> None:
        """Have an empty table.

        Args:
            max_fields: Bytes that the fields of one block may have, each counted with ``FIELD_OVERHEAD``.
        """
        self.max_fields = max_fields
        self._table: deque[Field] = deque()
        self._size, self._limit = 0, TABLE_SIZE

    def decode(self, block: bytes) -> list[Field]:
        """Return a block's fields; every block must be decoded, for those behind it depend on it.

        Raises:
            ConnectionFault: It is none, or there are too many; the state is lost (RFC 9113 section 4.3).
        """
        fields: list[Field] = []
        try:
            size = self._decode(block, fields)
        except IndexError:
            raise _error("a header block that breaks off, or an index of no field") from None
        except HPACKError as error:
            raise _error(str(error)) from None
        if size > self.max_fields:
            raise flood(f"a head of more than {self.max_fields} bytes")
        return fields

    def _decode(self, block: bytes, fields: list[Field]) -> int:
        """Add a block's fields; return their size, at least as far as it goes beyond the limit."""
        at, end, size = 0, len(block), 0
        table, known = self._table, len(STATIC)
        while at < end and size <= self.max_fields:
            first = block[at]
            if first & _INDEXED:
                index = first & 0x7F
                at += 1
                if index == 0x7F:  # noqa: PLR2004 - all bits of the prefix
                    index, at = _number(block, at, index)
                if not index:
                    raise IndexError
                field = STATIC[index] if index < known else table[index - known]
            elif first & _ADDED or not first & _RESIZED:
                field, at = self._literal(block, at)
            elif fields:
                raise _error("the table's size changes behind a field")  # RFC 7541 section 4.2
            else:
                at = self._resize(block, at)
                continue
            fields.append(field)
            size += len(field[0]) + len(field[1]) + FIELD_OVERHEAD
        return size

    def _literal(self, block: bytes, at: int) -> tuple[Field, int]:
        """Return the field that is written out (RFC 7541 section 6.2), and where the next begins."""
        added = block[at] & _ADDED
        most = 0x3F if added else 0x0F
        index = block[at] & most
        at += 1
        if index == most:
            index, at = _number(block, at, most)
        if index:
            name = (STATIC[index] if index < len(STATIC) else self._table[index - len(STATIC)])[0]
        else:
            name, at = _string(block, at)
        value, at = _string(block, at)
        field = name, value
        if added:
            self._add(field)
        return field, at

    def _add(self, field: Field) -> None:
        """Have a field in the table; one that does not fit leaves it empty (RFC 7541 section 4.4)."""
        self._table.appendleft(field)
        self._size += len(field[0]) + len(field[1]) + FIELD_OVERHEAD
        self._shrink()

    def _shrink(self) -> None:
        while self._size > self._limit:
            name, value = self._table.pop()
            self._size -= len(name) + len(value) + FIELD_OVERHEAD

    def _resize(self, block: bytes, at: int) -> int:
        """Change the table's size as the peer wants (RFC 7541 section 6.3); return where the next field begins."""
        limit = block[at] & 0x1F
        at += 1
        if limit == 0x1F:  # noqa: PLR2004 - all bits of the prefix
            limit, at = _number(block, at, limit)
        if limit > TABLE_SIZE:
            raise _error(f"a table of {limit} bytes")
        self._limit = limit
        self._shrink()
        return at


def _number(block: bytes, at: int, most: int) -> tuple[int, int]:
    """Return a number that does not fit into its first byte (RFC 7541 section 5.1), and where it ends.

    Args:
        block: The block.
        at: Where its second byte is.
        most: What the first one said.
    """
    number = most
    for shift in range(0, 7 * _MOST_BYTES, 7):
        byte = block[at]
        at += 1
        number += (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follow
            return number, at
    raise _error("a number without an end")


def _string(block: bytes, at: int) -> tuple[bytes, int]:
    """Return a string (RFC 7541 section 5.2), and where it ends."""
    first = block[at]
    length = first & 0x7F
    at += 1
    if length == 0x7F:  # noqa: PLR2004 - all bits of the prefix
        length, at = _number(block, at, length)
    end = at + length
    if end > len(block):
        raise IndexError
    return (decode_huffman(block[at:end]) if first & _HUFFMAN else block[at:end]), end
