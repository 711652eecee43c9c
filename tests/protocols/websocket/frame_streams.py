"""Random streams of frames as clients send them, right and wrong, and random ways to cut them into reads."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from random import Random

from tests.protocols.websocket.support import BINARY, CLOSE, PING, PONG, TEXT, frame

#: Sizes at which something changes: in a frame's head, in the masks of four bytes, in what is thought to be small.
EDGES = (0, 1, 2, 3, 4, 5, 31, 32, 99, 100, 124, 125, 126, 127, 128, 1000)
LARGE = (4096, 65_535, 65_536, 70_000)

_LETTERS = "aé€😀"


class Stream:
    """Makes frames; a compressor keeps its window over all of them."""

    def __init__(self, random: Random, *, compresses: bool) -> None:
        self.random = random
        self.compressor = zlib.compressobj(6, zlib.DEFLATED, -15) if compresses else None
        self.kinds: list[tuple[int, Callable[[], bytes]]] = [
            (24, self.message),
            (8, self.text),
            (4, self.control),
            (4, self.fragmented),
            (2, self.large),
            (1, self.broken_text),
            (1, self.wrong),
            (1, self.close),
        ]
        if compresses:
            self.kinds += [(20, self.compressed), (1, self.broken_compressed)]

    def bytes(self) -> bytes:
        """Return one to a dozen frames; now and then without the last ones' end."""
        weights, makers = zip(*self.kinds, strict=True)
        made = b"".join(make() for make in self.random.choices(makers, weights, k=self.random.randint(1, 12)))
        return made[: self.random.randrange(len(made) + 1)] if self.random.random() < 0.2 else made

    def size(self) -> int:
        return self.random.choice(EDGES)

    def mask(self) -> bytes:
        return self.random.randbytes(4)

    def binary(self, size: int) -> bytes:
        return self.random.randbytes(size)

    def letters(self, size: int) -> bytes:
        return "".join(self.random.choices(_LETTERS, k=size)).encode()

    def frame(self, opcode: int, content: bytes, *, fin: bool = True, rsv: int = 0) -> bytes:
        return frame(opcode, content, fin, rsv, self.mask())

    def message(self) -> bytes:
        if self.random.random() < 0.5:
            return self.frame(BINARY, self.binary(self.size()))
        return self.frame(TEXT, b"x" * self.size())

    def text(self) -> bytes:
        return self.frame(TEXT, self.letters(self.size()))

    def large(self) -> bytes:
        size = self.random.choice(LARGE)
        return self.frame(BINARY, bytes(size)) if self.random.random() < 0.5 else self.frame(TEXT, self.letters(size))

    def control(self) -> bytes:
        return self.frame(self.random.choice((PING, PONG)), self.binary(self.random.choice((0, 1, 12, 125))))

    def fragmented(self) -> bytes:
        made, opcode = b"", self.random.choice((TEXT, BINARY))
        for left in range(self.random.randint(1, 4), -1, -1):
            made += self.frame(opcode, b"y" * self.size(), fin=not left)
            if left and self.random.random() < 0.3:
                made += self.control()
            opcode = 0
        return made

    def close(self) -> bytes:
        code = self.random.choice((1000, 1001, 3000, 999, 1005, 5000))
        return self.random.choice(
            (
                self.frame(CLOSE, b""),
                self.frame(CLOSE, code.to_bytes(2, "big")),
                self.frame(CLOSE, code.to_bytes(2, "big") + self.letters(5)),
                self.frame(CLOSE, code.to_bytes(2, "big") + b"\xff"),
                self.frame(CLOSE, b"1"),
            )
        )

    def broken_text(self) -> bytes:
        """Text with a wrong byte somewhere, or with its last one missing."""
        content = bytearray(self.letters(self.random.randint(1, 200)))
        if self.random.random() < 0.5:
            content[self.random.randrange(len(content))] = self.random.choice((0x80, 0xC0, 0xED, 0xF5, 0xFF))
        else:
            content += self.random.choice((b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0", b"\xf4\x90"))
        return self.frame(TEXT, bytes(content))

    def wrong(self) -> bytes:
        """A frame that breaks a rule of RFC 6455 section 5, or a length that nobody has to send."""
        content = self.binary(self.random.randrange(8))
        mask = self.mask()
        return self.random.choice(
            (
                frame(self.random.choice((TEXT, BINARY, PING)), content, mask=b""),
                self.frame(self.random.randrange(16), content, rsv=self.random.randrange(1, 8)),
                self.frame(self.random.choice((3, 7, 11, 15)), content),
                self.frame(0, content),
                self.frame(PING, content, fin=False),
                self.frame(PING, bytes(126)),
                b"\x82\xfe\x00\x05" + mask + bytes(5),
                b"\x82\xff" + (130).to_bytes(8, "big") + mask + bytes(130),
                b"\x82\xff" + (1 << 63).to_bytes(8, "big") + mask,
                b"\x81\xff" + (1 << 40).to_bytes(8, "big") + mask + bytes(20),
            )
        )

    def deflate(self, content: bytes) -> bytes:
        assert self.compressor is not None
        return (self.compressor.compress(content) + self.compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]

    def compressed(self) -> bytes:
        opcode = self.random.choice((TEXT, BINARY))
        content = self.letters(self.size()) if opcode == TEXT else self.binary(self.size())
        content = self.deflate(content * self.random.choice((1, 1, 1, 20)))
        if self.random.random() < 0.2:
            at = self.random.randrange(len(content) + 1)
            return self.frame(opcode, content[:at], fin=False, rsv=4) + self.frame(0, content[at:])
        return self.frame(opcode, content, rsv=4)

    def broken_compressed(self) -> bytes:
        """What cannot be inflated, becomes too large, or is no text when it is."""
        return self.random.choice(
            (
                self.frame(BINARY, self.binary(20), rsv=4),
                self.frame(BINARY, self.deflate(bytes(1 << 21)), rsv=4),
                self.frame(TEXT, self.deflate(b"caf\xe9"), rsv=4),
                self.frame(TEXT, self.deflate(b"caf\xc3"), rsv=4),
                self.frame(BINARY, zlib.compress(b"finished", wbits=-15) + b"\x00", rsv=4),
                self.frame(BINARY, self.deflate(b"abc")[:-1], rsv=4),
            )
        )


def reads(random: Random, data: bytes) -> Iterator[bytes]:
    """Cut a stream into what is read at once: all of it, byte by byte, at the edges of heads, by frames, or anyhow."""
    way = random.random()
    if way > 0.8:
        yield from _by_frames(data)
        return
    largest = len(data) if way < 0.25 else 3 if way < 0.4 and len(data) < 5000 else 40 if way < 0.6 else 4096
    at = 0
    while at < len(data):
        size = random.randint(1, max(1, largest)) if way >= 0.25 else len(data)
        if way >= 0.6 and random.random() < 0.3:
            size = random.randint(1, 12)
        yield data[at : at + size]
        at += size


def _by_frames(data: bytes) -> Iterator[bytes]:
    """Cut where frames end, as far as they are whole and their heads are right."""
    at = 0
    while at + 10 <= len(data):
        size, head = data[at + 1] & 0x7F, 2 + (4 if data[at + 1] & 0x80 else 0)
        if size > 125:
            length = 2 if size == 126 else 8
            size, head = int.from_bytes(data[at + 2 : at + 2 + length], "big"), head + length
        yield data[at : at + head + size]
        at += head + size
    if at < len(data):
        yield data[at:]
