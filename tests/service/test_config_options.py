"""--config: what the file and the command line come to together."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.service.test_options import FREE, import_path, mistake, parsed  # noqa: F401 - a fixture, used by itself
from upgradegw.service.options import Options

PLACE = 'endpoint = "tcp:0:interface=127.0.0.1"\n'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with a listener and a route."""
    path = tmp_path / "gateway.toml"
    path.write_text(
        'trusted_proxies = ["::1"]\nstop_timeout = 3\naccess_log = "off"\naccess_log_format = "json"\n'
        f'extended_connect = true\n[[listen]]\n{PLACE}h2c_upgrade = "always"\n[[route]]\npath = "/"\nstatic = "."\n'
    )
    return path


def test_the_file_alone(file: Path) -> None:
    """It says where to listen and what to serve; modules are found beside it."""
    options = parsed("--config", str(file))
    config = options.config
    assert [listener.option for listener in options.listeners] == [config.listen[0].where]
    assert (config.listen[0].h2c_upgrade, config.stop_timeout, config.access_log) == ("always", 3, "off")
    assert (options["access-log"], options["access-log-format"]) == ("off", "json")
    assert (config.app_dir, sys.path[0]) == (str(file.parent), str(file.parent))


def test_both_together(file: Path, tmp_path: Path) -> None:
    """Places, routes and trusted proxies add up; of what there is only once, the command line wins."""
    options = parsed(
        *("--config", str(file), FREE, "--wsgi", "/w=a:b", "--trusted-proxy", "10.0.0.0/8", "--stop-timeout=10"),
        *("--access-log=-", "--access-log-format=combined", "--no-extended-connect", "--app-dir", str(tmp_path)),
    )
    config = options.config
    assert [each.h2c_upgrade for each in config.listen] == ["always", "never"]
    assert [listener.option for listener in options.listeners] == [each.where for each in config.listen]
    assert [route.path for route in config.route] == ["/", "/w"]
    assert config.trusted_proxies == ("::1", "10.0.0.0/8")
    assert (config.stop_timeout, config.access_log, config.access_log_format) == (10, "-", "combined")
    assert (config.extended_connect, config.app_dir) == (False, str(tmp_path))


def test_a_file_that_says_nothing_of_places(tmp_path: Path) -> None:
    """Then those of the command line are all that there are, with its certificates."""
    (tmp_path / "x.toml").write_text('[[route]]\npath = "/"\nstatic = "."\n')
    config = parsed("-c", str(tmp_path / "x.toml"), FREE, "--tls-cert", "self-signed").config
    assert [each.tls.cert for each in config.listen if each.tls is not None] == ["self-signed"]
    options = Options()
    options["config"] = str(tmp_path / "x.toml")
    assert [each.endpoint for each in options.read_config().listen] == ["tcp:8080"]


def test_the_demonstration_needs_no_route(tmp_path: Path) -> None:
    """A file without one serves it, as no file does; a listener of a file does what it says."""
    (tmp_path / "x.toml").write_text("listen = []")
    assert parsed("-c", str(tmp_path / "x.toml"), FREE).config.listen[0].h2c_upgrade == "direct"
    (tmp_path / "x.toml").write_text(f"[[listen]]\n{PLACE}")
    assert parsed("-c", str(tmp_path / "x.toml")).config.listen[0].h2c_upgrade == "never"


def test_the_file_can_be_read_again(file: Path) -> None:
    """The same file gives an equal configuration; a changed one another, to which the command line is put again."""
    options = parsed("-c", str(file), "--wsgi", "/w=a:b")
    assert options.read_config() == options.config
    file.write_text('[[route]]\npath = "/new"\nstatic = "."\n')
    assert [route.path for route in options.read_config().route] == ["/new", "/w"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--static", "/=/"], '--static /=/: {file}: [[route]] 1 (path "/") has the same path'),
        (
            ["--tls-cert=self-signed"],
            "--tls-cert is for the places that --listen and --port name; those of {file} have",
        ),
        (["--h2c-upgrade=never"], "--h2c-upgrade is for the places that --listen and --port name; "),
        (["--acme-webroot=/"], "--acme-webroot is for the places that --listen and --port name; "),
        (["--redirect", "tcp:0"], "--redirect tcp:0: there is no TLS to lead to; name a --tls-cert"),
        (["--app-dir=/nowhere"], "--app-dir /nowhere: there is no such folder"),
        (["--check=all"], "--check=all: write --check or --check=connect"),
    ],
)
def test_mistakes(file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], line: str) -> None:
    """One line names the option, and the table if there is one."""
    assert mistake(capsys, "-c", str(file), *arguments).startswith(line.format(file=file))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("app_dir = 'nowhere'", 'x.toml: key "app_dir": there is no such folder'),
        ("access_log = 'nowhere/log'", 'x.toml: key "access_log": {folder}/nowhere/log: no such file or directory'),
        ("stop_timeout = -1", 'x.toml: key "stop_timeout": expected a number from 0 to 86400, got -1'),
        (f"[[listen]]\n{PLACE.replace('0', '7', 1)}" * 2, "x.toml: [[listen]] 2"),
    ],
)
def test_mistakes_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, line: str) -> None:
    """They are told as those of options are."""
    (tmp_path / "x.toml").write_text(text)
    assert mistake(capsys, "--config", str(tmp_path / "x.toml")).startswith(
        f"{tmp_path}/{line.replace('{folder}', str(tmp_path))}"
    )


def test_a_file_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the option that is wrong."""
    assert mistake(capsys, "-c", "/nowhere.toml") == "--config /nowhere.toml: no such file or directory"
