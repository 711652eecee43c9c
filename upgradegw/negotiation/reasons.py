"""Why a request was not switched, or a connection ended: one stable name for each outcome.

A reason is written to the log together with the values that were compared and a hint for the operator; it is never
sent to the client. The documentation's table symptom, reason, remedy is made from this enumeration, so a name that
has been released does not change.
"""

from __future__ import annotations

from enum import Enum
from typing import Self


class Reason(Enum):
    """A stable name (the value) and a hint that tells an operator what to look at."""

    def __new__(cls, name: str, hint: str) -> Self:
        """Keep the name as the value and the hint beside it."""
        member = object.__new__(cls)
        member._value_ = name
        member._hint = hint  # type: ignore[attr-defined]
        return member

    @property
    def hint(self) -> str:
        """What to do about it, one sentence for the person who reads the log."""
        return str(self._hint)  # type: ignore[attr-defined]

    # --- The offer was declined: the request is answered as if it had not been made (RFC 9110 section 7.8).
    NO_UPGRADE = "no_upgrade", "The request offers no protocol; a client of this path must send Upgrade."
    NO_CONNECTION_OPTION = (
        "no_connection_option",
        "Upgrade came without 'Connection: upgrade'; a proxy in front probably does not pass it on.",
    )
    HTTP_1_0 = "http_1_0", "Upgrade is ignored in HTTP/1.0; set 'proxy_http_version 1.1' or its like in the proxy."
    UNSUPPORTED_TOKEN = "unsupported_token", "None of the offered protocols is served on this path."
    METHOD_NOT_ALLOWED = "method_not_allowed", "This path, or the offered protocol, is not served for this method."
    CONTENT_NOT_ALLOWED = "content_not_allowed", "The offered protocol takes no request content."

    # --- The request was refused before anybody was asked.
    PROTECTED_CONNECTION_OPTION = (
        "protected_connection_option",
        "Connection names a field that must not be removed on the way; a client or proxy is at fault.",
    )
    CONTROL_CHARACTERS = "control_characters", "A field value holds control characters; the client is at fault."
    BAD_KEY = "bad_key", "Sec-WebSocket-Key must be there once, the base64 form of 16 bytes."
    BAD_VERSION = "bad_version", "Only version 13 of WebSocket is spoken (Sec-WebSocket-Version: 13)."
    BAD_SUBPROTOCOL = "bad_subprotocol", "Sec-WebSocket-Protocol must list distinct tokens."
    BAD_EXTENSIONS = "bad_extensions", "Sec-WebSocket-Extensions does not follow its grammar."
    BAD_ORIGIN = "bad_origin", "Origin is repeated or is no origin."
    ORIGIN_NULL = "origin_null", "The page has an opaque origin; list 'null' in origins= to accept such pages."
    ORIGIN_MISMATCH = (
        "origin_mismatch",
        "List the page's origin in websocket(f, origins=[...]), or name the proxy: --trusted-proxy (trusted_proxies=).",
    )

    # --- Somebody was asked.
    DENIED = "denied", "authorize() denied the request."
    AUTHORIZE_FAILED = "authorize_failed", "authorize() raised; its traceback is in the log."
    AUTHORIZE_TIMEOUT = "authorize_timeout", "authorize() gave no answer in time."
    DENIED_BY_APPLICATION = "denied_by_application", "The application (onConnect) denied the connection."
    PREPARE_FAILED = "prepare_failed", "The application raised while it prepared the protocol; see the traceback."
    PREPARE_TIMEOUT = "prepare_timeout", "The application did not prepare the protocol in time."
    NO_PROTOCOL = "no_protocol", "The factory's buildProtocol returned None."
    CLIENT_GONE = "client_gone", "The client left before the answer."
    NO_TAKEOVER = (
        "no_takeover",
        "This connection cannot be taken over: use UpgradeSite, with requests that know extended CONNECT.",
    )
    NO_EXTENDED_CONNECT = (
        "no_extended_connect",
        "This resource knows no extended CONNECT: --no-extended-connect (extended_connect=False), or IUpgradeResource.",
    )

    # --- The HTTP/1.1 channel would not read on.
    HEAD_TIMEOUT = "head_timeout", "The request head did not arrive in time."
    HEAD_TOO_LARGE = "head_too_large", "The request head exceeds max_head bytes."
    TOO_MANY_FIELDS = "too_many_fields", "The request has more than max_fields field lines."
    TARGET_TOO_LONG = "target_too_long", "The request target exceeds max_target bytes."
    CONTENT_TOO_LARGE = "content_too_large", "The content exceeds max_content bytes; see limit()."
    CONTENT_TIMEOUT = "content_timeout", "The content stopped arriving."
    BAD_REQUEST = "bad_request", "The bytes are no HTTP request."
    BAD_HOST = "bad_host", "Host must be there once and name a host (RFC 9112 section 3.2)."
    HOST_NOT_ALLOWED = "host_not_allowed", "The host is not in allowed_hosts."
    AMBIGUOUS_LENGTH = "ambiguous_length", "Content-Length and Transfer-Encoding contradict one another."
    UNKNOWN_TRANSFER_CODING = "unknown_transfer_coding", "Only the transfer coding 'chunked' is understood."
    MALFORMED_REQUEST = (
        "malformed_request",
        "The stream holds no valid HTTP/2 request; the client or a proxy is at fault.",
    )
    SCHEME_MISMATCH = (
        "scheme_mismatch",
        "On HTTP/2 the request's scheme is not the connection's; name the proxy: --trusted-proxy (trusted_proxies=).",
    )
    FLOOD = "flood", "The client sent more of something over HTTP/2 than its limits allow; the connection was ended."
    CONNECT = "connect", "CONNECT is not served: this is no forward proxy."
    UNSUPPORTED_HTTP_VERSION = "unsupported_http_version", "Only HTTP/1.1 and HTTP/1.0 are spoken here."
    TOO_MANY_CONNECTIONS = "too_many_connections", "max_connections (or max_connections_per_client) is reached."

    # --- A connection that had been switched ended.
    CLOSED = "closed", "The connection ended in order."
    LOST = "lost", "The connection was lost without a closing handshake."
    APPLICATION_ERROR = "application_error", "The application raised; its traceback is in the log."
    PING_TIMEOUT = "ping_timeout", "The client did not answer a ping in time."
    CONTROL_FLOOD = "control_flood", "The client sent more control frames a second than is allowed."
    SLOW_READER = "slow_reader", "The client does not read what is sent to it."
    MESSAGE_TIMEOUT = "message_timeout", "A message was begun and not completed in time."
    TOO_MANY_FRAGMENTS = "too_many_fragments", "A message has more than max_fragments frames."
    MESSAGE_TOO_BIG = "message_too_big", "A message or frame exceeds its limit (max_message_size, max_frame_size)."
    PROTOCOL_ERROR = "protocol_error", "The client violated the protocol."
    WRITE_TIMEOUT = "write_timeout", "The client did not read for write_timeout seconds."
    STOPPED = "stopped", "The server is stopping."
