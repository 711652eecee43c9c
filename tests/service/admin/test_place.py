"""Where the operator's pages are to be found, as the configuration says it."""

from __future__ import annotations

import pytest
from twisted.python.usage import UsageError

from tests.service.gateway.support import Reactor
from upgradegw.service import check
from upgradegw.service.admin.place import admin_listener
from upgradegw.service.config.model import Admin, Config
from upgradegw.service.descriptions import Tcp


def config(endpoint: str) -> Config:
    """A configuration with these pages."""
    admin = Admin(endpoint=endpoint)
    admin.placed("g.toml: [admin]", {})
    return Config(admin=admin)


def test_there_need_not_be_any() -> None:
    """Without the table there are none."""
    assert admin_listener(Config()) is None


def test_an_endpoint() -> None:
    """It is understood, and named by its place in the file; nothing is bound."""
    listener = admin_listener(config("tcp:9090:interface=127.0.0.1"))
    assert listener is not None
    assert listener.option == "g.toml: [admin]"
    assert isinstance(listener.description.place, Tcp)
    assert (listener.description.place.port, listener.description.place.interface) == (9090, "127.0.0.1")
    assert listener.bound is None


@pytest.mark.parametrize(
    ("endpoint", "why"),
    [
        ("9090", "write tcp:9090 for a TCP port"),
        ("tcp:", "port"),
        ("haproxy:tcp:9090", "who may ask is known by its connection; write it without haproxy:"),
    ],
)
def test_what_cannot_be(endpoint: str, why: str) -> None:
    """The message names the key. The address of a PROXY header is a claim, so nobody is let in by it."""
    with pytest.raises(UsageError, match=r"^g\.toml: \[admin\].*endpoint.*" + why):
        admin_listener(config(endpoint))


@pytest.mark.parametrize("endpoint", ["nothing:9090", "haproxy:tcp:9090"])
def test_a_check_finds_it(endpoint: str) -> None:
    """``--check`` refuses what a start would, though it binds nothing."""
    with pytest.raises(UsageError, match=r"^g\.toml: \[admin\]"):
        list(check.report(config(endpoint), [], Reactor()))
