"""The decision on extended CONNECT (RFC 8441), and on plain requests over HTTP/2."""

from __future__ import annotations

import pytest

from tests.negotiation.heads import ON_STREAM, WEBSOCKET, offer, stream_head
from upgradegw.negotiation.model import Candidate, Decline, Refuse, UpgradeProtocol
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.upgrade import negotiate, refusal

NO_STORE = ((b"Cache-Control", b"no-store"),)


@pytest.mark.parametrize("token", [b"feed/2", b"FEED/2", b"Feed/2"])
def test_extended_connect(token):
    """EC-02: the whole token is ``:protocol``, matched as in an Upgrade field; the method fits every protocol."""
    feed = offer(b"feed/2", b"POST")
    decision = negotiate(stream_head(token), [offer(b"feed"), feed])
    assert decision == Candidate(feed, UpgradeProtocol(token[:4], b"2"), "checked feed/2")


@pytest.mark.parametrize("token", [b"feed", b"feed/3", b"websocket", b"", b"feed/2, feed/2", b"/2"])
def test_extended_connect_with_an_unknown_protocol(token):
    """EC-07, A-44: what is not served is 501, with nothing that could be taken for an offer of ours."""
    head = stream_head(token)
    declined = negotiate(head, [offer(b"feed/2")])
    assert isinstance(declined, Decline)
    refuse = refusal(declined, head, [offer(b"feed/2")])
    assert (refuse.status, refuse.reason, refuse.fields) == (501, Reason.UNSUPPORTED_TOKEN, NO_STORE)
    assert refuse.detail.startswith(":protocol: ")


def test_extended_connect_with_control_characters():
    """A-10: a value that a reader of text might split is refused on a stream as elsewhere."""
    decision = negotiate(stream_head(b"feed", (*ON_STREAM, (b"x", b"a\x0bb"))), [offer(b"feed")])
    assert isinstance(decision, Refuse)
    assert decision.reason is Reason.CONTROL_CHARACTERS


@pytest.mark.parametrize("fields", [ON_STREAM, WEBSOCKET])
def test_plain_request_on_http2(fields):
    """H2-06: without extended CONNECT nothing is switched on HTTP/2, and the answer has no Upgrade field."""
    head = stream_head(None, fields)
    declined = negotiate(head, [offer(b"websocket")])
    assert isinstance(declined, Decline)
    assert declined.reason is Reason.NO_UPGRADE
    refuse = refusal(declined, head, [offer(b"websocket")])
    assert (refuse.status, refuse.fields) == (400, NO_STORE)
