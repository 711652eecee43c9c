"""Rows with the real commands of Docker and Kubernetes, where they are installed."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from subprocess import CompletedProcess

from tests.gateway.dockerd import Dockerd
from tests.gateway.kubernetes import Kubernetes
from tests.gateway.rows import Front, Outcome, Row, row
from tests.gateway.wire import Wire

ROWS: list[Row] = []

#: Seconds for a command of which the gateway makes nothing.
LONGEST = 10.0

#: From this one on kubectl knows WebSocket, for ``exec`` and for ``port-forward``.
WEBSOCKET_SINCE = (1, 30)

_KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{{name: here, cluster: {{{cluster}}}}}]
contexts: [{{name: here, context: {{cluster: here, user: nobody}}}}]
users: [{{name: nobody, user: {{token: nothing}}}}]
current-context: here
"""


def run(command: Sequence[str], text: str = "", **variables: str) -> CompletedProcess[str]:
    """Run a command in an empty home; its standard input is a text.

    One that does not end in time has printed what it has printed, and has the status -1.
    """
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": os.environ["PATH"], "HOME": home, **variables}
        try:
            return subprocess.run(
                command, input=text, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
            )
        except subprocess.TimeoutExpired as late:
            output = late.stdout or b""
            output = output.decode() if isinstance(output, bytes) else output  # bytes, even where text was asked for
            return CompletedProcess(command, -1, output, "it did not end")


def judged(done: CompletedProcess[str], wanted: str, status: int) -> Outcome:
    """Compare what a command has printed with what it should have."""
    if done.stdout == wanted:
        return Outcome(
            "ok" if done.returncode == status else f"ok, status {done.returncode}", done.returncode == status
        )
    words = ", ".join(done.stdout.split()) or "nothing"
    return Outcome(f"{words} only" if done.stdout else "fails" if done.returncode > 0 else "nothing", right=False)


def docker(front: Front, *arguments: str, text: str = "") -> CompletedProcess[str]:
    """Run the docker command against the stand-in, through a gateway."""
    front.upstream.forget(Dockerd().answer)
    program = shutil.which("docker") or "docker"
    return run([program, *arguments], text, DOCKER_HOST=f"tcp://127.0.0.1:{front.port}")


@functools.cache
def kubectl_version() -> tuple[int, int]:
    """Return the version of the kubectl that is installed; (0, 0) if none is."""
    program = shutil.which("kubectl")
    said = run([program, "version", "--client"]).stdout if program else ""
    found = re.search(r"v(\d+)\.(\d+)\.", said)
    return (int(found[1]), int(found[2])) if found else (0, 0)


@contextlib.contextmanager
def kubeconfig(cluster: str) -> Iterator[str]:
    """Write a file that tells kubectl where the cluster is, for the duration of a ``with`` block."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config"
        file.write_text(_KUBECONFIG.format(cluster=cluster))
        yield str(file)


def kubectl_exec(cluster: str, *arguments: str, text: str = "", websocket: bool = True) -> CompletedProcess[str]:
    """Run kubectl exec.

    Args:
        cluster: What a kubeconfig has in ``cluster``.
        arguments: Of the command.
        text: Its standard input.
        websocket: Whether it may ask for a WebSocket.
    """
    with kubeconfig(cluster) as file:
        variables = {"KUBECONFIG": file, "KUBECTL_REMOTE_COMMAND_WEBSOCKETS": str(websocket).lower()}
        return run([shutil.which("kubectl") or "kubectl", "exec", *arguments], text, **variables)


def kubectl(front: Front, server: Kubernetes, *arguments: str, text: str = "", websocket: bool = True) -> Outcome:
    """Run kubectl exec against the stand-in, through a gateway, and compare what it did with what it should do."""
    front.upstream.forget(server.answer)
    done = kubectl_exec(f'server: "http://127.0.0.1:{front.port}"', *arguments, text=text, websocket=websocket)
    wanted = "websocket" if websocket and not server.without_websocket else "SPDY/3.1"
    outcome = judged(done, f"hello\n{text}bye\n", 0)
    used = [word.split()[0] for word in server.used]
    return Outcome(f"ok, but {used}", right=False) if outcome.right and used != [wanted] else outcome


def kubectl_port_forward(front: Front, server: Kubernetes, *, websocket: bool) -> Outcome:
    """Let kubectl listen for the pod's port 80, and talk to what listens there."""
    front.upstream.forget(server.answer)
    with kubeconfig(f'server: "http://127.0.0.1:{front.port}"') as file:
        variables = {"KUBECONFIG": file, "KUBECTL_PORT_FORWARD_WEBSOCKETS": str(websocket).lower()}
        running = subprocess.Popen(
            [shutil.which("kubectl") or "kubectl", "port-forward", "--address=127.0.0.1", "pod/box", ":80"],
            env={"PATH": os.environ["PATH"], "HOME": str(Path(file).parent), **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            found = re.search(r"Forwarding from 127\.0\.0\.1:(\d+)", line)
            if found is None:
                return Outcome(f"fails: {line.strip()}"[:40], right=False)
            with Wire.to(int(found[1])) as wire:
                wire.send(b"input\n")
                wire.end()
                output = wire.rest()
        finally:
            running.terminate()
            running.communicate(timeout=LONGEST)
    used = [word.split()[0] for word in server.used]
    right = output == b"hello\ninput\nbye\n" and used == ["websocket" if websocket else "SPDY/3.1"]
    return Outcome("ok" if right else f"{output!r} over {used}"[:40], right)


def no_docker() -> str:
    """Say so if there is no docker command."""
    return "" if shutil.which("docker") else "docker is not installed"


def no_kubectl() -> str:
    """Say so if there is no kubectl."""
    return "" if kubectl_version() > (0, 0) else "kubectl is not installed"


def no_websocket() -> str:
    """Say so if there is no kubectl that knows WebSocket."""
    major, minor = WEBSOCKET_SINCE
    return "" if kubectl_version() >= WEBSOCKET_SINCE else f"kubectl {major}.{minor} or later is not installed"


@row("docker exec (the command)", ROWS, missing=no_docker)
def docker_exec(front: Front) -> Outcome:
    """Without ``-i`` the command's input has ended before it begins; the status is that of the command."""
    return judged(docker(front, "exec", "box", "ls"), "hello\nbye\n", 7)


@row("docker exec -i (the command)", ROWS, missing=no_docker)
def docker_exec_interactive(front: Front) -> Outcome:
    """Input gets there, and its end does not end the output."""
    return judged(docker(front, "exec", "-i", "box", "cat", text="input\n"), "hello\ninput\nbye\n", 7)


@row("docker attach (the command)", ROWS, missing=no_docker)
def docker_attach(front: Front) -> Outcome:
    """The same for the container's own process."""
    return judged(docker(front, "attach", "box", text="input\n"), "hello\ninput\nbye\n", 7)


@row("kubectl exec -i over SPDY/3.1 (the command)", ROWS, missing=no_kubectl)
def kubectl_spdy(front: Front) -> Outcome:
    """As kubectl asks where it is told not to use WebSocket, and always did before."""
    return kubectl(front, Kubernetes(), "-i", "box", "--", "cat", text="input\n", websocket=False)


@row("kubectl exec over WebSocket (the command)", ROWS, missing=no_websocket)
def kubectl_websocket(front: Front) -> Outcome:
    """Without input."""
    return kubectl(front, Kubernetes(), "box", "--", "ls")


@row("kubectl exec -i over WebSocket (the command)", ROWS, missing=no_websocket)
def kubectl_websocket_interactive(front: Front) -> Outcome:
    """With input that ends."""
    return kubectl(front, Kubernetes(), "-i", "box", "--", "cat", text="input\n")


@row("kubectl exec, WebSocket refused, then SPDY/3.1 (the command)", ROWS, missing=no_websocket)
def kubectl_falls_back(front: Front) -> Outcome:
    """The upstream's refusal reaches kubectl as it is, which then asks for SPDY/3.1."""
    server = Kubernetes()
    server.without_websocket = True
    return kubectl(front, server, "-i", "box", "--", "cat", text="input\n")


@row("kubectl port-forward over WebSocket (the command)", ROWS, missing=no_websocket)
def port_forward(front: Front) -> Outcome:
    """The subprotocol's name has a ``/`` in it, which RFC 6455 does not allow and Kubernetes uses."""
    return kubectl_port_forward(front, Kubernetes(), websocket=True)


@row("kubectl port-forward over SPDY/3.1 (the command)", ROWS, missing=no_kubectl)
def port_forward_over_spdy(front: Front) -> Outcome:
    """As kubectl did before 1.30."""
    return kubectl_port_forward(front, Kubernetes(), websocket=False)
