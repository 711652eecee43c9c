"""When an upstream is down, for how long, and how it is asked about that."""

from __future__ import annotations

from typing import Any

import pytest

from tests.proxy.several_upstreams import Several
from tests.proxy.upstream_in_memory import OK, Line
from upgradegw.proxy.health import HealthSettings


def asked(several: Several, count: int) -> str:
    """Who gets the next requests; each is answered."""
    found = ""
    for _ in range(count):
        who, _, line = several.chosen()
        line.say(OK)
        found += who
    return found


def test_failures_in_a_row() -> None:
    """Passive: with ``failures`` of them an upstream is down, with one fewer it is not, and an answer begins anew."""
    several = Several(2, failures=2)
    several.fail("a")
    assert asked(several, 3) == "bab"
    several.fail("a")
    assert asked(several, 1) == "b"
    several.fail("a")
    assert asked(several, 3) == "bbb"


@pytest.mark.parametrize("status", [200, 404, 500, 503])
def test_any_answer_is_one(status: int) -> None:
    """An upstream that answers is there; what it thinks of the request is between it and the client."""
    several = Several(1, failures=1)
    for _ in range(3):
        _, answer, line = several.chosen()
        line.say(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
        assert answer.events == ["head", "end"]


def test_it_comes_back() -> None:
    """Behind ``down_for`` it is asked again; one more failure is then enough, and one answer makes it well."""
    several = Several(2, failures=3, down_for=10.0)
    several.fail("a", "b", "a", "b", "a")
    assert asked(several, 2) == "bb"
    several.reactor.advance(9.9)
    assert asked(several, 2) == "bb"
    several.reactor.advance(0.2)
    several.fail("a")
    assert asked(several, 2) == "bb"
    several.reactor.advance(10.1)
    assert asked(several, 2) == "ab"
    several.fail("a")
    assert asked(several, 2) == "ba"


def test_a_cancelled_request_is_no_failure() -> None:
    """The client has left; that says nothing of the upstream."""
    several = Several(1, failures=1)
    for _ in range(3):
        several.chosen()[1].exchange.cancel()


# --- Questions.


class Asked(Several):
    """Two upstreams that are asked how they are, every 10 seconds from the first request on."""

    def __init__(self, **more: Any) -> None:
        super().__init__(2, **{"path": "/healthz", "failures": 2, "interval": 10.0, "timeout": 4.0, **more})
        self.ask().exchange.cancel()
        assert self.trying == "ab"

    def questions(self) -> dict[str, Line]:
        """Connect what is waiting."""
        found = {}
        while self.trying:
            who = self.trying[0]
            line = self.connect()
            if b"/healthz" in line.value():
                assert who not in found
                found[who] = line
        return found

    def round(self, **says: bytes) -> None:
        """Let the time come for questions, and answer them."""
        for who, line in self.questions().items():
            line.say(says[who]) if who in says else line.reset()
        self.reactor.advance(10)


def status(code: int) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok" % code


def test_the_question() -> None:
    """A GET for the path, to the upstream's own authority."""
    line = Asked().questions()["a"]
    assert line.heard() == (
        b"GET /healthz HTTP/1.1\r\nHost: 192.0.2.1\r\nUser-Agent: upgradegw\r\nConnection: close\r\n\r\n"
    )


def test_nothing_is_asked_before_the_first_request() -> None:
    """A configuration can be checked without a word to anybody; and without a path nothing is asked at all."""
    assert Several(2, path="/healthz").reactor.getDelayedCalls() == []
    several = Several(2)
    several.ask()
    assert several.trying == "a"


@pytest.mark.parametrize(("code", "well"), [(200, True), (204, True), (399, True), (400, False), (503, False)])
def test_answers(code: int, well: bool) -> None:
    """2xx and 3xx are well; others are failures, and enough of them in a row are too many."""
    several = Asked()
    several.round(a=status(code), b=OK)
    several.round(a=status(code), b=OK)
    several.questions()
    assert asked(several, 4) in (("baba", "abab") if well else ("bbbb",))


def test_well_again() -> None:
    """One good answer is enough, and nobody waits for ``down_for``."""
    several = Asked(down_for=1000.0)
    several.round(b=OK)
    several.round(b=OK)
    several.round(a=OK, b=OK)
    several.questions()
    assert set(asked(several, 4)) == {"a", "b"}


def test_down_until_it_is_well() -> None:
    """Between two questions an upstream that is down does not come back on its own."""
    several = Asked(down_for=1.0)
    several.round(b=OK)
    several.round(b=OK)
    several.reactor.advance(3)
    for line in several.questions().values():
        line.say(b"HTTP/1.1 ")
    assert asked(several, 3) == "bbb"


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200"])
def test_no_answer_in_time(begun: bytes) -> None:
    """It is a failure; the question is dropped, and no request is behind it."""
    several = Asked(failures=1)
    lines = several.questions()
    lines["b"].say(OK)
    lines["a"].say(begun) if begun else None
    several.reactor.advance(3.9)
    assert not lines["a"].aborted
    several.reactor.advance(0.2)
    assert lines["a"].aborted
    assert asked(several, 3) == "bbb"


def test_an_answer_without_end() -> None:
    """Its head is in time; the rest is dropped when the time is over, and that is no failure."""
    several = Asked(failures=1)
    lines = several.questions()
    lines["b"].say(OK)
    lines["a"].say(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
    several.reactor.advance(4.1)
    assert lines["a"].aborted
    assert set(asked(several, 2)) == {"a", "b"}


def test_a_switch_is_no_answer() -> None:
    """Nobody asked for one."""
    several = Asked(failures=1)
    lines = several.questions()
    lines["b"].say(OK)
    lines["a"].say(b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")
    assert asked(several, 3) == "bbb"


def test_one_question_at_a_time() -> None:
    """With a timeout longer than the interval, an upstream is not asked again before it has answered."""
    several = Asked(interval=1.0, timeout=10.0, failures=1)
    assert sorted(several.questions()) == ["a", "b"]
    several.advance(5)
    assert several.trying == ""


def test_close_drops_questions() -> None:
    """Nobody asks on behind ``close``, and no timer is left."""
    several = Asked()
    lines = several.questions()
    several.balanced.close()
    assert all(line.aborted for line in lines.values())
    assert several.reactor.getDelayedCalls() == []
    several.ask()
    assert several.trying == "b"


@pytest.mark.parametrize(
    "wrong",
    [
        {"path": "healthz"},
        {"path": "/a b"},
        {"path": "/\xe4"},
        {"interval": 0},
        {"interval": None},
        {"timeout": -1},
        {"failures": 0},
        {"failures": 1.5},
        {"down_for": None},
    ],
)
def test_what_makes_no_sense(wrong: dict[str, Any]) -> None:
    """It is refused with the name of what is wrong."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        HealthSettings(**wrong)
