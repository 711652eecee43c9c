"""The Containerfile: what it says. Its steps are taken in ``whole_container.py``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from tests.deployment.conftest import DEPLOY
from tests.source_tree import ROOT


@dataclass(frozen=True)
class Step:
    """An instruction of a Containerfile."""

    name: str
    value: str


def stages() -> list[list[Step]]:
    """The stages, each beginning with FROM."""
    text = re.sub(r"\\\n", "", (DEPLOY / "Containerfile").read_text())
    found: list[list[Step]] = []
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == "FROM":
            found.append([])
        if name and not name.startswith("#"):
            found[-1].append(Step(name, value))
    return found


def only(name: str) -> str:
    """The value of an instruction that the last stage has once."""
    (value,) = [step.value for step in stages()[-1] if step.name == name]
    return value


def test_it_is_not_root() -> None:
    """A user by number, as ``runAsNonRoot`` of Kubernetes wants it."""
    user, _, group = only("USER").partition(":")
    assert int(user) >= 1000
    assert int(group) >= 1000


def test_programs_are_in_exec_form() -> None:
    """A shell as process 1 would keep the signal for itself."""
    for name in ("ENTRYPOINT", "CMD"):
        assert all(isinstance(word, str) for word in json.loads(only(name)))
    assert only("STOPSIGNAL") == "SIGTERM"


def test_the_port_needs_no_rights_and_is_the_one_listened_on() -> None:
    """A port from 1024 on, and the same in both places."""
    command = json.loads(only("CMD"))
    assert int(only("EXPOSE")) >= 1024
    assert command[command.index("--port") + 1] == only("EXPOSE")


def test_a_stop_is_over_before_the_kill() -> None:
    """podman and docker wait ten seconds, unless told otherwise."""
    command = json.loads(only("CMD"))
    assert float(command[command.index("--stop-timeout") + 1]) + 1 < 10


def test_what_is_copied_is_there() -> None:
    """Every source exists, none is the whole folder; images have registry and version, and the last is slim."""
    images = []
    for stage in stages():
        image = stage[0].value.split(" ")[0]
        assert re.fullmatch(r"docker\.io/library/python:3\.\d+(-slim)?", image)
        images.append(image)
        for step in stage:
            if step.name == "COPY" and not step.value.startswith("--from="):
                *sources, _target = step.value.split()
                assert [source for source in sources if not (ROOT / source).exists()] == []
                assert "." not in sources
            assert step.name != "ADD"
    assert [image.endswith("-slim") for image in images] == [False, True]
