"""The Containerfile's steps, taken one by one in a folder, without an image. Takes longer: ``.ci/full`` runs it."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.clients.support import free_port, run_tool, tool
from tests.deployment.test_container import Step, only, stages
from tests.source_tree import ROOT
from tests.support.process import environment, serving
from tests.support.sockets import ask, read_close, switch

#: Folders of the image that our steps write to, or read from.
OF_THE_IMAGE = ("/opt/upgradegw", "/srv/app", "/src")


@pytest.fixture
def image() -> Iterator[Path]:
    """A folder into which other users can look."""
    made = Path(tempfile.mkdtemp(prefix="upgradegw-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def moved(text: str, image: Path) -> str:
    """Let paths of the image lie in a folder."""
    return re.sub(rf"(?<![\w/])({'|'.join(OF_THE_IMAGE)})\b", lambda match: f"{image}{match[0]}", text)


def take(steps: list[Step], image: Path) -> None:
    """Do what COPY, WORKDIR and RUN say. What pip would fetch is lent by the environment of these tests."""
    here = image
    for step in steps:
        if step.name == "WORKDIR":
            here = Path(moved(step.value, image))
            here.mkdir(parents=True, exist_ok=True)
        elif step.name == "COPY" and not step.value.startswith("--from="):
            *sources, target = step.value.split()
            for source in sources:
                _copy(ROOT / source, here / moved(target, image), into=target.endswith("/"))
        elif step.name == "RUN":
            command = moved(step.value, image)
            # For pip, 0 in this variable is what --no-build-isolation is on the command line.
            lent = {"PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_INDEX": "1"}
            path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
            done = run_tool(["sh", "-euc", command], cwd=here, env={**environment(), **lent, "PATH": path})
            assert done.returncode == 0, done.stdout + done.stderr
            for folder in (image / "opt" / "upgradegw").glob("lib/python*/site-packages"):
                (folder / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")


def _copy(source: Path, target: Path, *, into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "dropin.cache"))
    else:
        target = target / source.name if into else target
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def as_process_1(user: str, group: str) -> tuple[str, ...]:
    """Become another user and process 1; to read is all that is left of root's rights, for Python may be root's own."""
    rights = (
        "--bounding-set=-all,+dac_read_search",
        "--inh-caps=-all,+dac_read_search",
        "--ambient-caps=+dac_read_search",
    )
    become = f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs", *rights
    command = tool("unshare"), "--pid", "--fork", "--kill-child", tool("setpriv"), *become
    if os.getuid() != 0 or subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        pytest.skip("process 1 of another user can be made by root alone, and not in every container")
    return command


def test_the_steps_lead_to_a_server(image: Path) -> None:
    """Built, started as that user and process 1, asked, stopped: a WebSocket gets Close 1001, the exit status is 0."""
    command = as_process_1(*only("USER").split(":"))
    for steps in stages():
        take(steps, image)
    port = str(free_port())
    words = [*json.loads(moved(only("ENTRYPOINT"), image)), *json.loads(moved(only("CMD"), image))]
    words = [port if word == only("EXPOSE") else word for word in words]
    variables = dict(pair.split("=", 1) for pair in shlex.split(only("ENV")))
    before = set(image.rglob("*"))
    started = serving(
        command=(*command, *words),
        folder=image / "srv" / "app",
        listen=False,
        env={"PATH": "/usr/bin:/bin", **variables},
    )
    with started as server:
        (inside,) = psutil.Process(server.process.pid).children()
        assert {*inside.uids(), *inside.gids()} == {int(only("USER").partition(":")[0])}
        assert b"new WebSocket" in ask(server, b"/")
        with server.connect() as client:
            switch(client, path=b"/chat")
            inside.send_signal(signal.SIGTERM)
            assert read_close(client) == bytes([0x88, 2]) + (1001).to_bytes(2, "big")
        assert server.wait() == 0
    assert "Traceback" not in server.text
    assert "Unable" not in server.text
    assert set(image.rglob("*")) == before
