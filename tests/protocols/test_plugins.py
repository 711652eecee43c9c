"""Upgrades that other packages bring."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import twisted.plugins
from tests.protocols_for_tests import RecorderFactory
from upgradegw.protocols.plugins import find_upgrade
from upgradegw.protocols.stream import stream
from upgradegw.web.resource import UpgradeResource

_PLUGIN = """
from twisted.internet.protocol import Factory, Protocol
from twisted.plugin import IPlugin
from upgradegw.protocols.plugins import IUpgradeProvider
from upgradegw.protocols.stream import stream
from zope.interface import implementer

@implementer(IPlugin, IUpgradeProvider)
class Provider:
    token = "example-feed/1"

    def upgrade(self):
        return stream(self.token, Factory.forProtocol(Protocol))

provider = Provider()
"""


class _Provider:
    def __init__(self, token: str) -> None:
        self.token = token

    def upgrade(self) -> object:
        return stream(self.token, RecorderFactory())


def test_installed_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package's plugin is found by its token, wherever an upgrade is expected."""
    (tmp_path / "example_feed_plugin.py").write_text(_PLUGIN)
    monkeypatch.setattr(twisted.plugins, "__path__", [str(tmp_path), *twisted.plugins.__path__])
    try:
        resource = UpgradeResource(["EXAMPLE-feed/1"])
        assert str(resource.upgrades[0].protocol) == "example-feed/1"
    finally:
        sys.modules.pop("twisted.plugins.example_feed_plugin", None)


def test_not_found() -> None:
    """One clear error where there is none, and where the version differs."""
    for token in ("nobody", "feed/3"):
        with pytest.raises(LookupError, match="no installed package"):
            find_upgrade(token, [_Provider("feed/2")])


def test_ambiguous() -> None:
    """One clear error where two packages bring the same token."""
    with pytest.raises(LookupError, match="more than one"):
        find_upgrade("feed/2", [_Provider("feed/2"), _Provider("FEED/2")])


def test_a_plugin_with_a_bad_token() -> None:
    """A package that names its token wrongly hides no other package's."""
    assert find_upgrade("feed/2", [_Provider("fe ed"), _Provider("feed/2")])
