"""``MODULE:ATTRIBUTE``: found, or explained in one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from upgradegw.service.resolving import load, obtain


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Write a module that can be imported, and forget it afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)

    def write(text: str, name: str = "written_app") -> Path:
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        return path

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("written_"):
            del sys.modules[name]


def explanation(reference: str) -> str:
    """Return what is said of a reference."""
    with pytest.raises(UsageError) as caught:
        load(reference)
    return str(caught.value)


def test_dotted_attributes_are_followed(module: Callable[..., Path]) -> None:
    """``app:site.root`` is the attribute of an attribute."""
    module("class site:\n    root = 7\n")
    assert load("written_app:site.root") == 7


@pytest.mark.parametrize("reference", ["app", "app:", ":x", "./app.py:x", "app:x()", "app:x\n", "a..b:x", "1a:x"])
def test_what_is_no_reference_is_explained(reference: str) -> None:
    """The form is shown with an example."""
    assert explanation(reference).endswith("is not of the form MODULE:ATTRIBUTE, as in myapp.chat:factory")


@pytest.mark.parametrize(
    ("reference", "missing"), [("written_nowhere:x", "written_nowhere"), ("json.nope:x", "json.nope")]
)
def test_a_missing_module_is_named(reference: str, missing: str) -> None:
    """The part that is missing is named, not a traceback shown."""
    assert explanation(reference).startswith(f"there is no module {missing!r}")


def test_a_missing_import_inside_the_module_is_the_modules_error(module: Callable[..., Path]) -> None:
    """It says which line of the user's file wants what is not there."""
    path = module("\nimport written_missing\n")
    assert explanation("written_app:x") == (
        f"importing written_app failed: {path}, line 2: ModuleNotFoundError: No module named 'written_missing'"
    )


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("x = 1\nraise ValueError('two\\nlines')\n", 2, "ValueError: two lines"),
        ("def f(:\n", 1, "SyntaxError: invalid syntax"),
        ("import json\n\njson.loads('{')\n", 3, "JSONDecodeError: Expecting property name"),
        ("raise SystemExit(3)\n", 1, "SystemExit: 3"),
        ("class E(BaseException): pass\nassert False\n", 2, "AssertionError"),
    ],
)
def test_an_error_in_the_module_has_file_and_line(module: Callable[..., Path], text: str, line: int, what: str) -> None:
    """The place is the last one in the user's own files, and the message is one line."""
    path = module(text)
    said = explanation("written_app:x")
    assert said.startswith(f"importing written_app failed: {path}, line {line}: {what}")
    assert "\n" not in said


def test_a_missing_attribute_suggests_its_neighbour(module: Callable[..., Path]) -> None:
    """A slip of the finger is recognised."""
    module("factory = 1\n")
    assert explanation("written_app:factroy") == "written_app has no attribute 'factroy'; did you mean 'factory'?"
    assert explanation("written_app:zzz") == "written_app has no attribute 'zzz'"


def test_an_instance_is_taken_and_a_callable_is_called(module: Callable[..., Path]) -> None:
    """What fits is used as it is; anything else that can be called is asked for what fits."""
    module("number = 1\ndef make():\n    return 2\n")
    assert obtain("written_app:number", lambda thing: isinstance(thing, int), "a number") == 1
    assert obtain("written_app:make", lambda thing: isinstance(thing, int), "a number") == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 'text'\n", "written_app:x is an object of type str, not a number or a callable that returns one"),
        ("x = None\n", "written_app:x is None, not a number or a callable that returns one"),
        ("def x():\n    return str\n", "written_app:x returned the class str, not a number"),
        ("def x():\n    return 1/0\n", "written_app:x failed: {path}, line 2: ZeroDivisionError: division by zero"),
        ("class x:\n    def __init__(self, a): ...\n", "written_app:x failed: TypeError: "),
    ],
)
def test_what_does_not_fit_is_explained(module: Callable[..., Path], text: str, message: str) -> None:
    """It is said what was found, what was wanted, and where a call failed."""
    path = module(text)
    with pytest.raises(UsageError) as caught:
        obtain("written_app:x", lambda thing: isinstance(thing, int), "a number")
    assert str(caught.value).startswith(message.format(path=path))
