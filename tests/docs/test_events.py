"""The events' schema is right: what a run over every kind emits keeps to it, and so do the lines of the log."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from tests.memory import Memory, upgrade_request
from tests.source_tree import ROOT
from tests.testing.applications import echo_tree, ws_tree
from upgradegw import Allow, Deny
from upgradegw.events import EVENTS, access_events
from upgradegw.service.formats import FORMATS
from upgradegw.service.formats.json_lines import JsonLines
from upgradegw.testing import Client, Refused
from upgradegw.testing.client import TRANSPORTS

SCHEMA = json.loads((ROOT / "docs" / "reference" / "events.schema.json").read_text())
KINDS = {kind["title"]: kind for kind in SCHEMA["oneOf"]}
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    """All access events of a test, as observers get them."""
    seen: list[dict[str, Any]] = []
    unsubscribe = access_events.subscribe(seen.append)  # type: ignore[arg-type]
    yield seen
    unsubscribe()


def valid(event: dict[str, Any]) -> str:
    """Check an event, and its line; return its kind and reason."""
    fields = {name: value for name, value in event.items() if not name.startswith("log_")}
    line = json.loads(JsonLines().line(event))
    for each in (fields, line):
        VALIDATOR.validate(each)
        assert each.keys() <= KINDS[event["event"]]["properties"].keys()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert line.keys() - {"time"} == fields.keys()
    return f"{event['event']} {event.get('reason', '')}".rstrip()


def refused(ask: Any, *args: Any, **kwargs: Any) -> None:
    with pytest.raises(Refused):
        ask(*args, **kwargs)


@pytest.mark.parametrize("over", TRANSPORTS)
def test_every_kind_on_every_transport(over: Any, events: list[dict[str, Any]]) -> None:
    """Plain requests, refusals by rules, application and channel, switches, and ends of several kinds."""
    tree = ws_tree(authorize=lambda request: Deny(401) if request.args else Allow())
    tree.putChild(b"echo", echo_tree().children[b"echo"])
    with Client(tree, over) as client:
        client.get("/plain", fields={"Referer": "https://a.example/", "User-Agent": '"\\\x9b'})
        refused(client.websocket, "/ws", origin="https://b.example")
        refused(client.websocket, "/ws?deny=1")
        client.request("GET", "/" + "x" * 9000)
        client.websocket("/ws").close()
        client.websocket("/ws").abort()
        client.upgrade("echo", "/echo").lose()
        client.clock.advance(20)
    found = set(map(valid, events))
    assert found >= {"request", "request origin_mismatch", "request denied", "request target_too_long"}
    assert found >= {"switch", "end closed", "end lost"}


def test_a_connection_that_ends_with_goaway(events: list[dict[str, Any]]) -> None:
    """What has no request at all is a ``request`` event, too."""
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9) + b"x" * 100
    Memory(ws_tree()).send(preface)
    assert set(map(valid, events)) == {"request protocol_error"}


def test_bytes_that_are_no_request(events: list[dict[str, Any]]) -> None:
    """Method and target are texts then, too."""
    Memory(ws_tree()).send(b"\x16\x03\x01\x02\x00\r\n\r\n")
    assert set(map(valid, events)) == {"request bad_request"}


def test_a_stock_site(events: list[dict[str, Any]]) -> None:
    """There a refusal is an event of its own."""
    Memory(ws_tree(), stock=True).send(upgrade_request(b"websocket", path=b"/ws"))
    assert set(map(valid, events)) == {"refuse bad_version"}


def test_every_field_is_required_unless_it_says_so() -> None:
    """The schema refuses an event without a field, one of a wrong type, and an unknown kind."""
    whole = {"event": "refuse", "method": "GET", "target": "/", "status": 400, "reason": "x", "detail": "", "hint": ""}
    VALIDATOR.validate(whole)
    for wrong in ({**whole, "status": "400"}, {**whole, "event": "refused"}, {**whole, "hint": None}):
        assert not VALIDATOR.is_valid(wrong)
    for name in whole:
        assert not VALIDATOR.is_valid({key: value for key, value in whole.items() if key != name})


def test_the_page_has_the_fields_of_the_schema() -> None:
    """Each field is on the page, for each kind that has it."""
    page = (ROOT / "docs" / "reference" / "events.md").read_text()
    stated: dict[str, set[str]] = {kind: set() for kind in EVENTS}
    for name, kinds in re.findall(r"^\| `(\w+)` \| [^|]* \| [^|]* \| ([^|]*) \|", page, re.MULTILINE):
        for kind in EVENTS if kinds == "all" else kinds.replace(" (not always)", "").split(", "):
            stated[kind].add(name)
    assert stated == {kind: set(each["properties"]) - {"time"} for kind, each in KINDS.items()}


@pytest.mark.parametrize("form", FORMATS)
def test_the_pages_lines_are_what_is_written(form: str) -> None:
    """The end of a connection, as the page shows it in each format."""
    end = {
        "event": "end",
        "connection_id": "c20",
        "client": "192.0.2.1",
        "path": "/ws",
        "token": "websocket",
        "subprotocol": None,
        "http_version": "HTTP/1.1",
        "seconds": 60.002,
        "bytes_in": 412,
        "bytes_out": 398,
        "close_code": 1000,
        "reason": "closed",
        "log_time": 1795344180.4824,
    }
    page = (ROOT / "docs" / "reference" / "events.md").read_text()
    assert f"\n  {FORMATS[form]().line(end)}\n" in page
    assert f"\n`{form}`\n" in page
