"""``MODULE:ATTRIBUTE`` as given on the command line, turned into the object; every failure is one clear line."""

from __future__ import annotations

import difflib
import importlib
import re
import sys
import sysconfig
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.python.usage import UsageError

_REFERENCE = re.compile(r"(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*)*):(?P<attribute>[^\W\d]\w*(?:\.[^\W\d]\w*)*)\Z")
#: The longest message of somebody else's exception that is repeated.
_LONGEST_MESSAGE = 400


def load(reference: str) -> Any:
    """Import a module and return one of its attributes.

    Args:
        reference: ``MODULE:ATTRIBUTE``; both may be dotted.

    Raises:
        UsageError: The reference is malformed, or what it names is not there or does not import.
    """
    match = _REFERENCE.match(reference)
    if match is None:
        raise UsageError(f"{reference!r} is not of the form MODULE:ATTRIBUTE, as in myapp.chat:factory")
    found: Any = _import(match["module"])
    path = match["module"]
    for name in match["attribute"].split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise UsageError(f"{path} has no attribute {name!r}{_suggestion(name, dir(found))}") from None
        path = f"{path}.{name}"
    return found


def obtain(reference: str, fits: Callable[[Any], bool], expected: str) -> Any:
    """Return the object that a reference names, or what it returns when called.

    Args:
        reference: ``MODULE:ATTRIBUTE``.
        fits: Tells whether an object is what is wanted.
        expected: What is wanted, in words.

    Raises:
        UsageError: As ``load``; or the call raised; or neither the object nor what it returned fits.
    """
    found = load(reference)
    if fits(found):
        return found
    if not callable(found):
        raise UsageError(f"{reference} is {_kind(found)}, not {expected} or a callable that returns one")
    made = call(found, reference)
    if not fits(made):
        raise UsageError(f"{reference} returned {_kind(made)}, not {expected}")
    return made


def call(function: Callable[[], Any], reference: str) -> Any:
    """Call something of the user's; turn what it raises into one line.

    Raises:
        UsageError: It raised; the message says where.
    """
    try:
        return function()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's module may raise anything
        raise UsageError(f"{reference} failed: {describe(error)}") from None


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
            where = f"in {sys.path[0]} (see --app-dir)"
            raise UsageError(f"there is no module {error.name!r} {where}, and none is installed") from None
        raise UsageError(f"importing {module} failed: {describe(error)}") from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a user's module may raise anything
        raise UsageError(f"importing {module} failed: {describe(error)}") from None


def describe(error: BaseException) -> str:
    """Say in one line what was raised and where in the user's own files."""
    message = " ".join(str(error).split())[:_LONGEST_MESSAGE]
    if isinstance(error, SyntaxError):
        message = " ".join((error.msg or "").split())[:_LONGEST_MESSAGE]
    where = _place(error)
    what = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return f"{where}: {what}" if where else what


def _place(error: BaseException) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    foreign = tuple(str(Path(sysconfig.get_path(name))) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    ours = str(Path(__file__).parent)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith((ours, "<"))
    ]
    own = [frame for frame in frames if not frame.filename.startswith(foreign)] or frames
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else ""


def _suggestion(name: str, names: list[str]) -> str:
    close = difflib.get_close_matches(name, [other for other in names if not other.startswith("__")], n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _kind(thing: object) -> str:
    if isinstance(thing, type):
        return f"the class {thing.__name__}"
    return "None" if thing is None else f"an object of type {type(thing).__name__}"
