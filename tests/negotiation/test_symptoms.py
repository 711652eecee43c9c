"""What the reasons say that a client sees is what the source sends: read from the source, and driven where it decides.

The AST is read for every place where a reason stands beside a number; the few places where the reason is a variable
are named here, and each is driven by what decides it.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

import upgradegw
from tests.source_tree import TREES
from upgradegw import Deny
from upgradegw.http2.faults import ConnectionFault
from upgradegw.negotiation.model import Client, Decline, RequestHead
from upgradegw.negotiation.reasons import Reason
from upgradegw.negotiation.symptoms import Close, Sign, Status, Symptom
from upgradegw.negotiation.upgrade import negotiate, refusal
from upgradegw.protocols.stream import stream
from upgradegw.service.options import Options
from upgradegw.web.asking import AUTHORIZE, PREPARE

#: Where a refusal's reason is no constant: module and expression. A new one needs a line below that drives it.
VARIABLE = {
    ("upgradegw.web.asking", "step.late"): (AUTHORIZE.late, PREPARE.late),
    ("upgradegw.web.asking", "step.failed"): (AUTHORIZE.failed, PREPARE.failed),
    ("upgradegw.web.switchover", "denied"): (Reason.DENIED, Reason.DENIED_BY_APPLICATION),  # Deny's status
    ("upgradegw.negotiation.upgrade", "decline.reason"): (),  # see ``declined``
    ("upgradegw.proxy.forwarding", "reason"): (),  # of content that the connection refuses, where the number stands
    ("upgradegw.proxy.responding", "error.reason"): (),  # of an UpstreamError, where the number stands
}

#: These have a status that nobody reads.
UNREAD = {(Reason.CLIENT_GONE, Status(500))}


def symptom(number: int) -> Symptom:
    """Return what a number means: there are no close codes below 1000 and no status codes beyond 599."""
    return Status(number) if number < 1000 else Close(number)


def reason_of(node: ast.expr) -> Reason | None:
    """Return the reason that an expression names."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Reason":
        return Reason[node.attr]
    return None


def numbers(node: ast.expr, module: str) -> Iterator[int]:
    """Yield the numbers that an expression may be, and of names those that the module gives them."""
    if isinstance(node, ast.IfExp):
        yield from numbers(node.body, module)
        yield from numbers(node.orelse, module)
    elif isinstance(node, ast.Constant) and type(node.value) is int and 300 <= node.value <= 4999:
        yield node.value
    elif isinstance(node, ast.Name):
        value = getattr(importlib.import_module(module), node.id, None)
        if type(value) is int and 300 <= value <= 4999:
            yield value


def pairs(module: str, tree: ast.AST) -> Iterator[tuple[Reason, Symptom]]:
    """Yield each reason and symptom that stand side by side in a call, a tuple or a dictionary."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict):
            entries = [[key, value] for key, value in zip(node.keys, node.values, strict=True) if key is not None]
        elif isinstance(node, ast.Call):
            entries = [[*node.args, *(word.value for word in node.keywords)]]
        elif isinstance(node, ast.Tuple):
            entries = [node.elts]
        else:
            continue
        for each in entries:
            reasons = [reason for part in each if (reason := reason_of(part)) is not None]
            found = [symptom(number) for part in each for number in numbers(part, module)]
            yield from itertools.product(reasons, found)
            if any(isinstance(part, ast.Attribute) and ast.unparse(part.value) == "ErrorCodes" for part in each):
                yield from ((reason, Sign.GOAWAY) for reason in reasons)


def variable() -> Iterator[tuple[str, str, list[int]]]:
    """Yield module, expression and statuses of each refusal whose reason is no constant."""
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"Refuse", "BadHead"}:
                words = [word.value for word in node.keywords if word.arg == "reason"]
                first = words[0] if words else node.args[node.func.id == "BadHead"]
                if reason_of(first) is None:
                    found = [number for part in node.args for number in numbers(part, module)]
                    yield module, ast.unparse(first), found


def declined() -> Iterator[tuple[Reason, Symptom]]:
    """Yield what becomes of every kind of declined offer where no other resource answers."""
    asker = Client("192.0.2.7", b"http", b"a.example", "192.0.2.7")
    upgrades = (stream("one", object()), stream("two", object(), methods=["POST"]))
    offers: list[tuple[tuple[bytes, bytes], ...]] = [(), ((b"Upgrade", b"one"),)]
    offers += [((b"Connection", b"Upgrade"), (b"Upgrade", token)) for token in (b"one", b"two", b"three", b"")]
    for version, method, fields, content, protocol in itertools.product(
        (b"HTTP/1.0", b"HTTP/1.1", b"HTTP/2"),
        (b"GET", b"HEAD", b"POST", b"PUT", b"CONNECT"),
        offers,
        (False, True),
        (None, b"three"),
    ):
        if (protocol is not None) != (method == b"CONNECT") or (protocol is not None and version != b"HTTP/2"):
            continue
        head = RequestHead(method, b"/", version, fields, content, asker, protocol)
        decision = negotiate(head, upgrades)
        if isinstance(decision, Decline):
            refuse = refusal(decision, head, upgrades)
            yield refuse.reason, Status(refuse.status)
            yield decision.reason, Sign.ORDINARY


def sent() -> dict[Reason, set[Symptom]]:
    """Return what the source sends for each reason: status codes, close codes and GOAWAY."""
    found: dict[Reason, set[Symptom]] = {}
    known = [pair for module, tree in TREES.items() for pair in pairs(module, tree)]
    known += declined()
    for module, expression, statuses in variable():
        for reason in VARIABLE[module, expression]:
            known += [(reason, Status(status)) for status in statuses]
    for reason in VARIABLE["upgradegw.web.switchover", "denied"]:
        known += [(reason, Status(Deny().status)), (reason, Sign.CHOSEN)]
    known.append((inspect.signature(ConnectionFault).parameters["reason"].default, Sign.GOAWAY))
    for reason, seen in set(known) - UNREAD:
        found.setdefault(reason, set()).add(seen)
    return found


SENT = sent()
#: The signs that are told above; what stands behind the others, no source text tells.
TOLD = {Sign.GOAWAY, Sign.ORDINARY, Sign.CHOSEN}


def test_every_place_with_a_variable_reason_is_known() -> None:
    """Whoever lets a variable decide says here what drives it."""
    assert {(module, expression) for module, expression, _ in variable()} == set(VARIABLE)


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_the_client_sees_what_the_reason_says(reason: Reason) -> None:
    """The status codes, the close codes and the signs of a reason are those that are sent with it."""
    stated = {seen for seen in reason.sees if not isinstance(seen, Sign) or seen in TOLD}
    if reason is Reason.STOPPED:
        return  # the one close code that stands beside no reason: tests/docs/test_symptoms.py
    assert SENT.get(reason, set()) == stated


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_every_reason_is_seen_somehow(reason: Reason) -> None:
    """Each reason says what the client sees, no symptom twice."""
    assert reason.sees
    assert len(set(reason.sees)) == len(reason.sees)


def arguments(name: str) -> set[str]:
    """Return the arguments of a public function or class."""
    found: Any = getattr(upgradegw, name)
    return set(inspect.signature(found.__init__ if inspect.isclass(found) else found).parameters)


@pytest.mark.parametrize("reason", Reason, ids=lambda reason: reason.value)
def test_settings_exist(reason: Reason) -> None:
    """What a reason names as a remedy is an option of the command line, or an argument of a public name."""
    options = str(Options())
    for setting in reason.settings:
        owner, parenthesis, argument = setting.removesuffix(")").partition("(")
        if parenthesis:
            assert argument in arguments(owner), setting
        else:
            assert f"{setting}=" in options or f"{setting} " in options, setting
