"""Follow a tutorial word for word in an empty folder, as somebody new would.

``python docs/follow.py docs/tutorials/chat.md FOLDER`` goes through the page from top to bottom:

- A ``literalinclude`` or ``code-block`` with a ``:caption:`` is a file of that name, which is written.
- A block of ``sh`` is run by bash in the folder. The blocks share folder and exported variables; each must succeed.
- A block of ``text`` right behind it is what it must print; ``…`` stands for anything. Of a server it is how its output
  begins.

What a reader need not see stands before a block, in a comment:

- ``<!-- follow: until "ready" -->``: the command stays in the foreground of a terminal of its own. When it has printed
  that, the page goes on beside it.
- ``<!-- follow: stop -->``: Ctrl-C in the terminal that was opened last. At the end of the page the others get it, too.
- ``<!-- follow: skip -->``: nothing is run.

``pip install upgradegw`` finds a wheel in the folder that ``PIP_FIND_LINKS`` names. With ``--installed`` nothing is
installed: ``.venv`` is the environment of the Python that runs this, lines that make or fill an environment are left
out, and a free port stands wherever the page has 8080 (another one with ``--port N``). Where the page leads nowhere the
exit status is 1, and what is printed begins with page and line.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tutorial_steps import LostError, Run, Step, Write, steps

#: The port of every tutorial.
PORT = 8080
#: Seconds that commands may take; most of them belong to pip.
PATIENCE = 600.0
#: Seconds until a server must be ready, and in which it must end.
SERVER_PATIENCE = 60.0

#: Commands that make an environment or fill it.
_PREPARATION = re.compile(r"^(?:python3? -m venv|\S*\bpip install)\b(?:.*\\\n)*.*\n?", re.MULTILINE)
#: Variables that belong to the environment that this runs in.
_OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PYTEST_", "COV")


def prints(expected: str, printed: str, *, in_full: bool) -> bool:
    """Compare an output with what the page says; blanks at the ends of lines do not matter."""
    wanted, seen = ("\n".join(map(str.rstrip, text.rstrip().split("\n"))) for text in (expected, printed))
    pattern = re.compile(re.escape(wanted).replace("…", ".*"), re.DOTALL)
    return bool(pattern.fullmatch(seen) if in_full else pattern.match(seen))


class Terminal:
    """A command that stays in the foreground, in a terminal of its own."""

    def __init__(self, script: str, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - what the page says is what is to be run
            ["bash", "-e", "-c", script],  # noqa: S607 - the reader's own
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(ValueError):  # closed
            self._lines.extend(self._process.stdout or ())

    @property
    def output(self) -> str:
        """What has been printed so far."""
        return "".join(self._lines)

    def wait_for(self, text: str) -> str:
        """Wait until a text has been printed; return everything up to there."""
        deadline = time.monotonic() + SERVER_PATIENCE
        ended = False
        while text not in self.output:
            if ended or time.monotonic() > deadline:
                raise LostError(f"{'it has ended' if ended else 'it waits'} without printing {text!r}:\n{self.output}")
            ended = not self._reader.is_alive()
            self._reader.join(0.02)
        return self.output

    def stop(self) -> None:
        """Press Ctrl-C, and look at what was printed."""
        ended = self._process.poll() is not None
        if not ended:
            os.killpg(self._process.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(SERVER_PATIENCE)
        alive = self._process.poll() is None
        self.end()
        if ended or alive or re.search("Traceback|Unhandled", self.output):
            what = "has ended by itself" if ended else "does not end at Ctrl-C" if alive else "has failed meanwhile"
            raise LostError(f"the command {what}:\n{self.output}")

    def end(self) -> None:
        """End whatever still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._reader.join(5)
        if self._process.stdout is not None:
            self._process.stdout.close()


class Reader:
    """Somebody who does what the page says."""

    def __init__(self, folder: Path, notes: Path, port: int, *, installed: bool) -> None:
        """Begin in an empty folder.

        Args:
            folder: Where to work.
            notes: A folder elsewhere, for what one block leaves to the next.
            port: What stands wherever the page has 8080.
            installed: Whether this Python's environment is used.
        """
        self._folder, self._notes = folder, notes
        self._port = port
        self._installed = installed
        kept = [name for name in os.environ if installed or not name.startswith(_OURS)]
        self._environment = {name: os.environ[name] for name in kept} | {"PYTHONUNBUFFERED": "1"}
        self._terminals: list[tuple[int, Terminal]] = []
        if installed:
            (folder / ".venv").symlink_to(sys.prefix)

    def follow(self, step: Step) -> None:
        """Do one step.

        Raises:
            LostError: It does not do what the page says.
        """
        if isinstance(step, Write):
            path = self._folder / step.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._here(step.text))
        elif isinstance(step, Run):
            commands = self._here(step.commands)
            if self._installed:
                commands = _PREPARATION.sub("", commands)
            if commands.strip():
                self._run(step, commands) if step.until is None else self._open(step, commands)
        elif not self._terminals:
            raise LostError("there is no command to stop")
        else:
            self._terminals.pop()[1].stop()

    def _here(self, text: str) -> str:
        return re.sub(rf"\b{PORT}\b", str(self._port), text)

    def _script(self, commands: str) -> str:
        variables, place = self._notes / "variables", self._notes / "place"
        resumed = f'. {variables}; cd "$(cat {place})"\n' if place.exists() else ""
        return resumed + commands

    def _run(self, step: Run, commands: str) -> None:
        left = f"trap 'export -p >{self._notes}/variables; pwd >{self._notes}/place' EXIT\n"
        done = subprocess.run(  # noqa: S603 - what the page says is what is to be run
            ["bash", "-e", "-c", self._script(left + commands)],  # noqa: S607 - the reader's own
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        if done.returncode:
            raise LostError(f"exit status {done.returncode}\n{done.stdout}{done.stderr}")
        if step.printed is not None and not prints(self._here(step.printed), done.stdout, in_full=True):
            raise LostError(f"the page says\n{step.printed}\nprinted is\n{done.stdout}{done.stderr}")

    def _open(self, step: Run, commands: str) -> None:
        terminal = Terminal(self._script(commands), self._folder, self._environment)
        self._terminals.append((step.line, terminal))
        printed = terminal.wait_for(step.until or "")
        if step.printed is not None and not prints(self._here(step.printed), printed, in_full=False):
            raise LostError(f"the page says\n{step.printed}\nprinted is\n{printed}")

    def leave(self, *, in_order: bool) -> None:
        """Stop what still runs.

        Args:
            in_order: Whether to press Ctrl-C and look at the outputs.
        """
        while self._terminals:
            line, terminal = self._terminals.pop()
            try:
                if in_order:
                    terminal.stop()
            except LostError as lost:
                raise LostError(f"{line}: {lost}") from None
            finally:
                terminal.end()


def free_port() -> int:
    """Return a TCP port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def check_free(port: int) -> None:
    """Make sure that a server can listen on a port.

    Raises:
        LostError: Somebody does already.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError as error:
            raise LostError(f"1: port {port}, which this page would use, is taken: {error}") from None


def follow(page: Path, folder: Path, port: int = PORT, *, installed: bool = False) -> int:
    """Follow a page to its end; return the number of its steps.

    Raises:
        LostError: It leads nowhere; the message begins with the line.
    """
    todo = steps(page)
    if not any(isinstance(step, Run) for step in todo):
        raise LostError("1: there is nothing to do on this page")
    folder.mkdir(parents=True, exist_ok=True)
    if list(folder.iterdir()):
        raise LostError(f"1: {folder} is not empty")
    check_free(port)
    with tempfile.TemporaryDirectory() as notes:
        reader = Reader(folder, Path(notes), port, installed=installed)
        try:
            for step in todo:
                try:
                    reader.follow(step)
                except (LostError, subprocess.TimeoutExpired) as lost:
                    raise LostError(f"{step.line}: {lost}") from None
            reader.leave(in_order=True)
        finally:
            reader.leave(in_order=False)
    return len(todo)


def main() -> int:
    """Follow the page that the command line names."""
    parser = argparse.ArgumentParser(description="Follow a tutorial word for word in an empty folder.")
    parser.add_argument("page", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--installed", action="store_true", help="use this Python's environment, and a free port")
    parser.add_argument("--port", type=int, help=f"the port that stands wherever the page has {PORT}")
    arguments = parser.parse_args()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Whoever runs in the background of a shell ignores Ctrl-C, and so would every server started here.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    port = arguments.port or (free_port() if arguments.installed else PORT)
    try:
        count = follow(arguments.page, arguments.folder.absolute(), port, installed=arguments.installed)
    except LostError as lost:
        print(f"{arguments.page}:{lost}", file=sys.stderr)
        return 1
    print(f"{arguments.page}: {count} steps, and all of them lead on")
    return 0


if __name__ == "__main__":
    sys.exit(main())
