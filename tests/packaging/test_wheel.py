"""What is shipped: exactly our files, known to twistd from any folder, and gone without a trace."""

from __future__ import annotations

import re
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, build, run

#: Seconds; most of them belong to pip.
pytestmark = pytest.mark.timeout(600)


def expected(tree: Path, dist_info: str) -> set[str]:
    """The rule: every file of the package, the drop-ins under twisted/plugins, and the metadata."""
    package = {path for path in (tree / "upgradegw").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    drop_ins = set((tree / "twisted" / "plugins").glob("*.py"))
    metadata = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    return {str(path.relative_to(tree)) for path in package | drop_ins} | {f"{dist_info}/{name}" for name in metadata}


def test_the_wheel_holds_our_files_and_no_others(tree: Path, wheel: Path) -> None:
    """Every file of the package is shipped; no cache, no test, no second ``twisted/__init__.py`` is."""
    names = zipfile.ZipFile(wheel).namelist()
    (dist_info,) = {name.split("/")[0] for name in names if ".dist-info/" in name}
    assert sorted(names) == sorted(expected(tree, dist_info))
    assert "twisted/plugins/upgradegw_plugin.py" in names
    assert "upgradegw/py.typed" in names
    assert not [name for name in names if name.startswith("twisted/") and "__init__" in name]


def _library(programs: Path, elsewhere: Path) -> str:
    asked = "from upgradegw.proxy.compiled import library; print(library())"
    told = run(programs / "python", "-c", asked, cwd=elsewhere)
    assert told.returncode == 0, told.stderr
    return told.stdout


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_the_wheel_has_the_part_in_c(wheel: Path, programs: Path, elsewhere: Path) -> None:
    """For any Python on this platform, and it can be loaded."""
    assert re.search(r"-py3-none-linux_\w+\.whl$", wheel.name)
    names = zipfile.ZipFile(wheel).namelist()
    assert {"upgradegw/proxy/turn.c.so", "upgradegw/reactor/reading.c.so"} <= set(names)
    assert str(programs.parent) in _library(programs, elsewhere)


@pytest.mark.parametrize("variable", [("CC", "/no/compiler"), ("CC", "false"), ("UPGRADEGW_PURE", "1")])
def test_without_the_part_in_c(
    variable: tuple[str, str], tree: Path, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it cannot be compiled, or is not wanted, the wheel is for every platform, whatever was compiled before."""
    monkeypatch.setenv(*variable)
    pure = build(tree, tmp_path)
    assert pure.name == wheel.name.replace(wheel.name.rpartition("-")[2], "any.whl")
    assert [name for name in zipfile.ZipFile(pure).namelist() if name.endswith(".so")] == []


def test_the_tree_has_no_package_marker_under_twisted() -> None:
    """A ``twisted/__init__.py`` of ours would hide Twisted."""
    assert [str(path.relative_to(ROOT)) for path in (ROOT / "twisted").rglob("__init__.py")] == []


def test_twistd_knows_the_command_from_any_folder(programs: Path, elsewhere: Path) -> None:
    """After ``pip install`` the command is listed and explains itself, wherever one stands."""
    listing = run(programs / "twistd", "--help", cwd=elsewhere)
    assert listing.returncode == 0, listing.stderr
    assert [line for line in listing.stdout.splitlines() if line.split()[:1] == ["upgradegw"]]
    explained = run(programs / "twistd", "upgradegw", "--help", cwd=elsewhere)
    assert explained.returncode == 0, explained.stderr
    assert "--port" in explained.stdout


@pytest.mark.parametrize("how", [["upgradegw"], ["python", "-m", "upgradegw"], ["twistd", "upgradegw"]])
def test_every_way_to_start_tells_the_version(programs: Path, elsewhere: Path, how: list[str]) -> None:
    """The console script, the module and twistd's command are one program."""
    told = run(programs / how[0], *how[1:], "--version", cwd=elsewhere)
    assert told.returncode == 0, told.stderr
    assert "upgradegw" in told.stdout.lower()


def test_uninstalling_leaves_twisted_whole(programs: Path, wheel: Path, elsewhere: Path) -> None:
    """``pip uninstall`` takes the command and every file of ours away, and twistd works as before."""
    assert "upgradegw" in run(programs / "twistd", "--help", cwd=elsewhere).stdout
    assert run(programs / "pip", "uninstall", "--quiet", "--yes", "upgradegw", cwd=elsewhere).returncode == 0
    try:
        listing = run(programs / "twistd", "--help", cwd=elsewhere)
        assert listing.returncode == 0, listing.stderr
        assert listing.stderr == ""
        assert "upgradegw" not in listing.stdout
        assert [line for line in listing.stdout.splitlines() if line.split()[:1] == ["web"]]
        assert run(programs / "twistd", "web", "--help", cwd=elsewhere).returncode == 0
        assert [str(path) for path in programs.parent.rglob("*upgradegw*")] == []
    finally:
        # The environment is the other tests' too.
        run(programs / "pip", "install", "--quiet", "--no-deps", "--no-index", wheel, cwd=elsewhere)
