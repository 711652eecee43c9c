"""The page that leads from a symptom to its reasons has each reason under each of its symptoms."""

from __future__ import annotations

import re

import pytest

from tests.source_tree import ROOT
from tests.testing.applications import ws_tree
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.symptoms import Close, Sign, Status, Symptom
from upgradegw.testing import Client

PAGE = (ROOT / "docs" / "reference" / "symptoms.md").read_text()
SECTIONS = {text.partition("\n")[0]: text for text in PAGE.split("\n## ")[1:]}

#: Where a symptom without a number is found.
HEADINGS = {
    Sign.ORDINARY: ("The page instead of a switch",),
    Sign.CHOSEN: ("401, 403 or a redirection: what the application chose",),
    Sign.NO_ANSWER: ("A proxy's 502 or 504",),
    Sign.CUT: ("A proxy's 502 or 504", "A browser's 1006"),
    Sign.STREAM_RESET: ("A proxy's 502 or 504",),
    Sign.GOAWAY: ("A proxy's 502 or 504", "A browser's 1006"),
    Sign.IN_ORDER: ("Close 1000, or a code of the application",),
    Sign.NOBODY: ("Nothing",),
}


def headings(symptom: Symptom) -> tuple[str, ...]:
    """Return the headings under which somebody looks who sees this."""
    if isinstance(symptom, Status):
        return tuple(heading for heading in SECTIONS if re.match(rf"{symptom.code} [A-Z]", heading))
    return (f"Close {symptom.code}",) if isinstance(symptom, Close) else HEADINGS[symptom]


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_every_reason_is_under_each_of_its_symptoms(reason: Reason) -> None:
    """With its hint, and every setting that helps."""
    assert all(map(headings, reason.sees))
    for heading in (heading for symptom in reason.sees for heading in headings(symptom)):
        (row,) = re.findall(rf"^\| `{reason.value}` \| (.*) \|$", SECTIONS[heading], re.MULTILINE)
        hint, remedy = row.rsplit(" | ", 1) if reason.settings else (row.rstrip(" |"), "")
        assert hint == reason.hint
        named = {setting.partition("(")[2].rstrip(")") or setting for setting in reason.settings}
        assert {name for name in named if name not in remedy} == set()


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_a_reason_is_nowhere_else(reason: Reason) -> None:
    """A section has rows for reasons that lead to its symptom, and no others."""
    under = {heading for heading, text in SECTIONS.items() if f"\n| `{reason.value}` |" in text}
    assert under == {heading for symptom in reason.sees for heading in headings(symptom)}


@pytest.mark.parametrize("status", [400, 403, 405, 408, 413, 421, 426, 429, 431, 500, 501, 502, 503, 504, 505])
def test_statuses_are_headings(status: int) -> None:
    """Who searches for the number finds it in the table of contents."""
    assert len(headings(Status(status))) == 1


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_a_browsers_1006_may_be_any_refusal(reason: Reason) -> None:
    """A browser hides the status of a refused handshake from the page, so all of them are listed there."""
    rows = dict(re.findall(r"^\| (\d{3}) \| (.*) \|$", SECTIONS["A browser's 1006"], re.MULTILINE))
    listed = {int(status) for status, reasons in rows.items() if f"`{reason.value}`" in reasons.split(", ")}
    assert listed == {symptom.code for symptom in reason.sees if isinstance(symptom, Status)}


def test_a_stop_is_seen_as_the_reason_says() -> None:
    """The one close code that stands beside no reason in the source."""
    with Client(ws_tree()) as client:
        socket = client.websocket("/ws")
        client.site.stop()
        assert [Close(socket.close_code or 0)] == [seen for seen in Reason.STOPPED.sees if isinstance(seen, Close)]
        client.clock.advance(20)
