"""What we say as a client before anybody has said anything."""

from __future__ import annotations

from hyperframe.frame import Frame as TheirFrame
from hyperframe.frame import SettingsFrame, WindowUpdateFrame

from upgradegw.http2.client_connection import CLIENT_LIMITS
from upgradegw.http2.client_session import ClientSession
from upgradegw.http2.frames import PREFACE, Frame, Kind


def test_the_preface_and_the_settings() -> None:
    """No pushes, and windows that are bounded: of all streams together no smaller than theirs."""
    said = ClientSession(CLIENT_LIMITS, 16 * 1024).take()
    assert said.startswith(PREFACE)
    rest, frames = said[len(PREFACE) :], []
    while rest:
        frame, length = TheirFrame.parse_frame_header(memoryview(rest[:9]))
        frame.parse_body(memoryview(rest[9 : 9 + length]))
        frames.append(frame)
        rest = rest[9 + length :]
    first, second = frames
    assert isinstance(first, SettingsFrame)
    assert first.settings[SettingsFrame.ENABLE_PUSH] == 0
    assert first.settings[SettingsFrame.INITIAL_WINDOW_SIZE] == CLIENT_LIMITS.stream_window
    assert first.settings[SettingsFrame.MAX_HEADER_LIST_SIZE] == 16 * 1024
    assert isinstance(second, WindowUpdateFrame)
    assert 65_535 + second.window_increment == CLIENT_LIMITS.max_streams * CLIENT_LIMITS.stream_window


def test_what_the_server_lets_us_do() -> None:
    """Until SETTINGS say otherwise there is no extended CONNECT (RFC 8441 section 3)."""
    session = ClientSession(CLIENT_LIMITS, 16 * 1024)
    assert not session.extended_connect
    session.settings_received(Frame(Kind.SETTINGS, 0, 0, b"\0\3\0\0\0\7" + b"\0\x08\0\0\0\1"))
    assert session.extended_connect
    assert session.max_streams == 7
