"""What ends a connection: an error code of RFC 9113 section 7, and what the log says of it."""

from __future__ import annotations

from h2.errors import ErrorCodes
from twisted.python.failure import Failure

from upgradegw.negotiation.reasons import Reason

_CODES = {int(code): code for code in ErrorCodes}


class ConnectionFault(Exception):  # noqa: N818 - RFC 9113 section 5.4.1 calls it a connection error; so do socket modules
    """The peer has broken a rule or a bound in a way that ends the connection (RFC 9113 section 5.4.1).

    Attributes:
        code: The error code of the GOAWAY.
        reason: The reason, for the log.
        detail: What was found, for the log only.
    """

    def __init__(self, code: ErrorCodes, detail: str, reason: Reason = Reason.PROTOCOL_ERROR) -> None:
        """Say what it was."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.reason = reason


def flood(detail: str) -> ConnectionFault:
    """Return the fault of a client that sends more of something than any client needs (RFC 9113 section 10.5)."""
    return ConnectionFault(ErrorCodes.ENHANCE_YOUR_CALM, detail, Reason.FLOOD)


def flow_fault(detail: str) -> ConnectionFault:
    """Return the fault of a peer that breaks the rules of flow control (RFC 9113 section 6.9.1)."""
    return ConnectionFault(ErrorCodes.FLOW_CONTROL_ERROR, detail)


def error_code(code: int) -> int:
    """Return a code of RFC 9113 section 7 with its name, if it has one."""
    return _CODES.get(code, code)


def explain(reason: Failure) -> tuple[Reason, str]:
    """Say why a connection to an upstream has ended.

    Args:
        reason: What its streams are told.
    """
    fault = reason.value
    if isinstance(fault, ConnectionFault):
        if fault.reason is Reason.HEAD_TIMEOUT:
            return Reason.UPSTREAM_TIMEOUT, "a head that does not end"
        return Reason.UPSTREAM_BAD_RESPONSE, fault.detail
    return Reason.UPSTREAM_CLOSED, f"the connection has ended: {reason.getErrorMessage()}"
