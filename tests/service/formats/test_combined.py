"""The combined format: what tools that know it find, and what no client can put there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.service.formats.events import END, REFUSED, REQUEST, STOCK, SWITCH, logged
from upgradegw.negotiation.reasons import Reason
from upgradegw.service.formats.combined import Combined, format_event


def test_a_request_begins_as_in_the_combined_format() -> None:
    """Tools that read the combined format of other servers read ours."""
    assert Combined().line(logged(REQUEST)) == (
        '192.0.2.7 - - [22/Nov/2026:10:42:00 +0000] "GET /ws?a=1 HTTP/1.1" 200 12 "-" "curl/8" seconds=0.012 id=c1'
    )


def test_twisteds_log_has_its_own_time() -> None:
    """There a line begins with the client."""
    assert Combined().message(logged(REQUEST)) == (
        '192.0.2.7 "GET /ws?a=1 HTTP/1.1" 200 12 "-" "curl/8" seconds=0.012 id=c1'
    )


def test_a_refusal_has_reason_values_and_hint() -> None:
    """Who looks after the server finds what was compared, and what to do."""
    reason = Reason.ORIGIN_MISMATCH
    refused = {**REFUSED, "reason": reason.value, "detail": "https://b.example", "hint": reason.hint}
    assert format_event(refused).endswith(
        f' id=c1 reason=origin_mismatch detail="https://b.example" hint="{reason.hint}"'
    )


def test_a_refusal_on_a_stock_site_is_a_request() -> None:
    """The event ``refuse`` has no end of anything to tell, and fewer values than a request."""
    assert format_event(STOCK) == ('"GET /ws -" 400 0 "-" "-" seconds=- id=- reason=bad_key detail="-" hint="Look."')


def test_switch_and_end_are_lines_of_their_own() -> None:
    """An upgraded connection can be followed by its id, from the switch to its bytes and close code."""
    assert Combined().line(logged(SWITCH)) == (
        '192.0.2.7 - - [22/Nov/2026:10:42:00 +0000] switch path="/ws" token="websocket" subprotocol="-"'
        ' http_version="HTTP/2" id=c1'
    )
    assert Combined().line(logged(END, client=None)) == (
        '- - - [22/Nov/2026:10:42:00 +0000] end path="/ws" token="websocket" subprotocol="-"'
        ' http_version="HTTP/2" seconds=60.000'
        " bytes_in=7 bytes_out=9 close_code=1001 reason=closed id=c1"
    )


@given(st.binary() | st.text())
def test_no_value_leaves_its_quotes(value: bytes | str) -> None:
    """A-36: control characters, quotation marks, backslashes and all beyond ASCII are written as escapes."""
    line = Combined().line(logged(REQUEST, user_agent=value, detail=value, reason="bad_key", hint=""))
    assert line.count('"') == 10
    assert all(" " <= character < "\x7f" for character in line)
