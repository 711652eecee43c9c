"""Bring what is made from the source up to date: requirements, reasons, symptoms, events, configuration.

``python docs/update_tables.py`` rewrites the pages; a test compares them with what this would write. On a page that is
written by hand, what is made stands between ``<!-- made: … -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import ast
import json
import re
import types
import typing
from pathlib import Path
from typing import Any

from upgradegw.events import EVENTS, About
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.symptoms import Close, Status, Symptom
from upgradegw.service.config import reference as configuration
from upgradegw.service.config import schema as configuration_schema

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
#: Pages that are written by hand but for what stands between their marks.
FILLED = tuple(REFERENCE / name for name in ("symptoms.md", "events.md", "configuration.md"))

#: A requirement's id, as rows of a page begin with it and docstrings cite it.
ID = re.compile(r"(?<![\w-])(?:UP|WS|PD|CL|HC|TL|H2|EC|A)-[0-9]{2}(?![0-9])")
_RANGE = re.compile(rf"({ID.pattern}) to ({ID.pattern})")
_ROW = re.compile(rf"^\| ({ID.pattern}) (\|.*\|) [^|]*\|$", re.MULTILINE)

#: The reasons' page, and the reason with which each of its parts begins.
_PARTS = (
    (Reason.NO_UPGRADE, "The offer was passed over", "The request was answered as if it had not been made."),
    (Reason.PROTECTED_CONNECTION_OPTION, "The request was refused at once", "Nobody was asked."),
    (Reason.DENIED, "The application was asked", "And said no, failed, or said nothing."),
    (Reason.HEAD_TIMEOUT, "The channel would not read on", "These close the connection."),
    (Reason.BAD_TARGET, "Another server was asked", "Or was not, because of the request's target."),
    (Reason.CLOSED, "An upgraded connection ended", "The reason of its second line in the log."),
)
_REASONS_INTRODUCTION = """# Reasons

Why a request was not switched, or a connection ended: `reason=` in the access log, beside the values that were
compared. A name that has been released does not change. Clients are not told reasons; what they see instead leads to
the reasons in {doc}`symptoms`. A remedy is an argument or option of ours; where there is none, the client, the
application or a proxy has to change. This page is made from `upgradegw.negotiation.reasons` by
`python docs/update_tables.py`.
"""
_REASONS_COLUMNS = "| reason | what to look at | the client sees | remedy |\n|---|---|---|---|\n"


def cited(docstring: str) -> set[str]:
    """Return the ids that a docstring cites; ``UP-01 to UP-03`` cites three."""
    found = set(ID.findall(docstring))
    for first, last in _RANGE.findall(docstring):
        kind, _, start = first.partition("-")
        found.update(f"{kind}-{number:02d}" for number in range(int(start), int(last.partition("-")[2]) + 1))
    return found


def citations() -> dict[str, list[str]]:
    """Return for each id the test files in which a docstring cites it."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                for identifier in cited(ast.get_docstring(node) or ""):
                    found.setdefault(identifier, set()).add(str(path.relative_to(ROOT / "tests")))
    return {identifier: sorted(files) for identifier, files in found.items()}


def with_citations(page: str, by_id: dict[str, list[str]]) -> str:
    """Return a page with the last column of its rows filled in."""

    def row(match: re.Match[str]) -> str:
        files = ", ".join(f"`{name}`" for name in by_id.get(match[1], []))
        return f"| {match[1]} {match[2]} {files} |"

    return _ROW.sub(row, page)


def reasons_page() -> str:
    """Return the page of all reasons."""
    begins = {first: (title, text) for first, title, text in _PARTS}
    page = _REASONS_INTRODUCTION
    for reason in Reason:
        if reason in begins:
            title, text = begins[reason]
            page += f"\n## {title}\n\n{text}\n\n{_REASONS_COLUMNS}"
        sees = ", ".join(map(_shown, reason.sees))
        page += f"| `{reason.value}` | {reason.hint} | {sees} | {_settings(reason)} |\n"
    return page


def _settings(reason: Reason) -> str:
    """Return the settings as somebody writes them: ``websocket(origins=…)``."""
    return ", ".join(f"`{each[:-1]}=…)`" if "(" in each else f"`{each}`" for each in reason.settings)


def _shown(symptom: Symptom) -> str:
    if isinstance(symptom, Status):
        return str(symptom.code)
    return f"Close {symptom.code}" if isinstance(symptom, Close) else symptom.value


def key(symptom: Symptom) -> str:
    """Return the name of a symptom's table on the page of symptoms."""
    if isinstance(symptom, Status):
        return f"status {symptom.code}"
    return f"close {symptom.code}" if isinstance(symptom, Close) else symptom.value


def reasons_by_symptom() -> dict[str, list[Reason]]:
    """Return the reasons of each symptom, by the name of its table."""
    found: dict[str, list[Reason]] = {}
    for reason in Reason:
        for symptom in reason.sees:
            found.setdefault(key(symptom), []).append(reason)
    return found


def symptom_table(name: str) -> str:
    """Return the table of one symptom."""
    reasons = reasons_by_symptom().get(name)
    if reasons is None:
        return "No reason of ours: it is the application's, or a proxy's.\n"
    rows = [f"| `{each.value}` | {each.hint} | {_settings(each)} |\n" for each in reasons]
    return "| reason | what to look at | remedy |\n|---|---|---|\n" + "".join(rows)


def refusals_table() -> str:
    """Return all reasons for which a handshake is answered with a status, by status."""
    by_status: dict[int, list[str]] = {}
    for reason in Reason:
        for symptom in reason.sees:
            if isinstance(symptom, Status):
                by_status.setdefault(symptom.code, []).append(f"`{reason.value}`")
    rows = [f"| {status} | {', '.join(reasons)} |\n" for status, reasons in sorted(by_status.items())]
    return "| status | reasons |\n|---|---|\n" + "".join(rows)


def fields_of(kind: str) -> dict[str, tuple[Any, About, bool]]:
    """Return the fields of a kind of event: type, what it is, and whether it is always there."""
    event = EVENTS[kind]
    found = {}
    for name, annotated in typing.get_type_hints(event, include_extras=True).items():
        inner = annotated.__args__[0] if typing.get_origin(annotated) is typing.NotRequired else annotated
        (about,) = inner.__metadata__
        found[name] = inner.__origin__, about, inner is annotated
    return found


def events_table() -> str:
    """Return the table of all fields of all events."""
    kinds: dict[str, list[str]] = {}
    about: dict[str, tuple[Any, About]] = {}
    for kind in EVENTS:
        for name, (field, what, always) in fields_of(kind).items():
            kinds.setdefault(name, []).append(kind if always else f"{kind} (not always)")
            about[name] = field, what
    table = "| field | type | unit | events | what |\n|---|---|---|---|---|\n"
    for name, (field, what) in about.items():
        where = "all" if kinds[name] == list(EVENTS) else ", ".join(kinds[name])
        table += f"| `{name}` | {_type_name(field)} | {what.unit} | {where} | {what.text} |\n"
    return table


def _members(field: Any) -> tuple[Any, ...]:
    return typing.get_args(field) if isinstance(field, types.UnionType) else (field,)


def _type_name(field: Any) -> str:
    if typing.get_origin(field) is typing.Literal:
        return "str"
    return " or ".join("None" if each is types.NoneType else each.__name__ for each in _members(field))


_JSON_TYPES = {str: "string", int: "integer", float: "number", types.NoneType: "null"}


def _property(field: Any, about: About) -> dict[str, Any]:
    described = {"description": about.text + (f" ({about.unit})" if about.unit else "")}
    if typing.get_origin(field) is typing.Literal:
        return {"const": typing.get_args(field)[0], **described}
    names = [_JSON_TYPES[each] for each in _members(field)]
    return {"type": names[0] if len(names) == 1 else names, **described}


def schema() -> str:
    """Return the JSON Schema of the events, and of the lines of the format ``json``, which have a time, too."""
    time = {"type": "string", "format": "date-time", "description": "only in the log: UTC, with milliseconds"}
    kinds = [
        {
            "title": kind,
            "description": event.__doc__,
            "type": "object",
            "properties": {
                "time": time,
                **{name: _property(field, about) for name, (field, about, _) in fields_of(kind).items()},
            },
            "required": [name for name, (_, _, always) in fields_of(kind).items() if always],
        }
        for kind, event in EVENTS.items()
    ]
    made = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Access events of upgradegw",
        "oneOf": kinds,
    }
    return json.dumps(made, indent=2) + "\n"


_MADE = re.compile(r"(<!-- made: (.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str) -> str:
    """Return a page with what is made from the source between its marks."""

    def made(match: re.Match[str]) -> str:
        if match[2].startswith("keys "):
            return match[1] + configuration.table(match[2].removeprefix("keys ")) + match[3]
        make = {"events": events_table, "refusals": refusals_table}.get(match[2])
        return match[1] + (make() if make else symptom_table(match[2])) + match[3]

    return _MADE.sub(made, page)


def pages() -> dict[Path, str]:
    """Return the pages as they should be."""
    by_id = citations()
    made = {
        path: with_citations(path.read_text(), by_id)
        for path in (REFERENCE / "requirements.md", REFERENCE / "attacks.md")
    }
    made |= {path: filled(path.read_text()) for path in FILLED}
    made[REFERENCE / "reasons.md"] = reasons_page()
    made[REFERENCE / "events.schema.json"] = schema()
    made[ROOT / "upgradegw" / "service" / "config" / "schema.json"] = configuration_schema.made()
    return made


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text)
