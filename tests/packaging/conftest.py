"""The wheel, built once from a copy of the tree, and an environment that has nothing but it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: What the tree holds and no source distribution would: left out of the copy, so that nothing stale is built.
LEFT_OUT = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "_build", "__pycache__", "dropin.cache", "*.so")

#: What pip prints where the registry is out of reach and its cache does not hold what is wanted.
UNREACHABLE = ("NewConnectionError", "ConnectTimeoutError", "Temporary failure in name resolution", "ProxyError")


def run(*command: str | Path, cwd: Path, timeout: float = 300) -> subprocess.CompletedProcess[str]:
    """Run a command; skip the test if it fails for want of a registry."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode and any(sign in done.stderr + done.stdout for sign in UNREACHABLE):
        pytest.skip("the package registry cannot be reached and pip's cache does not hold what is needed")
    return done


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the tree with the kind of leftovers that must not be shipped."""
    copy = tmp_path_factory.mktemp("source") / "upgradegw"
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
    (copy / "twisted" / "plugins" / "dropin.cache").write_bytes(b"left over")
    (copy / "upgradegw" / "__pycache__").mkdir()
    (copy / "upgradegw" / "__pycache__" / "events.cpython-311.pyc").write_bytes(b"left over")
    return copy


def build(tree: Path, folder: Path) -> Path:
    """Build a wheel with the hatchling of this environment."""
    done = run(
        sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, tree, cwd=tree
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def wheel(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    return build(tree, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder from which the tree cannot be imported."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="session")
def programs(wheel: Path, elsewhere: Path) -> Path:
    """Install the wheel into a fresh environment and return its folder of programs."""
    environment = elsewhere / "environment"
    made = run(sys.executable, "-m", "venv", environment, cwd=elsewhere)
    assert made.returncode == 0, made.stderr
    installed = run(environment / "bin" / "pip", "install", "--quiet", wheel, cwd=elsewhere)
    assert installed.returncode == 0, installed.stderr
    return environment / "bin"
