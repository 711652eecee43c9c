"""What all connections share."""

from __future__ import annotations

from tests.reactor.memory import MemoryLoop
from upgradegw.reactor.streams import READ_SIZE, Streams


def test_all_reads_go_into_one_buffer() -> None:
    """Whatever size libuv suggests: an idle connection has no buffer, and no read is larger."""
    streams = Streams(MemoryLoop())  # type: ignore[arg-type]
    buffers = [streams.get_buffer(size) for size in (65536, 65536, 256_000, 1)]
    assert all(buffer.obj is streams.buffer for buffer in buffers)
    assert len(streams.buffer) == READ_SIZE == 65536
    buffers[0][:5] = b"hello"
    assert streams.buffer[:4] == b"hell"
    assert type(streams.buffer[:4]) is bytes
