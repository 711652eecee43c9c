"""What a client can tell from outside of why it was not switched, or of how its connection ended.

A symptom is a status code, a WebSocket close code, or one of the signs that have no number. The documentation's page
that leads from a symptom to its reasons is made from these values.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class Status:
    """An HTTP answer with this status code (RFC 9110 section 15), that we choose ourselves."""

    code: int


@dataclass(frozen=True, slots=True)
class Close:
    """A WebSocket Close frame of ours with this code (RFC 6455 section 7.4.1)."""

    code: int


class Sign(Enum):
    """What has no number."""

    #: The resource for plain requests answers, as if no switch had been asked for (RFC 9110 section 7.8).
    ORDINARY = "ordinary answer"
    #: The status is the application's: 401, 403, a redirection or another one.
    CHOSEN = "chosen status"
    #: The connection is closed without an answer.
    NO_ANSWER = "no answer"
    #: The connection ends in the middle, without a Close frame or the rest of an answer.
    CUT = "cut"
    #: One HTTP/2 stream is reset; the connection goes on (RFC 9113 section 5.4.2).
    STREAM_RESET = "stream reset"
    #: The HTTP/2 connection ends with GOAWAY, and all its streams with it (RFC 9113 section 5.4.1).
    GOAWAY = "GOAWAY"
    #: The end that was meant: closed by either side in the terms of the protocol, with a code of its choice.
    IN_ORDER = "in order"
    #: The client is gone and sees nothing.
    NOBODY = "nobody"


Symptom = Status | Close | Sign
