"""The limits that may surprise, as ``docs/how-to/embed.md`` tells them, are those that are met."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from tests.docs.test_reference import defaults, value
from tests.http1.wire import Wire, get, make_site
from tests.http2.client import Client as FrameClient
from tests.http2.client import fields
from tests.source_tree import ROOT
from upgradegw import UpgradeSite, access_events
from upgradegw.http.limits import Limits
from upgradegw.testing import Client

PAGE = (ROOT / "docs" / "how-to" / "embed.md").read_text()


def rows() -> dict[str, list[str]]:
    """Return the cells of the table, by argument."""
    text = PAGE.split("## The limits that may surprise", 1)[1].split("\n## ", 1)[0]
    lines = [line.strip("| ").split("|") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip(" `"): [cell.strip(" `") for cell in cells[1:]] for cells in lines}


ROWS = rows()


class Page(Resource):
    """A page that takes any content; ``/later`` never answers, ``/film`` has a long answer that it is still writing."""

    isLeaf = True

    def render(self, request: Any) -> Any:
        if request.path == b"/film":
            request.write(b"x" * 3_000_000)
        return NOT_DONE_YET if request.path in (b"/later", b"/film") else b"page"


def content(client: Client) -> Any:
    return client.request("POST", content=b"x" * 11)


def stalled(client: Client) -> Any:
    pending = client.start_request("POST", fields={"Content-Length": "9"})
    client.clock.advance(70)
    return pending.result()


def slow_head(client: Client) -> Any:
    connection = client.connect()
    connection.send(b"GET / HTTP/1.1\r\n")
    client.clock.advance(15)
    return connection.received


def crowd(client: Client) -> Any:
    client.start_request("GET", "/later")
    return client.get()


#: How each limit is met: the arguments of the site, and what the client does.
MEETING: dict[str, tuple[dict[str, Any], Callable[[Client], Any]]] = {
    "max_content": ({"max_content": 10}, content),
    "content_timeout": ({}, stalled),
    "max_head": ({}, lambda client: client.get(fields={"Cookie": "x" * 17_000})),
    "max_fields": ({}, lambda client: client.get(fields=[("X", str(number)) for number in range(101)])),
    "max_target": ({}, lambda client: client.get("/?" + "x" * 8200)),
    "head_timeout": ({}, slow_head),
    "max_connections": ({"max_connections": 1}, crowd),
    "max_connections_per_client": ({"max_connections_per_client": 1}, crowd),
    "allowed_hosts": ({"allowed_hosts": ["other.example"]}, Client.get),
}


def test_every_limit_is_there() -> None:
    """Each limit of the HTTP/1.1 channel is in the table, with its default."""
    others = {"allowed_hosts", "trusted_proxies", "max_streams"}
    assert ROWS.keys() == set(Limits.__slots__) | others
    given = defaults(UpgradeSite.__init__)
    for name in {*Limits.__slots__, "max_streams"}:
        assert value(ROWS[name][0]) == given[name], name


@pytest.mark.parametrize("name", MEETING)
def test_what_is_seen(name: str) -> None:
    """Whoever meets a limit sees the status of the table, and the log says the reason of the table."""
    arguments, meet = MEETING[name]
    with Client(Page(), **arguments) as client:
        answers: list[Any] = []
        seen = events(lambda: answers.append(meet(client)))
    status, reason = ROWS[name][2:4]
    (answer,) = answers
    assert (answer[9:12].decode() if isinstance(answer, bytes) else str(answer.status)) == status
    assert reason in [event.get("reason") for event in seen]


def events(happen: Callable[[], Any]) -> list[Any]:
    """Return the access events of what happens."""
    seen: list[Any] = []
    forget = access_events.subscribe(seen.append)
    try:
        happen()
    finally:
        forget()
    return seen


def test_a_download_that_stands_still() -> None:
    """It is broken off after write_timeout, and the log says so."""
    site, reactor = make_site(Page())
    wire = Wire(site, reactor, buffer=4096)

    def stand_still() -> None:
        wire.socket.send(get(b"/film"))
        for _ in range(70):
            wire.turn(read=False)
            reactor.advance(1)

    (event,) = events(stand_still)
    assert ROWS["write_timeout"][2:4] == ["broken off", event["reason"]]
    assert not wire.open


def test_a_proxy_that_takes_off_tls() -> None:
    """Over HTTP/2 it says that the scheme is https, which is misdirected unless it is trusted."""
    client = FrameClient(Page())
    (event,) = events(lambda: client.send(client.head(1, fields(scheme=b"https"))))
    assert ROWS["trusted_proxies"][2:4] == [str(client[1].status), event["reason"]]


def test_the_rest() -> None:
    """Every row that tells a status has been met; of the others nothing is seen."""
    met = {*MEETING, "trusted_proxies", "write_timeout"}
    assert {name for name, cells in ROWS.items() if cells[2] == "nothing"} == ROWS.keys() - met
