"""What is measured against, and with: environments of their own for peers on PyPI, packages of Debian, our own load.

Environments and the compiled load generator lie in a cache folder and are made once.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
_CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "upgradegw" / "benchmarks"
_LOAD = HERE / "load"
_COMPILE = ("cc", "-O2", "-std=gnu11", "-D_GNU_SOURCE", "-DTLS", "-Wall", "-Wextra")
_LIBRARIES = ("-lssl", "-lcrypto")

_HEADER = Path("/usr/include/openssl/ssl.h")

#: Programs, and the packages of Debian that have them.
_PACKAGES = {
    "cc": ("gcc", "libc6-dev", "libssl-dev"),
    "nginx": ("nginx-light",),
    "haproxy": ("haproxy",),
    "nghttpx": ("nghttp2-proxy",),
    "h2load": ("nghttp2-client",),
}


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def python_with(requirements: Sequence[str]) -> str:
    """Return the interpreter of an environment that has some packages; make it first if need be.

    Args:
        requirements: What pip installs, with versions; nothing stands for the interpreter that runs this.

    Raises:
        subprocess.CalledProcessError: pip cannot install them.
    """
    if not requirements:
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    name = f"{requirements[0].partition('==')[0].partition('[')[0]}-{_short(' '.join(requirements).encode())}-{version}"
    folder = _CACHE / name
    if not folder.exists():
        # A virtual environment knows its own path, so it is made in its place and marked as complete by its name.
        fresh = Path(tempfile.mkdtemp(dir=_made(_CACHE), prefix=name + "-"))
        subprocess.run([sys.executable, "-m", "venv", str(fresh)], check=True)
        install = [str(fresh / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, *requirements], check=True)
        folder.symlink_to(fresh.name)
    return str(folder / "bin" / "python")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def program(name: str) -> str | None:
    """Return where a program is, also where only root looks; None if it is not there."""
    return shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")


def install(programs: Sequence[str]) -> None:
    """Install the packages of programs that are missing, where that is allowed.

    Args:
        programs: Names of programs.
    """
    wanted = [package for name in programs if program(name) is None for package in _PACKAGES.get(name, ())]
    if "cc" in programs and not _HEADER.exists():
        wanted += _PACKAGES["cc"]
    if wanted and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
        command = ["apt-get", "install", "-qq", "--yes", "--no-install-recommends", *wanted]
        subprocess.run(command, check=True, env=quiet, stdout=subprocess.DEVNULL)


def load_generator() -> str:
    """Return the compiled load generator.

    Raises:
        subprocess.CalledProcessError: It cannot be compiled.
    """
    sources = sorted(_LOAD.glob("*.c"))
    content = b"".join(path.read_bytes() for path in [*sources, *sorted(_LOAD.glob("*.h"))])
    program = _made(_CACHE) / f"load-{_short(content)}"
    if not program.exists():
        fresh = program.with_suffix(f".{os.getpid()}")
        subprocess.run([*_COMPILE, "-o", str(fresh), *map(str, sources), *_LIBRARIES], check=True)
        fresh.rename(program)
    return str(program)
