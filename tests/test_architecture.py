"""Who may use what: read from the imports, and from interpreters that import us.

Units are the folders and top-level modules of the package. Each stands on a floor; imports point to a lower floor.
"""

from __future__ import annotations

import subprocess
import sys

from tests.source_tree import MODULES, imports, own_imports, unit

#: From the top floor to the bottom. Units on one floor do not import one another. ``upgradegw`` itself is the public
#: names; ``__main__`` and ``testing`` may use what is below, and nobody uses them.
FLOORS = (
    {"__main__", "testing"},
    {"service", "probe"},
    {"upgradegw"},
    {"proxy"},
    {"web", "client"},
    {"protocols"},
    {"http1", "http2"},
    {"http"},
    {"takeover"},
    {"switching"},
    {"switched"},
    {"interfaces", "events", "shadows", "tls"},
    {"transports"},
    {"negotiation"},
)
FLOOR_OF = {unit: floor for floor, units in enumerate(reversed(FLOORS)) for unit in units}
#: Imports nothing of ours, and of ours only the service imports it.
FREE = {"reactor"}
UNUSED_BY_OTHERS = {"__main__", "testing", "service"}

#: What the core, which has no I/O, no clock and no logging, leaves alone in the standard library.
NOT_PURE = {
    "asyncio",
    "datetime",
    "io",
    "logging",
    "os",
    "pathlib",
    "random",
    "secrets",
    "select",
    "selectors",
    "shutil",
    "signal",
    "socket",
    "ssl",
    "subprocess",
    "sys",
    "tempfile",
    "threading",
    "time",
    "urllib.request",
    "warnings",
}


def test_every_unit_has_its_floor() -> None:
    """A new folder or module says where it stands before it is used."""
    assert {unit(name) for name in MODULES} - set(FLOOR_OF) - FREE == set()


def test_imports_point_down() -> None:
    """Imports go from the service through web, protocols and http1 down to the negotiation, never back up."""
    wrong = [
        f"{name}:{line} imports {target}"
        for name in MODULES
        for line, target in imports(name)
        if target in MODULES
        and unit(target) not in {unit(name), *FREE}
        and FLOOR_OF[unit(target)] >= FLOOR_OF[unit(name)]
    ]
    assert wrong == []


def test_there_is_no_cycle() -> None:
    """The modules can be put in an order in which each imports only earlier ones."""
    graph = own_imports()
    while ready := [name for name, targets in graph.items() if not targets & (graph.keys() - {name})]:
        for name in ready:
            del graph[name]
    assert graph == {}


def test_nobody_imports_the_service_or_testing() -> None:
    """The service is for twistd, ``testing`` for tests; the package does without them."""
    wrong = [
        f"{name} imports {target}"
        for name, targets in own_imports().items()
        for target in targets
        if unit(target) in UNUSED_BY_OTHERS and unit(target) != unit(name)
    ]
    assert wrong == []


def test_a_reactor_imports_nothing_of_ours() -> None:
    """A reactor is installed before anything else is imported."""
    theirs = {name: targets for name, targets in own_imports().items() if unit(name) in FREE}
    wrong = {name: targets for name, targets in theirs.items() if {unit(target) for target in targets} - FREE}
    assert wrong == {}


def test_only_the_service_chooses_a_reactor() -> None:
    """A library that is imported leaves the choice to the application."""
    users = {unit(name) for name, targets in own_imports().items() if {unit(target) for target in targets} & FREE}
    assert users <= FREE | {"service"}


def test_negotiation_is_pure() -> None:
    """The rules import the standard library alone, and nothing of it that does I/O, tells the time or logs."""
    wrong = [
        f"{name}:{line} imports {target}"
        for name in MODULES
        if unit(name) == "negotiation"
        for line, target in imports(name)
        if not target.startswith("upgradegw.negotiation")
        and (target.split(".")[0] not in sys.stdlib_module_names or {target, target.split(".")[0]} & NOT_PURE)
    ]
    assert wrong == []


def python(code: str) -> str:
    """Run code in an interpreter of its own, away from the tree."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd="/", capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_everything_installs_no_reactor() -> None:
    """Whoever imports us may still choose the reactor."""
    names = [name for name in MODULES if unit(name) != "__main__"]
    code = f"import importlib, sys\nfor name in {names!r}: importlib.import_module(name)\n"
    assert python(code + "print('twisted.internet.reactor' in sys.modules)") == "False"


def test_importing_the_public_names_reads_no_service() -> None:
    """A site that embeds us does not pay for the command line."""
    printed = python("import sys, upgradegw; print(*sys.modules)").split()
    assert [name for name in printed if name.startswith(("upgradegw.service", "upgradegw.testing"))] == []


def test_listing_plugins_imports_nothing_of_ours() -> None:
    """Every ``twistd --help`` on the machine reads the drop-in, and pays for the drop-in alone."""
    printed = python(
        "import sys\n"
        "from twisted.application.service import IServiceMaker\n"
        "from twisted.plugin import getPlugins\n"
        "print(*(plugin.tapname for plugin in getPlugins(IServiceMaker)))\n"
        "print(*(name for name in sys.modules if name.split('.')[0] == 'upgradegw'))\n"
    )
    listed, _, imported = printed.partition("\n")
    assert "upgradegw" in listed.split()
    assert imported == ""


def test_listing_reactors_imports_nothing_of_ours() -> None:
    """``twistd --help-reactors`` and a choice of another reactor read the drop-in, and pay for the drop-in alone."""
    printed = python(
        "import sys\n"
        "from twisted.application.reactors import getReactorTypes\n"
        "print(*(reactor.shortName for reactor in getReactorTypes()))\n"
        "print(*(name for name in sys.modules if name.split('.')[0] in ('upgradegw', 'uvloop')))\n"
    )
    listed, _, imported = printed.partition("\n")
    assert "uv" in listed.split()
    assert imported == ""
