"""What stands around the content of a frame: padding and priority (RFC 9113 sections 6.1 to 6.3)."""

from __future__ import annotations

from h2.errors import ErrorCodes

from upgradegw.http2.faults import ConnectionFault

_STREAM_ID = 0x7FFFFFFF
#: Bytes of a priority: the stream on which this one depends, and a weight.
_PRIORITY = 5


def unpadded(payload: bytes) -> bytes:
    """Return a payload without its padding and the length of that.

    Raises:
        ConnectionFault: The padding exceeds the frame.
    """
    if not payload:
        raise ConnectionFault(ErrorCodes.FRAME_SIZE_ERROR, "a padded frame without the length of its padding")
    end = len(payload) - payload[0]
    if end < 1:
        raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, "padding that exceeds its frame")
    return payload[1:end]


def without_priority(payload: bytes, stream_id: int) -> bytes:
    """Return the payload of HEADERS without the priority with which it begins.

    Raises:
        ConnectionFault: There is none, or the stream depends on itself.
    """
    if len(payload) < _PRIORITY:
        raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, "HEADERS whose priority exceeds it")
    judge_dependency(payload, stream_id)
    return payload[_PRIORITY:]


def judge_dependency(priority: bytes, stream_id: int) -> None:
    """Refuse a stream that depends on itself, the one thing about priorities that was an error (RFC 7540 5.3.1)."""
    if int.from_bytes(priority[:4], "big") & _STREAM_ID == stream_id:
        raise ConnectionFault(ErrorCodes.PROTOCOL_ERROR, f"stream {stream_id} depends on itself")
