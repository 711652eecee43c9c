"""The reactor that the command chooses: uvloop's where nobody named another, and what happens without it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.process import serving
from tests.support.sockets import ask
from upgradegw.service.fast_reactor import install_fast_reactor

UV = "reactor class: upgradegw.reactor.core.UvReactor"

#: How twistd is called here; other tests' launchers may be told to name a reactor.
TWISTD = (sys.executable, "-c", "from twisted.scripts.twistd import run; run()", "-n", "--pidfile=")
WITHOUT_UVLOOP = (TWISTD[0], "-c", f"import sys; sys.modules['uvloop'] = None; {TWISTD[2]}", *TWISTD[3:])


@pytest.mark.parametrize(
    ("command", "reactor"),
    [
        ((sys.executable, "-m", "upgradegw"), UV),
        ((*TWISTD, "upgradegw"), UV),
        ((*TWISTD, "--reactor=uv", "upgradegw"), UV),
        ((*TWISTD, "--reactor=poll", "upgradegw"), "reactor class: twisted.internet.pollreactor.PollReactor"),
    ],
    ids=["upgradegw", "twistd", "uv", "poll"],
)
def test_the_reactor_is_uvloops_unless_another_is_named(command: tuple[str, ...], reactor: str) -> None:
    """Every way to start the command chooses the fast reactor by itself, and leaves a choice that was made."""
    with serving(command=command) as server:
        server.await_line(reactor.replace(".", r"\."))
        assert ask(server, b"/").startswith(b"HTTP/1.1 200 ")
        assert server.text.count("reactor class") == 1


def test_without_uvloop_the_reactor_is_twisteds_default() -> None:
    """Whoever did not install the extra is served all the same."""
    with serving(command=(*WITHOUT_UVLOOP, "upgradegw")) as server:
        server.await_line(r"reactor class: twisted\.internet\.")
        assert ask(server, b"/").startswith(b"HTTP/1.1 200 ")
        assert "uvloop" not in server.text


def test_a_module_of_the_users_gets_the_reactor_that_was_chosen(tmp_path: Path) -> None:
    """The choice is made before any of their modules is imported."""
    (tmp_path / "app.py").write_text(
        "from twisted.internet import reactor\n"
        "from twisted.web.resource import Resource\n"
        "from twisted.web.static import Data\n"
        "root = Resource()\n"
        "root.putChild(b'', Data(type(reactor).__name__.encode(), 'text/plain'))\n"
    )
    with serving("--resource=/=app:root", folder=tmp_path, command=(*TWISTD, "upgradegw")) as server:
        assert ask(server, b"/").endswith(b"\r\n\r\nUvReactor")


def test_a_reactor_that_is_installed_stays() -> None:
    """Options that are parsed in a program of somebody's own do not replace its reactor."""
    from twisted.internet import reactor

    assert install_fast_reactor() is False
    assert sys.modules["twisted.internet.reactor"] is reactor


def test_a_mistake_of_ours_is_not_taken_for_a_missing_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only uvloop may be missing."""
    monkeypatch.setitem(sys.modules, "upgradegw.reactor", None)
    monkeypatch.delitem(sys.modules, "twisted.internet.reactor", raising=False)
    with pytest.raises(ImportError):
        install_fast_reactor()
