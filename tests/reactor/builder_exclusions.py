"""Which of Twisted's own tests the reactor on uvloop is not held to, each with its reason."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A test that is left out.

    Attributes:
        tests: ``module.Class.method``, without the package and without what ``ReactorBuilder`` puts behind the class.
        reason: Why, in one sentence for the page.
        only_root: Whether this holds for the superuser alone.
    """

    tests: str
    reason: str
    only_root: bool = False


_ROOT = "Asks what a user may not do; the superuser may do it all. They run where the user is another."
_CHILD = (
    "Starts Python as another user, who may not read it where it belongs to the superuser alone. It fails on Twisted's"
    " own reactors there, too."
)
_MODULES = (
    "Looks at every module that is installed, and stumbles over one of Autobahn's if that is imported; so it does on"
    " Twisted's own reactors."
)

EXCLUSIONS = (
    Exclusion(
        "test_unix.UNIXTestsBuilder.test_avoidLeakingFileDescriptors",
        "Asks for a line in the log. Descriptors that are sent to a protocol which takes none are closed by the system:"
        " uvloop reads without asking for them, so that nobody can tell of them.",
    ),
    Exclusion(
        "test_tcp.LoopbackTests.test_tcpNoDelay",
        "Expects that TCP_NODELAY is off until it is asked for. uvloop turns it on for each connection; what is written"
        " in one event is gathered, so that Nagle's delay would gain nothing.",
    ),
    Exclusion(
        "test_tcp.HalfCloseTests.testCloseWriteCloser",
        "Waits for private attributes of Twisted's own connections, which ours has no reason to have.",
    ),
    Exclusion("test_modules.BasicTests.test_loadPackagesAndModules", _MODULES),
    Exclusion("test_modules.BasicTests.test_twistedShowsUp", _MODULES),
    Exclusion("test_process.ProcessTestsBuilder.test_changeUID", _CHILD, only_root=True),
    Exclusion("test_process.PTYProcessTestsBuilder.test_changeUID", _CHILD, only_root=True),
    Exclusion("test_logfile.DailyLogFileTests.test_rotatePermissionDirectoryNotOk", _ROOT, only_root=True),
    Exclusion("test_logfile.DailyLogFileTests.test_rotatePermissionFileNotOk", _ROOT, only_root=True),
    Exclusion("test_plugin.DeveloperSetupTests.test_newPluginsOnReadOnlyPath", _ROOT, only_root=True),
    Exclusion("test_plugin.PluginTests.test_deployedMode", _ROOT, only_root=True),
)


#: What ``ReactorBuilder`` puts behind the name of a class: the name of the reactor.
_MADE = re.compile(r"_\w+Tests(?=\.\w+$)")


def excluded_because(test: str, *, root: bool = os.geteuid() == 0) -> str | None:
    """Return the reason why a test is left out, or None if it must pass.

    Args:
        test: Its id: ``package.module.Class.method``.
        root: Whether the superuser asks.
    """
    name = ".".join(_MADE.sub("", test).split(".")[-3:])
    reasons = (each.reason for each in EXCLUSIONS if each.tests == name and (root or not each.only_root))
    return next(reasons, None)
