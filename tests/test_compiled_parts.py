"""What is in C is used where it was compiled of the source that stands beside it, and nowhere else."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

import upgradegw.proxy.compiled
import upgradegw.reactor.reading

#: Who loads a part, its source, and a function in it.
PARTS = [
    (upgradegw.proxy.compiled, "turn.c", "turn_passed"),
    (upgradegw.reactor.reading, "reading.c", "reading_frames"),
]

needs_library = pytest.mark.skipif(upgradegw.proxy.compiled.library() is None, reason="nothing is compiled")


@pytest.fixture(params=PARTS, ids=[source for _, source, _ in PARTS])
def part(request: Any) -> Any:
    return request.param


@needs_library
@pytest.mark.parametrize("change", ["source", "function", "no source", "nothing"])
def test_what_was_compiled_of_another_source(change: str, part: Any, tmp_path: Path) -> None:
    """It is as if it were not there, rather than a crash."""
    module, name, function = part
    source = tmp_path / name
    text = Path(module.__file__).with_name(name).read_text()
    source.write_text(text.replace(function, "other") if change == "function" else text)
    version = f"-DVERSION={crc32(source.read_bytes())}u"
    subprocess.run(["cc", "-shared", "-fPIC", version, "-o", f"{source}.so", source], check=True)
    if change == "source":
        source.write_text(text + "\n")
    elif change == "no source":
        source.unlink()
    assert (module.library(tmp_path / f"{name}.so") is None) == (change != "nothing")


@needs_library
def test_both_are_there(part: Any) -> None:
    """What compiles the one compiles the other."""
    assert part[0].library() is not None


def test_where_nothing_was_compiled(part: Any, tmp_path: Path) -> None:
    """It is not there, or it is for another machine."""
    module, _, _ = part
    assert module.library(tmp_path / "none.so") is None
    (tmp_path / "wrong.so").write_bytes(b"\x7fELF wrong")
    assert module.library(tmp_path / "wrong.so") is None


@needs_library
@pytest.mark.parametrize(("value", "there"), [("1", False), ("yes", False), ("0", True), ("", True)])
def test_it_can_be_left_out(value: str, there: bool, part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a variable of the environment, for whoever wants to know what it brings."""
    module, _, _ = part
    monkeypatch.setenv("UPGRADEGW_PURE", value)
    module.library.cache_clear()
    try:
        assert (module.library() is not None) == there
    finally:
        monkeypatch.undo()
        module.library.cache_clear()
