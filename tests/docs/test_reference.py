"""The reference says what the code says: limits, options, events, dependencies, public names."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

import upgradegw
from tests.source_tree import MODULES, ROOT, TREES, imports
from upgradegw.client.reading import MAX_INTERIM
from upgradegw.events import EVENTS
from upgradegw.http.limits import Limits
from upgradegw.http2.limits import Http2Limits
from upgradegw.probe.arguments import parser, read
from upgradegw.protocols.websocket.settings import DEFAULTS
from upgradegw.proxy import pump
from upgradegw.proxy.health import HealthSettings
from upgradegw.proxy.settings import UpstreamSettings
from upgradegw.service import tls
from upgradegw.service.certificate_watch import POLL_SECONDS
from upgradegw.service.options import Options

REFERENCE = ROOT / "docs" / "reference"
UNITS = {"s": 1, "h": 3600, "KiB": 1024, "MiB": 1024 * 1024, "": 1}


def rows(page: str, heading: str) -> Iterator[list[str]]:
    """Yield the cells of the table's rows below a heading."""
    text = (REFERENCE / page).read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def value(cell: str) -> float | None:
    """Read ``16 KiB``, ``10 s``, ``1,024`` or ``none``."""
    if cell == "none":
        return None
    match = re.fullmatch(r"([0-9,]+) ?(\w*)", cell)
    assert match is not None, cell
    return int(match[1].replace(",", "")) * UNITS[match[2]]


def documented(heading: str) -> dict[str, float | None]:
    """Return the defaults that the page of limits tells."""
    return {cells[0].strip("`"): value(cells[1]) for cells in rows("limits.md", heading)}


def defaults(function: Any) -> dict[str, Any]:
    """Return the defaults of a function's keyword arguments."""
    return {name: parameter.default for name, parameter in inspect.signature(function).parameters.items()}


def test_limits_of_a_site() -> None:
    """Every limit of a site is on the page, with its default."""
    stated = documented("Of a site")
    assert stated.pop("timeout") == 60
    assert stated == {name: getattr(Limits(), name) for name in Limits.__slots__}
    given = defaults(upgradegw.UpgradeSite.__init__)
    assert {name: given[name] for name in stated} == stated


def test_limits_of_http_2() -> None:
    """Every limit of an HTTP/2 connection is on the page, with its default, and is an argument of the site."""
    stated = documented("Of an HTTP/2 connection")
    assert stated == {name: getattr(Http2Limits(), name) for name in Http2Limits.__slots__}
    given = defaults(upgradegw.UpgradeSite.__init__)
    assert {name: given[name] for name in stated} == stated


def test_limits_of_tls() -> None:
    """What cannot be set is told all the same."""
    stated = {"ticket keys": tls.TICKET_KEY_SECONDS, "tickets": tls.TICKET_SECONDS, "files": POLL_SECONDS}
    assert documented("Of TLS") == stated


def test_limits_of_tunnels() -> None:
    """What the tunnels of a route may keep is told, too."""
    assert documented("Of tunnels") == {"read": pump.MOST, "waiting": pump.MOST_WAITING, "short read": pump.SHORT}


def test_limits_of_a_resource() -> None:
    """The deadlines and limits of a resource are on the page, with their defaults."""
    given = defaults(upgradegw.UpgradeResource.__init__)
    limits = {name: given[name] for name in given if name.endswith("_timeout") or name.startswith("max_")}
    assert documented("Of a resource") == limits


def test_limits_of_a_stream() -> None:
    """The limit of a stream is on the page, with its default."""
    given = defaults(upgradegw.stream)
    assert documented("Of a stream") == {name: given[name] for name in given if name.startswith("max_")}


def test_limits_of_a_websocket() -> None:
    """Every limit of a WebSocket is on the page, with the default that holds for an untouched factory."""
    names = {
        "max_message_size": "maxMessagePayloadSize",
        "max_frame_size": "maxFramePayloadSize",
        "ping_interval": "autoPingInterval",
        "ping_timeout": "autoPingTimeout",
        "close_timeout": "closeHandshakeTimeout",
    }
    given = defaults(upgradegw.websocket)
    for other in ("factory", "origins", "compression", "subprotocols"):
        del given[other]
    assert documented("Of a WebSocket") == {
        name: DEFAULTS[names[name]] if name in names else given[name] for name in given
    }


def stated_options() -> tuple[set[str], set[str]]:
    """Return the options on the command line's page: the server's, and the probe's."""
    server, _, probe = (REFERENCE / "command-line.md").read_text().partition("\n## Probe\n")
    found = [set(re.findall(r"^\| `--([\w-]+)", part, re.MULTILINE)) for part in (server, probe)]
    return found[0], found[1]


def test_every_option_of_the_probe_is_on_the_page_and_no_other() -> None:
    """The page has the options that ``upgradegw probe --help`` has, and their defaults."""
    _, stated = stated_options()
    assert stated == set(re.findall(r"--([a-z][\w-]*)", parser().format_help()))
    defaults_stated = {
        cells[0].strip("`").split()[0]: match[1]
        for cells in rows("command-line.md", "Probe")
        if (match := re.search(r"Default: `?([\w]+)", cells[1]))
    }
    wish = read(["ws://a/"])
    assert defaults_stated == {
        "--token": str(wish.token),
        "--method": wish.method.decode(),
        "--timeout": f"{wish.timeout:g}",
    }


def test_limits_of_upstreams() -> None:
    """Every bound of an upstream, and of several, is on the page, with its default."""
    settings = UpstreamSettings()
    bounds = {name: getattr(settings, name) for name in UpstreamSettings.__slots__}
    bounds = {name: bound for name, bound in bounds.items() if name.startswith("max_") or name.endswith("_timeout")}
    assert documented("Of an upstream") == bounds
    health = HealthSettings()
    bounds = {name: getattr(health, name) for name in HealthSettings.__slots__ if name != "path"}
    assert documented("Of several upstreams") == bounds


def test_limits_of_a_client() -> None:
    """Every limit of a client's endpoint is on the page, with its default."""
    given = defaults(upgradegw.UpgradeClientEndpoint.__init__)
    names = {"timeout", "max_head", "max_body"}
    assert documented("Of a client") == {name: given[name] for name in names}
    assert "Ten responses" in (REFERENCE / "limits.md").read_text()
    assert MAX_INTERIM == 10


def test_every_option_is_on_the_page_and_no_other() -> None:
    """The command line's page has the options that ``--help`` has."""
    stated, _ = stated_options()
    usage = str(Options())
    assert stated == set(re.findall(r"--([a-z][\w-]*)", usage.split("Options:", 1)[1])) - {"reactor"}
    assert documented("Of the service") == {"--stop-timeout": 10}


def emitted() -> dict[str, set[str]]:
    """Return the fields with which the source emits each kind of access event."""
    found: dict[str, set[str]] = {}
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "emit":
                names = {word.arg for word in node.keywords if word.arg}
                (kind,) = (word.value.value for word in node.keywords if word.arg == "event")  # type: ignore[attr-defined]
                found.setdefault(kind, set()).update(names)
    return found


def test_the_fields_of_events() -> None:
    """Each field that the page tells of is emitted with its events, and the other way round."""
    stated = {kind: set(event.__annotations__) for kind, event in EVENTS.items()}
    found = emitted()
    assert found.keys() == stated.keys()
    about = {
        "connection_id",
        "client",
        "client_subject",
        "path",
        "token",
        "subprotocol",
        "http_version",
        "route",
    }  # given as ``**about``
    assert found["switch"] | about == stated["switch"]
    assert found["end"] | about == stated["end"]
    assert found["refuse"] == stated["refuse"]
    assert found["request"] <= stated["request"]


PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_dependencies() -> None:
    """Each dependency is on the page with its lowest version and what it is for."""
    stated = {cells[0].strip("`"): cells[1] for cells in rows("dependencies.md", "Of the package")}
    assert [f"{name}>={version}" for name, version in stated.items()] == PROJECT["dependencies"]
    extras = [
        (cells[0].strip("`"), f"{cells[1].strip('`')}>={cells[2]}") for cells in rows("dependencies.md", "Extras")
    ]
    declared = PROJECT["optional-dependencies"]
    assert extras == [(name, each) for name in ("speed", "twisted-websocket") for each in declared[name]]


def test_everything_imported_is_a_dependency() -> None:
    """The package imports nothing that only happens to be there."""
    required = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["speed"]]
    names = {re.split(r"[\[>=]", each)[0].lower() for each in required}
    provided = {"OpenSSL": "pyopenssl", "prometheus_client": "prometheus-client", "zope": "twisted"}
    provided |= {"upgradegw": "", "__future__": ""}
    foreign = {target.split(".")[0] for name in MODULES for _, target in imports(name)} - set(
        __import__("sys").stdlib_module_names
    )
    assert {name for name in foreign if provided.get(name, name.lower()) not in names | {""}} == set()


@pytest.mark.parametrize("name", upgradegw.__all__)
def test_public_names_are_documented(name: str) -> None:
    """Whatever is public says what it is for."""
    found = getattr(upgradegw, name)
    assert (inspect.getdoc(found) or "").strip()
