"""Compiles the part of the gateway that is in C, where there is a compiler; without it, Python does the same, slower.

Hatchling calls this whenever it builds a wheel, be it one that only points here (``pip install --editable``).
``UPGRADEGW_PURE=1`` in the environment leaves it out, here as well as when the gateway runs.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

_SOURCES = ("upgradegw/proxy/turn.c", "upgradegw/reactor/reading.c")
_FLAGS = ("-O2", "-std=c11", "-Wall", "-Wextra", "-fPIC", "-shared")


class CompiledHook(BuildHookInterface[Any]):
    """Puts each shared library beside its source."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's
        """Compile, and say for which platform the wheel is; any Python will do."""
        for name in _SOURCES:
            source = Path(self.root, name)
            compiled = source.with_name(f"{source.name}.so")  # no module of Python's
            reason = _compile(source, compiled)
            if reason:
                self.app.display_warning(f"upgradegw: Python does what {name} would do faster: {reason}")
                continue
            build_data["artifacts"].append(f"/{compiled.relative_to(self.root)}")
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{next(platform_tags())}"


def _compile(source: Path, compiled: Path) -> str:
    """Return why it could not be done, or nothing; what was there before is then gone."""
    fresh = compiled.with_suffix(f".{os.getpid()}.so")  # in its place at once, for somebody may be using the one before
    reason = _run_compiler(source, fresh)
    try:
        if reason:
            compiled.unlink(missing_ok=True)
        else:
            fresh.replace(compiled)
    except OSError as error:
        reason = str(error)
    finally:
        fresh.unlink(missing_ok=True)
    return reason


def _run_compiler(source: Path, compiled: Path) -> str:
    if os.environ.get("UPGRADEGW_PURE", "0") not in {"", "0"}:
        return "UPGRADEGW_PURE is set"
    if sys.platform != "linux":
        return "it is for Linux"
    compiler = shlex.split(os.environ.get("CC", "")) or ["cc"]
    version = f"-DVERSION={zlib.crc32(source.read_bytes())}u"
    command = [*compiler, *_FLAGS, version, "-o", str(compiled), str(source)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - what CC says
    except OSError as error:
        return f"{compiler[0]}: {error.strerror}"
    return (done.stderr or f"{compiler[0]} failed") if done.returncode else ""
