"""Compiles the part of the gateway that is in C, where there is a compiler; without it, Python does the same, slower.

Hatchling calls this whenever it builds a wheel, be it one that only points here (``pip install --editable``).
``UPGRADEGW_PURE=1`` in the environment leaves it out, here as well as when the gateway runs.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from packaging.tags import platform_tags

_SOURCE = "upgradegw/proxy/turn.c"
_COMPILED = "upgradegw/proxy/turn.so"
_FLAGS = ("-O2", "-std=c11", "-Wall", "-Wextra", "-fPIC", "-shared")


class CompiledHook(BuildHookInterface[Any]):
    """Puts the shared library beside its source."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's
        """Compile, and say for which platform the wheel is; any Python will do."""
        root = Path(self.root)
        reason = _compile(root / _SOURCE, root / _COMPILED)
        if reason:
            self.app.display_warning(f"upgradegw: tunnels are without their part in C: {reason}")
            return
        build_data["artifacts"].append(f"/{_COMPILED}")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{next(platform_tags())}"


def _compile(source: Path, compiled: Path) -> str:
    """Return why it could not be done, or nothing."""
    if os.environ.get("UPGRADEGW_PURE", "0") not in {"", "0"}:
        return "UPGRADEGW_PURE is set"
    if sys.platform != "linux":
        return "it is for Linux"
    compiler = shlex.split(os.environ.get("CC", "")) or ["cc"]
    try:
        # In its place at once, for somebody may be using the one before.
        fresh = compiled.with_suffix(f".{os.getpid()}.so")
        command = [*compiler, *_FLAGS, "-o", str(fresh), str(source)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - what CC says
    except OSError as error:
        return f"{compiler[0]}: {error.strerror}"
    if done.returncode:
        return done.stderr or f"{compiler[0]} failed"
    fresh.replace(compiled)
    return ""
