"""Measure everything beside its peers, in one run: ``python tests/benchmarks/run.py``, about half an hour.

    run.py                           every row, every contender
    run.py echo-32x1 idle            some rows (--list tells their names)
    run.py --only upgradegw,aiohttp  some contenders
    run.py --goals                   only whom a goal names
    run.py --write                   and write results.json, the page and the chart of the documentation
    run.py echo-32x1 --profile       where our own time goes
    run.py --guard                   under three minutes: fail where a row falls short by more than a quarter

Servers run on one core, one of them at a time under load, the load on another core. A round visits every contender of
a row, a moment each; ratios are taken within a round, and what counts is the median of the rounds. Peers and programs
are installed when they are needed, in a cache folder, and by apt-get where root runs this. Without ``--guard`` the
status is 1 where a goal is missed. On a machine that does something else meanwhile only processor time says anything.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks import guard, report
from tests.benchmarks.contenders import CONTENDERS
from tests.benchmarks.environments import install, program
from tests.benchmarks.measuring import MissingError, Report, Server, Yard, run_alone, run_load
from tests.benchmarks.profiling import profile
from tests.benchmarks.results import Figures, Outcome, save
from tests.benchmarks.rows import OURS, ROWS, Row

#: Opening ten thousand connections takes long enough: so many rounds of that are the most.
_IDLE_ROUNDS = 3


def say(line: str) -> None:
    """Write a line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@contextmanager
def started(yard: Yard, row: Row, names: Sequence[str]) -> Iterator[dict[str, Server | None]]:
    """Start the contenders of a row; None stands for what is no server."""
    servers: dict[str, Server | None] = {}
    try:
        for name in names:
            try:
                servers[name] = None if name == "h2-alone" else Server(yard, name, row.mode)
            except MissingError as missing:
                say(f"{missing} is not there")
        yield servers
    finally:
        for server in servers.values():
            if server is not None:
                server.stop()


def rounds_of(
    yard: Yard, rows: dict[str, Row], names: Sequence[str], rounds: int, seconds: float
) -> dict[str, Outcome]:
    """Measure rows that one load is enough for."""
    date = dt.datetime.now(dt.UTC).date().isoformat()
    outcomes = {name: Outcome({}, date, seconds) for name in rows}
    row = next(iter(rows.values()))
    with started(yard, row, names) as servers:
        order = list(servers)
        for number in range(rounds + 1):
            # The first round warms up. Nobody always comes behind the same one.
            for name in order[:]:
                moment = seconds if number else min(seconds, 0.3)
                found = tried(yard, servers[name], row, moment)
                for key, each in rows.items() if number or not found else ():
                    if found:
                        outcomes[key].figures.setdefault(name, Figures()).add(each, found)
                    else:
                        outcomes[key].figures.pop(name, None)
                if not found:
                    order.remove(name)
            order = order[1:] + order[:1]
    return outcomes


def tried(yard: Yard, server: Server | None, row: Row, seconds: float) -> Report:
    """Measure once; who fails twice is left out, and has an empty report."""
    for _ in range(2):
        try:
            return run_load(yard, server, row.load, seconds) if server else run_alone(yard, seconds)
        except RuntimeError as error:
            say(str(error))
    return {}


def idle_rounds(
    yard: Yard, rows: dict[str, Row], names: Sequence[str], rounds: int, seconds: float
) -> dict[str, Outcome]:
    """Measure idle connections, each time with a fresh server and no other beside it."""
    date = dt.datetime.now(dt.UTC).date().isoformat()
    outcomes = {name: Outcome({}, date, seconds) for name in rows}
    row = next(iter(rows.values()))
    for _ in range(min(rounds, _IDLE_ROUNDS)):
        for name in names:
            with started(yard, row, [name]) as servers:
                for server in servers.values():
                    assert server is not None
                    found = tried(yard, server, row, seconds)
                    for key, each in rows.items() if found else ():
                        outcomes[key].figures.setdefault(name, Figures()).add(each, found)
    return outcomes


def loads(names: Sequence[str]) -> list[dict[str, Row]]:
    """Put rows together that one load is enough for."""
    found: dict[tuple[str, ...], dict[str, Row]] = {}
    for name in names:
        found.setdefault((ROWS[name].mode, *ROWS[name].load), {})[name] = ROWS[name]
    return list(found.values())


def chosen(row: Row, only: Sequence[str], *, goals: bool) -> list[str]:
    """Return whom the load is put on."""
    names = [name for name in row.among if not only or name in only]
    wanted = {OURS, *(goal.peer for goal in row.goals)}
    return [name for name in names if name in wanted] if goals else names


def _version(name: str, flag: str) -> str:
    """Return a program's name and version; nothing where it is not there."""
    path = program(name)
    if path is None:
        return ""
    done = subprocess.run([path, flag], capture_output=True, text=True, check=False)
    found = re.search(r"\d+\.\d+(\.\d+)?", done.stdout + done.stderr)
    return f"{name} {found[0]}" if found else name


def about() -> dict[str, str]:
    """Tell what machine this is, and what programs are on it."""
    flags = {"nginx": "-v", "haproxy": "-v", "nghttpx": "--version", "caddy": "version", "h2load": "--version"}
    programs = [_version(name, flag) for name, flag in flags.items()]
    models = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return {
        "processor": models[0].partition(": ")[2] if models else platform.processor(),
        "cores": str(os.cpu_count()),
        "system": f"Linux {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "programs": ", ".join(filter(None, programs)),
    }


@contextmanager
def prepared(cores: str) -> Iterator[Yard]:
    """Make what all measurements have in common."""
    servers, load = (int(core) for core in cores.split(","))
    with tempfile.TemporaryDirectory(prefix="upgradegw-bench.") as folder:
        yard = Yard(Path(folder), (servers, load))
        try:
            yield yard
        finally:
            yard.close()


def measure(names: Sequence[str], arguments: argparse.Namespace) -> dict[str, Outcome]:
    """Measure rows, and print each as soon as it is there."""
    outcomes: dict[str, Outcome] = {}
    with prepared(arguments.cores) as yard:
        for rows in loads(names):
            row = next(iter(rows.values()))
            among = chosen(row, arguments.only, goals=arguments.goals)
            how = idle_rounds if row.load[0] == "idle" else rounds_of
            found = how(yard, rows, among, arguments.rounds, arguments.seconds)
            for name, outcome in found.items():
                say(report.as_text(ROWS[name], outcome))
            outcomes.update(found)
    return outcomes


def parsed(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help="a row's name; all without")
    parser.add_argument("--list", action="store_true", help="tell the names of rows and contenders")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[], metavar="NAMES", help="contenders")
    parser.add_argument("--goals", action="store_true", help="only contenders that goals name")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each contender in a round [1]")
    parser.add_argument("--rounds", type=int, default=5, help="that count; one more warms up [5]")
    parser.add_argument("--cores", default="0,1", help="of servers, and of the load [0,1]")
    parser.add_argument("--write", action="store_true", help="write the results and the documentation")
    parser.add_argument("--render", action="store_true", help="write the documentation again, measure nothing")
    parser.add_argument("--profile", action="store_true", help="show where our time goes, by cProfile")
    parser.add_argument("--guard", action="store_true", help="compare with the results, in a short run")
    arguments = parser.parse_args(words)
    unknown = [name for name in arguments.rows if name not in ROWS]
    unknown += [name for name in arguments.only if name not in CONTENDERS]
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; --list tells the names")
    return arguments


def _leave(number: int, _frame: object) -> None:
    """Be ended like somebody who is interrupted: no server stays behind."""
    sys.exit(128 + number)


def main() -> int:
    """Do what the command line says."""
    arguments = parsed()
    signal.signal(signal.SIGTERM, _leave)
    if arguments.list:
        for name, row in ROWS.items():
            say(f"{name:17} {row.title}: {', '.join(row.among)}")
        return 0
    if arguments.render:
        report.write()
        return 0
    install(["cc", "h2load", "nginx", "haproxy", "nghttpx"])
    if arguments.profile:
        with prepared(arguments.cores) as yard:
            for name in arguments.rows:
                profile(yard, ROWS[name], arguments.seconds, say)
        return 0
    if arguments.guard:
        return guard.run(arguments, measure, say)
    outcomes = measure(arguments.rows or list(ROWS), arguments)
    if arguments.write:
        save(outcomes, about())
        report.write()
    missed = report.missed(outcomes)
    say("every goal is reached" if not missed else "missed:\n" + "\n".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
