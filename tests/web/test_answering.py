"""An upgrade that answers a request in another way than by a switch."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.web.server import NOT_DONE_YET

from upgradegw import Accept, Allow, Respond, UpgradeProtocol, UpgradeResource
from upgradegw.testing import Client, Refused
from upgradegw.testing.client import TRANSPORTS


class Answers:
    """An upgrade whose ``prepare`` gives what it is told to."""

    protocol = UpgradeProtocol(b"echo")
    methods = (b"GET",)
    content = False

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.released = 0

    def check(self, head: Any) -> None:
        """Have no rules."""

    def prepare(self, info: Any, transport: Any) -> Any:
        return self.answer

    def release(self) -> None:
        self.released += 1


def _teapot(request: Any) -> bytes:
    request.setResponseCode(418)
    return b"short and stout"


def _status(pending: Any) -> Any:
    with pytest.raises(Refused) as caught:
        pending.result()
    return caught.value.response


@pytest.mark.parametrize("over", TRANSPORTS)
def test_respond(over: Any) -> None:
    """The request is rendered as an ordinary one, with what authorize has added; extended CONNECT likewise."""
    allow = Allow(fields=((b"X-User", b"me"), (b"Set-Cookie", b"a=1")))
    upgrade = Answers(Respond(_teapot))
    with Client(UpgradeResource([upgrade], authorize=lambda _request: allow), over) as client:
        response = _status(client.start_upgrade("echo"))
        assert (response.status, response.content) == (418, b"short and stout")
        assert (response.get("X-User"), response.get("Set-Cookie")) == (b"me", b"a=1")


def test_respond_later() -> None:
    """A response may take its time, as every other."""
    requests: list[Any] = []

    def render(request: Any) -> int:
        requests.append(request)
        return NOT_DONE_YET

    with Client(UpgradeResource([Answers(Respond(render))])) as client:
        pending = client.start_upgrade("echo")
        assert not pending.answered
        requests[0].finish()
        assert _status(pending).status == 200


def test_bytes_behind_the_request_are_not_parsed() -> None:
    """RFC 9931: who offered a switch may have sent bytes of the new protocol; the connection closes."""
    with Client(UpgradeResource([Answers(Respond(_teapot))])) as client:
        pending = client.start_upgrade("echo", leading=b"GET /hidden HTTP/1.1\r\nHost: a.example\r\n\r\n")
        assert _status(pending).status == 418
        assert client.connections[0].received.count(b"HTTP/1.1") == 1
        assert client.connections[0].ended


def _too_late(upgrade: Answers) -> Deferred[Any]:
    """Something that answers when it is told to give up."""
    return Deferred(lambda waiting: waiting.callback(Respond(_teapot, upgrade.release)))


def test_the_client_has_left() -> None:
    """What is not rendered is released; without a deadline of ours nothing ends the waiting before."""
    upgrade = Answers(None)
    upgrade.answer = _too_late(upgrade)
    with Client(UpgradeResource([upgrade], prepare_timeout=None)) as client:
        pending = client.start_upgrade("echo")
        client.clock.advance(100_000)
        assert not pending.answered
        assert upgrade.released == 0
        pending.abort()
        assert upgrade.released == 1


def test_an_answer_behind_the_deadline() -> None:
    """The client has its 503 already."""
    upgrade = Answers(None)
    upgrade.answer = _too_late(upgrade)
    with Client(UpgradeResource([upgrade], prepare_timeout=5)) as client:
        pending = client.start_upgrade("echo")
        client.clock.advance(6)
        assert _status(pending).status == 503
        assert upgrade.released == 1


def test_an_application_that_answers_by_itself() -> None:
    """It has written to the request, and nothing of the response may stand behind that."""
    upgrade = Answers(None)

    def prepare(info: Any, transport: Any) -> Respond:
        info.request.write(b"mine")
        return Respond(_teapot, upgrade.release)

    upgrade.prepare = prepare  # type: ignore[method-assign]
    upgrade.wants_request = True  # type: ignore[attr-defined]
    with Client(UpgradeResource([upgrade])) as client:
        assert client.start_upgrade("echo").closed
        assert upgrade.released == 1


def test_a_token_that_cannot_stand_in_a_head() -> None:
    """It becomes a 500, and the protocol is released."""
    upgrade = Answers(None)
    upgrade.answer = Accept(None, release=upgrade.release, token=b"echo\r\nX: y")  # type: ignore[arg-type]
    with Client(UpgradeResource([upgrade])) as client:
        assert _status(client.start_upgrade("echo")).status == 500
        assert upgrade.released == 1
