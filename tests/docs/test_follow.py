"""``docs/follow.py`` does what a page says, word for word, and says where a page leads nowhere."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.support import free_port
from tests.source_tree import ROOT

FOLLOW = ROOT / "docs" / "follow.py"

#: A server that is ready at once, is there as long as a file is, and ends at Ctrl-C.
SERVER = """```{code-block} python
:caption: server.py

import pathlib, time
alive = pathlib.Path("alive")
alive.touch()
print("on 8080, ready", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    alive.unlink()
```
<!-- follow: until "ready" -->
```sh
.venv/bin/python server.py
```
"""


def sh(*commands: str, prints: str | None = None) -> str:
    """Return a block of commands, and one of what they print."""
    block = "```sh\n" + "".join(f"{command}\n" for command in commands) + "```\n"
    return block if prints is None else f"{block}\n```text\n{prints}\n```\n"


def follow(folder: Path, page: str, *options: str, **environment: str) -> tuple[int, str]:
    """Follow a page; return the exit status and what was printed."""
    (folder / "page.md").write_text(page)
    done = subprocess.run(
        [sys.executable, FOLLOW, folder / "page.md", folder / "empty", *options],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **environment},
        cwd=folder,
    )
    return done.returncode, done.stdout + done.stderr


def lost(folder: Path, page: str, *options: str) -> str:
    """Follow a page that leads nowhere; return what was said behind the page's name."""
    status, said = follow(folder, page, *options)
    assert status == 1, said
    assert said.startswith(f"{folder / 'page.md'}:")
    return said.removeprefix(f"{folder / 'page.md'}:")


def test_files_are_written_and_commands_run_in_order(tmp_path: Path) -> None:
    """A file is as the page shows it when a command needs it, and a later version takes its place."""
    (tmp_path / "included.txt").write_text("from elsewhere\n")
    page = """# A page
```{literalinclude} included.txt
:caption: in/a.txt
```
```sh
cat in/a.txt
```

```text
from elsewhere
```
````{code-block} text
:caption: in/a.txt

```
another
````
```python
this is there to be read
```
```sh
cat in/a.txt
```
```text
```
another
```
"""
    page = page.replace("```text\n```\nanother\n```\n", "````text\n```\nanother\n````\n")
    status, said = follow(tmp_path, page, "--installed")
    assert (status, said.split(": ")[1].split()[0]) == (0, "4"), said
    assert (tmp_path / "empty" / "in" / "a.txt").read_text() == "```\nanother\n"


def test_blocks_share_folder_and_variables(tmp_path: Path) -> None:
    """What one block has changed to and exported holds in the next ones, as in one terminal."""
    page = sh("mkdir inner", "cd inner", 'export WORD="two  words"') + sh(
        "pwd", 'echo "$WORD"', prints="…inner\ntwo  words"
    )
    assert follow(tmp_path, page, "--installed")[0] == 0


def test_a_server_runs_beside_the_next_commands(tmp_path: Path) -> None:
    """It is awaited, is there for what comes behind it, and is told to end by Ctrl-C."""
    page = SERVER + "\n```text\non 8080\n```\n" + sh("ls alive", prints="alive")
    assert follow(tmp_path, page, "--installed")[0] == 0
    assert not (tmp_path / "empty" / "alive").exists()


def test_a_server_can_be_stopped_on_the_way(tmp_path: Path) -> None:
    """Where the page says Ctrl-C, it ends."""
    page = SERVER + "\n<!-- follow: stop -->\n" + sh("ls", prints="server.py")
    assert follow(tmp_path, page, "--installed")[0] == 0


def test_installed_needs_no_network_and_no_port(tmp_path: Path) -> None:
    """With --installed .venv is this environment, lines that fill it are left out, and 8080 is another port."""
    install = sh("python3 -m venv .venv", ".venv/bin/pip install \\", "  no-such-package-anywhere", "echo 8080 >port")
    page = install + sh(".venv/bin/python -c 'import sys; print(sys.prefix)' >prefix")
    assert follow(tmp_path, page, "--installed")[0] == 0
    assert (tmp_path / "empty" / "port").read_text().strip() not in ("", "8080")
    prefix = (tmp_path / "empty" / "prefix").read_text().strip()
    assert Path(prefix).resolve() == Path(sys.prefix).resolve()


def test_without_installed_nothing_of_ours_is_seen(tmp_path: Path) -> None:
    """Commands do not find what this environment's variables lead to; --port says what stands for 8080."""
    port = str(free_port())
    page = sh("ls -a | grep venv || true", 'echo "$PYTHONPATH$VIRTUAL_ENV" 8080', prints=" 8080")
    assert follow(tmp_path, page, "--port", port, PYTHONPATH="/somewhere", VIRTUAL_ENV="/there")[0] == 0


UNTIL = '<!-- follow: until "ready" -->\n'
NOWHERE = {
    "status": (sh("true", "false"), "1: exit status 1"),
    "output": ("\n" + sh("echo tea", prints="coffee"), "2: the page says\ncoffee\n\nprinted is\ntea\n"),
    "more output": (sh("echo tea; echo more", prints="tea"), "1: the page says"),
    "never ready": (UNTIL + sh("echo no"), "2: it has ended without printing 'ready':\nno\n"),
    "ended": (UNTIL + sh("echo ready", "exit 3") + sh("sleep 0.3"), "2: the command has ended by itself"),
    "traceback": (SERVER.replace('"on', '"Traceback: on'), "14: the command has failed meanwhile:\nTraceback: on"),
    "nothing to do": ("<!-- follow: stop -->\n", "1: there is nothing to do"),
    "nothing to stop": (sh("true") + "<!-- follow: stop -->\n", "4: there is no command to stop"),
    "no instruction": ("<!-- follow: sometimes -->\n" + sh("true"), "1: nobody can follow"),
    "no block": ("<!-- follow: skip -->\nA line.\n", "2: a block must stand right behind"),
    "no end": ("```sh\ntrue\n", "1: this block has no end"),
    "a part": (
        "```{literalinclude} page.md\n:caption: a\n:lines: 1-2\n```\n",
        "1: a file with a name is shown in full",
    ),
}


@pytest.mark.parametrize(("page", "said"), NOWHERE.values(), ids=NOWHERE)
def test_it_says_where_a_page_leads_nowhere(tmp_path: Path, page: str, said: str) -> None:
    """Status, output, an end too soon, a page that cannot be read: each with its line."""
    assert lost(tmp_path, page, "--installed").startswith(said)


def test_the_folder_must_be_empty(tmp_path: Path) -> None:
    """What lies about could do what the page forgot."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "left").touch()
    assert "is not empty" in lost(tmp_path, "```sh\ntrue\n```\n", "--installed")


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    """Where somebody listens on the page's port, that is said before anything is done."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = lost(tmp_path, sh("touch done"), "--port", port)
    assert said.startswith(f"1: port {port}, which this page would use, is taken")
    assert not (tmp_path / "empty" / "done").exists()
