"""Why a request was not switched, or a connection ended: one stable name for each outcome.

A reason is written to the log together with the values that were compared and a hint for the operator; it is never
sent to the client. The documentation's table symptom, reason, remedy is made from this enumeration, so a name that
has been released does not change.

The file has more than 300 lines because it is one table: each reason has its four values in one place.
"""

from __future__ import annotations

from enum import Enum
from typing import Self

from upgradegw.negotiation.symptoms import Close, Sign, Status, Symptom


class Reason(Enum):
    """A stable name (the value), a hint, what the client sees, and the settings that help if the client is right.

    A setting is written as an argument of a public function or class, ``websocket(origins)``, or as an option of the
    command line, ``--trusted-proxy``. Tests compare symptoms with what the source sends, and settings with what there
    is.
    """

    def __new__(cls, name: str, hint: str, sees: tuple[Symptom, ...], settings: tuple[str, ...] = ()) -> Self:
        """Keep the name as the value and the rest beside it."""
        member = object.__new__(cls)
        member._value_ = name
        member._hint = hint  # type: ignore[attr-defined]
        member._sees = sees  # type: ignore[attr-defined]
        member._settings = settings  # type: ignore[attr-defined]
        return member

    @property
    def hint(self) -> str:
        """What to do about it, one sentence for the person who reads the log."""
        return str(self._hint)  # type: ignore[attr-defined]

    @property
    def sees(self) -> tuple[Symptom, ...]:
        """What the client sees of it: one or the other of these."""
        return self._sees  # type: ignore[attr-defined, no-any-return]

    @property
    def settings(self) -> tuple[str, ...]:
        """The arguments and options that change this outcome; none if only the client, or the application, can."""
        return self._settings  # type: ignore[attr-defined, no-any-return]

    # --- The offer was declined: the request is answered as if it had not been made (RFC 9110 section 7.8).
    NO_UPGRADE = (
        "no_upgrade",
        "The request offers no protocol; a client of this path must send Upgrade.",
        (Status(426), Status(400), Sign.ORDINARY),
        ("UpgradeResource(otherwise)",),
    )
    NO_CONNECTION_OPTION = (
        "no_connection_option",
        "Upgrade came without 'Connection: upgrade'; a proxy in front probably does not pass it on.",
        (Status(426), Sign.ORDINARY),
    )
    HTTP_1_0 = (
        "http_1_0",
        "Upgrade is ignored in HTTP/1.0; set 'proxy_http_version 1.1' or its like in the proxy.",
        (Status(426), Sign.ORDINARY),
    )
    UNSUPPORTED_TOKEN = (
        "unsupported_token",
        "None of the offered protocols is served on this path.",
        (Status(426), Status(501), Sign.ORDINARY),
        ("UpgradeResource(upgrades)", "ProxyResource(upgrades)", "--upgrade", "--websocket"),
    )
    METHOD_NOT_ALLOWED = (
        "method_not_allowed",
        "This path, or the offered protocol, is not served for this method.",
        (Status(405), Status(426), Sign.ORDINARY),
        ("stream(methods)",),
    )
    CONTENT_NOT_ALLOWED = (
        "content_not_allowed",
        "The offered protocol takes no request content.",
        (Status(426), Sign.ORDINARY),
        ("stream(content)",),
    )

    # --- The request was refused before anybody was asked.
    PROTECTED_CONNECTION_OPTION = (
        "protected_connection_option",
        "Connection names a field that must not be removed on the way; a client or proxy is at fault.",
        (Status(400),),
    )
    CONTROL_CHARACTERS = (
        "control_characters",
        "A field value holds control characters; the client is at fault.",
        (Status(400),),
    )
    BAD_KEY = ("bad_key", "Sec-WebSocket-Key must be there once, the base64 form of 16 bytes.", (Status(400),))
    BAD_VERSION = (
        "bad_version",
        "Only version 13 of WebSocket is spoken (Sec-WebSocket-Version: 13).",
        (Status(426), Status(400)),
    )
    BAD_SUBPROTOCOL = ("bad_subprotocol", "Sec-WebSocket-Protocol must list distinct tokens.", (Status(400),))
    BAD_EXTENSIONS = ("bad_extensions", "Sec-WebSocket-Extensions does not follow its grammar.", (Status(400),))
    BAD_ORIGIN = ("bad_origin", "Origin is repeated or is no origin.", (Status(400),))
    ORIGIN_NULL = (
        "origin_null",
        "The page has an opaque origin; list 'null' in origins= to accept such pages.",
        (Status(403),),
        ("websocket(origins)",),
    )
    ORIGIN_MISMATCH = (
        "origin_mismatch",
        "List the page's origin in websocket(f, origins=[...]), or name the proxy: --trusted-proxy (trusted_proxies=).",
        (Status(403),),
        ("websocket(origins)", "UpgradeSite(trusted_proxies)", "--trusted-proxy"),
    )

    # --- Somebody was asked.
    DENIED = ("denied", "authorize() denied the request.", (Status(403), Sign.CHOSEN), ("UpgradeResource(authorize)",))
    UNAUTHENTICATED = (
        "unauthenticated",
        "Name and password are missing or wrong; the first request of a browser always comes without them.",
        (Status(401),),
        ("BasicAuth(users)",),
    )
    CLIENT_NOT_ALLOWED = (
        "client_not_allowed",
        "The client's address is in none of the networks that may pass; behind a proxy: name it as a trusted one.",
        (Status(403),),
        ("allow_networks(networks)", "UpgradeSite(trusted_proxies)", "--trusted-proxy"),
    )
    AUTHORIZE_FAILED = (
        "authorize_failed",
        "authorize() raised; its traceback is in the log.",
        (Status(500),),
        ("UpgradeResource(authorize)",),
    )
    AUTHORIZE_TIMEOUT = (
        "authorize_timeout",
        "authorize() gave no answer in time.",
        (Status(503),),
        ("UpgradeResource(authorize_timeout)",),
    )
    DENIED_BY_APPLICATION = (
        "denied_by_application",
        "The application (onConnect) denied the connection.",
        (Status(403), Sign.CHOSEN),
    )
    PREPARE_FAILED = (
        "prepare_failed",
        "The application raised while it prepared the protocol; see the traceback.",
        (Status(500),),
    )
    PREPARE_TIMEOUT = (
        "prepare_timeout",
        "The application did not prepare the protocol in time.",
        (Status(503),),
        ("UpgradeResource(prepare_timeout)",),
    )
    NO_PROTOCOL = ("no_protocol", "The factory's buildProtocol returned None.", (Status(503),))
    DRAINING = (
        "draining",
        "The Drain of this resource was called: it takes no more connections.",
        (Status(503),),
        ("UpgradeResource(drain)",),
    )
    CLIENT_GONE = ("client_gone", "The client left before the answer.", (Sign.NOBODY,))
    NO_TAKEOVER = (
        "no_takeover",
        "This connection cannot be taken over: use UpgradeSite, with requests that know extended CONNECT.",
        (Status(501), Status(400)),
    )
    NO_EXTENDED_CONNECT = (
        "no_extended_connect",
        "This resource knows no extended CONNECT: --no-extended-connect (extended_connect=False), or IUpgradeResource.",
        (Status(405),),
        ("UpgradeSite(extended_connect)", "--no-extended-connect"),
    )

    # --- The HTTP/1.1 channel would not read on.
    HEAD_TIMEOUT = (
        "head_timeout",
        "The request head did not arrive in time.",
        (Status(408), Sign.GOAWAY),
        ("UpgradeSite(head_timeout)", "UpgradeSite(preface_timeout)", "UpgradeSite(settings_timeout)"),
    )
    HEAD_TOO_LARGE = (
        "head_too_large",
        "The request head exceeds max_head bytes.",
        (Status(431),),
        ("UpgradeSite(max_head)",),
    )
    TOO_MANY_FIELDS = (
        "too_many_fields",
        "The request has more than max_fields field lines.",
        (Status(431),),
        ("UpgradeSite(max_fields)",),
    )
    TARGET_TOO_LONG = (
        "target_too_long",
        "The request target exceeds max_target bytes.",
        (Status(414),),
        ("UpgradeSite(max_target)",),
    )
    CONTENT_TOO_LARGE = (
        "content_too_large",
        "The content exceeds max_content bytes; see limit().",
        (Status(413),),
        ("UpgradeSite(max_content)",),
    )
    CONTENT_TIMEOUT = (
        "content_timeout",
        "The content stopped arriving.",
        (Status(408),),
        ("UpgradeSite(content_timeout)",),
    )
    BAD_REQUEST = ("bad_request", "The bytes are no HTTP request.", (Status(400), Sign.NO_ANSWER))
    BAD_HOST = ("bad_host", "Host must be there once and name a host (RFC 9112 section 3.2).", (Status(400),))
    HOST_NOT_ALLOWED = (
        "host_not_allowed",
        "The host is not in allowed_hosts.",
        (Status(421),),
        ("UpgradeSite(allowed_hosts)",),
    )
    AMBIGUOUS_LENGTH = (
        "ambiguous_length",
        "Content-Length and Transfer-Encoding contradict one another.",
        (Status(400),),
    )
    UNKNOWN_TRANSFER_CODING = (
        "unknown_transfer_coding",
        "Only the transfer coding 'chunked' is understood.",
        (Status(501),),
    )
    MALFORMED_REQUEST = (
        "malformed_request",
        "The stream holds no valid HTTP/2 request; the client or a proxy is at fault.",
        (Status(400), Sign.STREAM_RESET),
    )
    SCHEME_MISMATCH = (
        "scheme_mismatch",
        "On HTTP/2 the request's scheme is not the connection's; name the proxy: --trusted-proxy (trusted_proxies=).",
        (Status(421),),
        ("UpgradeSite(trusted_proxies)", "--trusted-proxy"),
    )
    FLOOD = (
        "flood",
        "The client sent more of something over HTTP/2 than its limits allow; the connection was ended.",
        (Sign.GOAWAY,),
        (
            "UpgradeSite(max_continuations)",
            "UpgradeSite(max_settings)",
            "UpgradeSite(max_resets)",
            "UpgradeSite(max_glitches)",
            "UpgradeSite(max_control_frames)",
            "UpgradeSite(max_queued_acks)",
            "UpgradeSite(max_empty_frames)",
        ),
    )
    CONNECT = ("connect", "CONNECT is not served: this is no forward proxy.", (Status(405),))
    UNSUPPORTED_HTTP_VERSION = (
        "unsupported_http_version",
        "Only HTTP/1.1 and HTTP/1.0 are spoken here.",
        (Status(505),),
    )
    TOO_MANY_CONNECTIONS = (
        "too_many_connections",
        "A limit of the site, the resource or the factory is reached; the detail names it (max_connections...).",
        (Status(503), Status(429)),
        (
            "UpgradeSite(max_connections)",
            "UpgradeSite(max_connections_per_client)",
            "UpgradeResource(max_connections)",
            "UpgradeResource(max_connections_per_client)",
            "UpgradeResource(max_connections_per_context)",
        ),
    )

    TLS_REQUIRED = (
        "tls_required",
        "Requests are answered in TLS only: the client must offer it, TLS/1.2 or later, directly and with HTTP/1.1.",
        (Status(426),),
        ("UpgradeSite(tls_upgrade)",),
    )

    # --- An upstream.
    BAD_TARGET = (
        "bad_target",
        "The path has dot-segments or %00, or is another route's to servers that read slashes freely: not passed on.",
        (Status(400),),
    )
    UPSTREAM_UNREACHABLE = (
        "upstream_unreachable",
        "No connection to the upstream: is it running, and is its address right? The detail says what failed.",
        (Status(502),),
        ("ProxyResource(upstream)", "UpstreamSettings(ca)", "UpstreamSettings(server_name)"),
    )
    UPSTREAM_TIMEOUT = (
        "upstream_timeout",
        "The upstream did not accept the connection, or did not answer, in time.",
        (Status(504), Sign.CUT),
        (
            "UpstreamSettings(connect_timeout)",
            "UpstreamSettings(response_timeout)",
            "UpstreamSettings(read_timeout)",
        ),
    )
    UPSTREAM_CLOSED = (
        "upstream_closed",
        "The upstream closed the connection before its response was complete.",
        (Status(502), Sign.CUT),
    )
    UPSTREAM_BAD_RESPONSE = (
        "upstream_bad_response",
        "What the upstream sent is no valid response, or beyond a limit; the detail says what is wrong.",
        (Status(502), Sign.CUT),
        ("UpstreamSettings(max_head)", "UpstreamSettings(max_interim)"),
    )
    UPSTREAM_BAD_SWITCH = (
        "upstream_bad_switch",
        "The upstream switched protocols in a way that nobody asked for; the detail compares the two.",
        (Status(502),),
        ("ProxyResource(lenient)",),
    )
    UPSTREAM_NO_SWITCH = (
        "upstream_no_switch",
        "The upstream cannot be asked over HTTP/2 to switch: turn extended CONNECT on there, or speak HTTP/1.1 to it.",
        (Status(502),),
    )
    NO_UPSTREAM = (
        "no_upstream",
        "All upstreams of the route are down.",
        (Status(503),),
        ("HealthSettings(failures)", "HealthSettings(down_for)"),
    )

    # --- A connection that had been switched ended.
    CLOSED = ("closed", "The connection ended in order.", (Sign.IN_ORDER,))
    LOST = ("lost", "The connection was lost without a closing handshake.", (Sign.CUT,))
    TLS_FAILED = (
        "tls_failed",
        "The client was promised TLS and did not get through the handshake: no TLS at all, no version, or no time.",
        (Sign.CUT,),
        ("UpgradeSite(head_timeout)", "UpgradeSite(tls_upgrade)"),
    )
    APPLICATION_ERROR = (
        "application_error",
        "The application raised; its traceback is in the log.",
        (Close(1011), Sign.CUT),
    )
    PING_TIMEOUT = (
        "ping_timeout",
        "The client did not answer a ping in time.",
        (Sign.CUT,),
        ("websocket(ping_timeout)", "websocket(ping_interval)"),
    )
    CONTROL_FLOOD = (
        "control_flood",
        "The client sent more control frames a second than is allowed.",
        (Close(1008),),
        ("websocket(control_frames_per_second)",),
    )
    SLOW_READER = (
        "slow_reader",
        "The client does not read what is sent to it.",
        (Close(1008), Sign.CUT),
        ("websocket(max_unsent)", "websocket(write_timeout)"),
    )
    MESSAGE_TIMEOUT = (
        "message_timeout",
        "A message was begun and not completed in time.",
        (Close(1008),),
        ("websocket(message_timeout)",),
    )
    TOO_MANY_FRAGMENTS = (
        "too_many_fragments",
        "A message has more than max_fragments frames.",
        (Close(1008),),
        ("websocket(max_fragments)",),
    )
    MESSAGE_TOO_BIG = (
        "message_too_big",
        "A message or frame exceeds its limit (max_message_size, max_frame_size).",
        (Close(1009),),
        ("websocket(max_message_size)", "websocket(max_frame_size)"),
    )
    PROTOCOL_ERROR = ("protocol_error", "The client violated the protocol.", (Close(1002), Close(1007), Sign.GOAWAY))
    WRITE_TIMEOUT = (
        "write_timeout",
        "The client did not read for write_timeout seconds.",
        (Sign.CUT,),
        ("UpgradeSite(write_timeout)",),
    )
    TUNNEL_IDLE = (
        "tunnel_idle",
        "Nothing went through the tunnel for its idle timeout.",
        (Close(1001), Sign.CUT),
        ("ProxyResource(idle_timeout)",),
    )
    UPSTREAM_LOST = ("upstream_lost", "The upstream reset the tunnel.", (Sign.CUT,))
    STOPPED = ("stopped", "The server is stopping.", (Close(1001), Sign.CUT), ("--stop-timeout",))
