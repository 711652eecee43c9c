"""What an HTTP/2 connection may cost: every bound beyond those of HTTP/1.1, with the precedent for its value."""

from __future__ import annotations

from dataclasses import dataclass

#: What every client may send unasked, and the largest window there is (RFC 9113 sections 6.9.1 and 6.9.2).
_LEAST_WINDOW, _MOST_WINDOW = 65_535, 2**31 - 1


@dataclass(frozen=True, slots=True)
class Http2Limits:
    """Bounds of one HTTP/2 connection.

    Attributes:
        max_streams: Requests at a time; a stream beyond is refused with REFUSED_STREAM (RFC 9113 section 5.1.2;
            Envoy's edge guide and HAProxy: 100). Requests that the client has reset and that their resource has not
            let go of count, too.
        stream_window: Bytes that a client may send on a stream before its resource has read some (Envoy's edge guide:
            64 KiB). At least 65,535, which every client may send unasked (RFC 9113 section 6.9.2).
        connection_window: The same for all streams together (Envoy's edge guide: 1 MiB).
        max_continuations: CONTINUATION frames of a header block (nghttp2: 8).
        max_settings: Entries of a SETTINGS frame (nghttp2: 32).
        max_resets: Streams that may be reset at once, by either side (nghttp2: 1,000); more are earned with time.
        resets_per_second: Resets that are earned each second (nghttp2: 33).
        max_glitches: Oddities at once: frames that are ignored, empty, or for streams that are gone (nghttp2: 10,000).
        glitches_per_second: Oddities that are earned each second (nghttp2: 330).
        max_control_frames: PING and SETTINGS at once (Envoy's control frames, nghttp2's unsent acks: 1,000).
        control_frames_per_second: PING and SETTINGS that are earned each second (100, as for a WebSocket).
        max_queued_acks: Acknowledgements that wait for a client that does not read (nghttp2: 1,000).
        max_empty_frames: Frames in a row that carry nothing (Envoy 1; 10 lets a clumsy client live).
        preface_timeout: Seconds for the client's preface (Go: 10 s).
        settings_timeout: Seconds from there to the client's first SETTINGS (Go: 2 s).
    """

    max_streams: int = 100
    stream_window: int = 64 * 1024
    connection_window: int = 1024 * 1024
    max_continuations: int = 8
    max_settings: int = 32
    max_resets: int = 1000
    resets_per_second: float = 33.0
    max_glitches: int = 10_000
    glitches_per_second: float = 330.0
    max_control_frames: int = 1000
    control_frames_per_second: float = 100.0
    max_queued_acks: int = 1000
    max_empty_frames: int = 10
    preface_timeout: float = 10.0
    settings_timeout: float = 5.0

    def __post_init__(self) -> None:
        """Refuse windows that a client could overrun without fault.

        Raises:
            ValueError: A window is too small or too large.
        """
        for name in ("stream_window", "connection_window"):
            value = getattr(self, name)
            if not _LEAST_WINDOW <= value <= _MOST_WINDOW:
                raise ValueError(f"{name} must be from {_LEAST_WINDOW} to {_MOST_WINDOW}, not {value}")
