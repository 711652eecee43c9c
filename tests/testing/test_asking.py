"""Requests, responses and switches, as the client sends them and as it judges them."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.protocol import Protocol
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from tests.protocols_for_tests import RecorderFactory, echo
from tests.testing.applications import Mirror, echo_tree, ws_tree
from upgradegw import UpgradeResource, stream
from upgradegw.testing import Client, Reactor, Refused, Unanswered, Violation


class Scripted(Site):
    """A site that sends what it is told to, whatever it is asked: a piece each time, the last one again and again."""

    def __init__(self, *pieces: bytes, ends: bool = True) -> None:
        super().__init__(Resource(), reactor=Reactor())
        self.pieces = pieces
        self.ends = ends

    def buildProtocol(self, addr: Any) -> Any:
        site, pieces = self, list(self.pieces)

        class Answering(Protocol):
            transport: Any

            def dataReceived(self, data: bytes) -> None:
                self.transport.write(pieces.pop(0) if len(pieces) > 1 else pieces[0])
                if site.ends:
                    self.transport.loseConnection()

        return Answering()


# --- Requests.


def test_requests(over: Any) -> None:
    """Method, path and content arrive; the answer comes back with its status and fields."""
    with Client(Mirror(), over, host="tea.example", peer="198.51.100.3") as client:
        answer = client.request("POST", "/cups?n=2", content=b"two")
        assert (answer.status, answer.content) == (200, b"POST /cups?n=2 two")
        assert (answer.get("x-host"), answer.get("X-PEER")) == (b"tea.example", b"198.51.100.3")
        assert answer.get("X-Missing") is None
        assert client.get("/cups").content == b"GET /cups "
        assert client.request(b"HEAD", b"/cups").content == b""
        assert client.request("PUT", "/cups").status == 200


def test_fields_as_a_test_writes_them(over: Any) -> None:
    """Text or bytes, a mapping or pairs; a field takes the place of the client's own, and None leaves it out."""
    with Client(Mirror(), over) as client:
        saw = client.request("PUT", "/", {"X-A": "1", "X-B": b"2", "X-C": None}, b"tea").get_all("X-Saw")
        assert {b"x-a=1", b"x-b=2", b"content-length=3"} <= {*saw}
        assert not any(each.startswith(b"x-c") for each in saw)
        saw = client.get("/", [("x-a", "1"), (b"X-A", b"2")]).get_all("X-Saw")
        assert b"x-a=1|2" in saw
        if not client.http2:
            assert client.get("/", {"host": "other.example"}).get("X-Host") == b"other.example"
            assert client.get("/", {"Host": None}).status == 400


def test_a_large_content_goes_both_ways(over: Any) -> None:
    """Whatever the windows and buffers, all of it arrives."""
    with Client(Mirror(), over) as client:
        assert client.request("POST", "/", content=b"x" * 300_000).content == b"POST / " + b"x" * 300_000


def test_ipv6() -> None:
    """The client may have an address of the other family."""
    with Client(Mirror(), peer="2001:db8::7") as client:
        assert client.get("/").get("X-Peer") == b"2001:db8::7"


def test_a_connection_is_used_again(over: Any) -> None:
    """Requests go over a free connection; a new one is opened where there is none."""
    with Client(Mirror(), over) as client:
        for _ in range(3):
            client.get("/")
        assert len(client.connections) == 1
        client.start_request("GET", "/later")
        client.get("/")
        assert len(client.connections) == (1 if client.http2 else 2)
        client.connections[0].abort()
        client.connections[-1].abort()
        assert client.get("/").status == 200


def test_a_connection_that_the_site_closes_is_not_used_again() -> None:
    """``Connection: close`` is heeded, and so is the end itself."""
    with Client(Mirror()) as client:
        client.get("/", {"Connection": "close"})
        client.get("/")
        assert [connection.closed for connection in client.connections] == [True, False]
        client.clock.advance(120)
        assert client.connections[1].closed
        client.get("/")
        assert len(client.connections) == 3


def test_the_answer_that_is_not_there_yet(over: Any) -> None:
    """Who waits for ever is told what to do; who can wait, may."""
    with Client(Mirror(), over) as client:
        with pytest.raises(Unanswered, match=r"clock\.advance"):
            client.get("/later")
        pending = client.start_request("GET", "/later")
        assert (pending.answered, pending.response, pending.closed, pending.interim) == (False, None, False, [])


def test_a_response_in_pieces(over: Any) -> None:
    """What has come of a response can be seen before it is complete."""
    requests: list[Any] = []

    class Slow(Mirror):
        def render(self, request: Any) -> Any:
            requests.append(request)
            request.write(b"some, ")
            return NOT_DONE_YET

    with Client(Slow(), over) as client:
        pending = client.start_request("GET", "/")
        assert pending.response is not None
        assert (pending.answered, pending.response.content) == (False, b"some, ")
        requests[0].write(b"more")
        requests[0].finish()
        assert pending.result().content == b"some, more"


def test_interim_responses() -> None:
    """UP-10: 100 (Continue) is there to be seen, and is no answer."""
    with Client(Mirror()) as client:
        pending = client.start_request("PUT", "/", {"Expect": "100-continue", "Content-Length": "3"})
        assert [each.status for each in pending.interim] == [100]
        assert not pending.answered
        pending.send(b"tea")
        assert pending.result().content == b"PUT / tea"


def test_answers_without_a_length() -> None:
    """RFC 9112 section 6.3: where nothing says how long it is, content ends with the connection."""
    with Client(Scripted(b"HTTP/1.1 200 OK\r\n\r\nall of it")) as client:
        assert client.get("/").content == b"all of it"


def test_answers_that_are_cut_short() -> None:
    """Half an answer is none."""
    with Client(Scripted(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")) as client:
        with pytest.raises(Unanswered, match=r"the site ended the connection before .*half"):
            client.get("/")
        assert not client.connections[0].aborted


@pytest.mark.parametrize("answer", [b"SSH-2.0-tea\r\n\r\n", b"HTTP/1.1 200 OK\nX : y\r\n\r\n"])
def test_answers_that_are_none(answer: bytes) -> None:
    """What is no HTTP/1.1 response raises, and shows what it was."""
    with Client(Scripted(answer)) as client, pytest.raises(Violation, match=r"no HTTP/1\.1 response"):
        client.get("/")


@pytest.mark.parametrize("together", [True, False])
def test_an_answer_to_nothing(together: bool) -> None:
    """RFC 9112 section 9.2: what comes without a request is no answer to the next one."""
    answer, hidden = (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" + content for content in (b"one", b"two"))
    with Client(Scripted(answer + hidden if together else answer, hidden, ends=False)) as client:
        assert client.get("/").content == b"one"
        client.connections[0].send(b"more")
        assert client.get("/").content == b"one"
        assert len(client.connections) == 2
        assert client.connections[0].received.endswith(b"two")


def test_frames_that_are_none() -> None:
    """What is against RFC 9113 raises, and shows what it was."""
    settings, data_on_stream_0 = bytes(3) + b"\x04" + bytes(5), bytes(9)
    with Client(Scripted(settings, data_on_stream_0, ends=False), "http/2") as client:
        with pytest.raises(Violation, match="against RFC 9113"):
            client.get("/")
        assert client.connections[0].received.startswith(settings + data_on_stream_0)
        assert client.connections[0].closed


# --- Switches.


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"Upgrade: feed/2\r\nConnection: upgrade", None),
        (b"Upgrade: feed/3\r\nConnection: upgrade", "feed/3"),
        (b"Connection: upgrade", "without Upgrade"),
        (b"Upgrade: feed/2", "without Upgrade"),
        (b"Upgrade: feed/2\r\nConnection: upgrade\r\nContent-Length: 3", "content-length"),
    ],
)
def test_a_switch_is_judged(line: bytes, why: str | None) -> None:
    """UP-01, UP-02, UP-03, UP-15: a 101 that a client must not believe raises."""
    with Client(Scripted(b"HTTP/1.1 101 Whatever\r\n" + line + b"\r\n\r\ntea")) as client:
        if why is None:
            assert client.upgrade("feed/2").received == b"tea"
        else:
            with pytest.raises(Violation, match=why):
                client.upgrade("feed/2")


def test_refused_tells_the_answer(over: Any) -> None:
    """Status, fields and content are at hand, and in the message that a failing test shows."""
    with Client(ws_tree(), over) as client:
        with pytest.raises(Refused, match="403: You may not") as caught:
            client.websocket("/ws", origin="https://evil.example")
        assert caught.value.fields == caught.value.response.fields
        assert caught.value.content.startswith(b"You may not")


def test_a_pending_result_is_the_same_each_time(over: Any) -> None:
    """Whoever asks twice gets one WebSocket."""
    with Client(ws_tree(), over) as client:
        pending = client.start_websocket("/ws")
        assert pending.result() is pending.result()


def test_methods_and_content_of_an_upgrade() -> None:
    """A token may take POST and content; they go with the request, and leading data behind them."""
    factory = RecorderFactory(data=echo)
    upgrade = stream("feed/2", factory, methods=["POST"], content=True)
    with Client(UpgradeResource([upgrade])) as client:
        tunnel = client.upgrade("feed/2", method="POST", content=b"since=7", leading=b"early")
        assert (factory.only.info.content, tunnel.received) == (b"since=7", b"early")


def test_http2_has_no_method_and_no_content_for_an_upgrade() -> None:
    """RFC 8441 section 5: extended CONNECT stands for a GET, and what follows is the tunnel's."""
    with Client(echo_tree(), "http/2") as client:
        for arguments in ({"method": "POST"}, {"content": b"x"}):
            with pytest.raises(ValueError, match="extended CONNECT"):
                client.upgrade("echo", "/echo", **arguments)  # type: ignore[arg-type]


def test_extended_connect_must_be_offered() -> None:
    """RFC 8441 section 3: without the setting a client may not ask, and this one says so."""
    with Client(ws_tree(), "http/2", extended_connect=False) as client:
        assert client.get("/plain").status == 200
        with pytest.raises(Unanswered, match="does not offer extended CONNECT"):
            client.websocket("/ws")


def test_a_stream_that_is_reset_says_why() -> None:
    """EC-03: a malformed ``:protocol`` has no answer but a reset, which is named."""
    with Client(ws_tree(), "http/2") as client, pytest.raises(Unanswered, match="reset with PROTOCOL_ERROR"):
        client.upgrade("no token", "/ws")
