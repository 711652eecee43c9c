"""The configuration read again: what the log says, and what holds in the end."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from twisted.logger import LogEvent, globalLogPublisher
from twisted.python.usage import UsageError
from twisted.trial.unittest import SynchronousTestCase

from tests.service.gateway.support import Running, content, says
from upgradegw.service.gateway.reloading import reload


class Reloading(SynchronousTestCase):
    """A gateway with one route."""

    def setUp(self) -> None:
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        self.running = Running(Path(folder), says("/", "1"))
        self.addCleanup(self.running.close)
        self.logged: list[LogEvent] = []
        globalLogPublisher.addObserver(self.logged.append)
        self.addCleanup(globalLogPublisher.removeObserver, self.logged.append)

    def lines(self) -> list[str]:
        """What was said of the configuration."""
        return [
            event["log_format"].format(**event)
            for event in self.logged
            if event["log_namespace"].endswith("reloading") and "log_failure" not in event
        ]

    def reload(self, *routes: Any) -> bool:
        """Let the file say this now."""
        return reload(self.running.gateway, lambda: self.running.configuration(*routes))

    def test_the_log_says_what_has_changed(self) -> None:
        """A line for each change, and one in the end."""
        assert self.reload(says("/", "2"), says("/a", "a"))
        assert self.lines() == [
            "Configuration: route /: changed",
            "Configuration: route /a: added",
            "Configuration read again: 2 changes; 2 routes, 1 listeners",
        ]

    def test_the_log_says_that_nothing_has_changed(self) -> None:
        """Whoever has edited the wrong file learns it."""
        assert self.reload(says("/", "1"))
        assert self.lines() == ["Configuration read again: no listener and no route has changed; 1 routes, 1 listeners"]

    def test_a_mistake_is_said_and_changes_nothing(self) -> None:
        """The line says where and what; the old configuration stays in force."""

        def read() -> Any:
            raise UsageError("g.toml: line 3: this is no TOML")

        assert not reload(self.running.gateway, read)
        assert self.lines() == [
            "The configuration cannot be used, the one in force stays: g.toml: line 3: this is no TOML"
        ]
        assert not self.reload(says("/", "2"), says("a", "1"))
        assert content(self.running, "/") == b"1"

    def test_an_error_that_nobody_thought_of_ends_nothing(self) -> None:
        """An application's module may raise anything; the traceback is in the log."""

        def read() -> Any:
            raise KeyError("x")

        assert not reload(self.running.gateway, read)
        assert len(self.flushLoggedErrors(KeyError)) == 1
        assert content(self.running, "/") == b"1"
