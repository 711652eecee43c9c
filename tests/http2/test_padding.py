"""What stands around the content of a frame."""

from __future__ import annotations

import pytest

from tests.http2.client import FRAME_SIZE_ERROR, PROTOCOL_ERROR
from upgradegw.http2.faults import ConnectionFault
from upgradegw.http2.padding import judge_dependency, unpadded, without_priority


def test_padding() -> None:
    """RFC 9113 section 6.1: padding is taken off, also where there is nothing else."""
    assert unpadded(b"\x03content\0\0\0") == b"content"
    assert unpadded(b"\0content") == b"content"
    assert unpadded(b"\x02\0\0") == b""


@pytest.mark.parametrize(
    ("wrong", "code"), [(b"", FRAME_SIZE_ERROR), (b"\x01", PROTOCOL_ERROR), (b"\x08content", PROTOCOL_ERROR)]
)
def test_padding_that_exceeds_its_frame(wrong: bytes, code: int) -> None:
    """RFC 9113 section 6.1: padding as long as the frame, or longer, is an error of the connection."""
    with pytest.raises(ConnectionFault) as caught:
        unpadded(wrong)
    assert caught.value.code == code


def test_priority() -> None:
    """RFC 9113 section 6.2: a priority is taken off; less than one is an error, and so is a stream on itself."""
    assert without_priority(b"\0\0\0\1\7block", 3) == b"block"
    for wrong in (b"\0\0\0\1", b"\x80\0\0\3\7block"):
        with pytest.raises(ConnectionFault):
            without_priority(wrong, 3)
    with pytest.raises(ConnectionFault):
        judge_dependency(b"\0\0\0\5\7", 5)
