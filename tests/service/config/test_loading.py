"""Files of a configuration: read, included, put together."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from tests.service.config.files import loaded, mistake
from upgradegw.service.config.loading import load
from upgradegw.service.config.model import Config


def test_a_file_without_routes_has_all_defaults(tmp_path: Path) -> None:
    """Modules are looked for beside the file. A file that says nothing at all is a mistake (test_places)."""
    assert loaded(tmp_path, "listen = []") == Config(app_dir=str(tmp_path))


def test_files_of_other_systems(tmp_path: Path) -> None:
    """Editors of Windows begin a file with a byte order mark, and end lines with two characters."""
    (tmp_path / "x.toml").write_bytes(b"\xef\xbb\xbfstop_timeout = 3\r\n[[route]]\r\npath = '/'\r\nstatic = '.'\r\n")
    assert load(str(tmp_path / "x.toml")).stop_timeout == 3


def test_tables_know_where_they_stand(tmp_path: Path) -> None:
    """Those within other tables, too."""
    text = '[limits]\nmax_head = 9\n[[route]]\npath = "/"\nupgrade = { a = "b:c" }\n'
    text += 'otherwise = { redirect = { to = "/x" } }'
    config = loaded(tmp_path, text)
    file, table = f"{tmp_path}/gateway.toml", f'{tmp_path}/gateway.toml: [[route]] 1 (path "/")'
    assert (config.where, config.at("limits"), config.limits.where) == (file, f"{file}: [limits]", f"{file}: [limits]")
    (route,) = config.route
    assert route.otherwise is not None
    assert (route.where, route.at("upgrade")) == (table, f'{table}: key "upgrade"')
    assert route.otherwise.at("redirect") == f'{table}: key "otherwise.redirect"'
    assert route.at("upgrade.a") == f'{table}: key "upgrade.a"'


def included(folder: Path, text: str) -> None:
    """Write three files that can be included."""
    (folder / "routes").mkdir()
    for name in ("b", "a"):
        (folder / "routes" / f"{name}.toml").write_text(f'[[route]]\npath = "/{name}"\nstatic = "."\n')
    (folder / "more.toml").write_text(text)


def test_routes_of_other_files_are_added(tmp_path: Path) -> None:
    """In the order of the list, then of the names; each file's names of files are relative to itself."""
    included(tmp_path, 'include = ["routes/b.toml"]\nstop_timeout = 3\n[[listen]]\nendpoint = "tcp:1"\n')
    text = 'include = ["more.toml", "routes/a*", "none/*"]\n[[route]]\npath = "/"\nstatic = "."\n'
    config = loaded(tmp_path, text)
    assert [route.path for route in config.route] == ["/", "/b", "/a"]
    assert [route.static for route in config.route] == [str(tmp_path), *[f"{tmp_path}/routes"] * 2]
    assert (config.stop_timeout, config.listen[0].endpoint, config.app_dir) == (3, "tcp:1", str(tmp_path))
    assert config.at("stop_timeout") == f'{tmp_path}/more.toml: key "stop_timeout"'
    assert config.route[1].where == f'{tmp_path}/routes/b.toml: [[route]] 1 (path "/b")'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('include = ["nowhere.toml"]', "gateway.toml: key \"include[1]\": there is no file 'nowhere.toml'"),
        ('include = ["/"]', "gateway.toml: key \"include[1]\": '/' is no pattern"),
        ('include = ["gateway.toml"]', "gateway.toml: this file is included twice"),
        ('include = ["more.toml", "*.toml"]', "gateway.toml: this file is included twice"),
        (
            'include = ["more.toml"]\nstop_timeout = 1',
            'more.toml: key "stop_timeout": gateway.toml has this key, too',
        ),
    ],
)
def test_mistakes_with_several_files(tmp_path: Path, text: str, line: str) -> None:
    """The line names the file in which it is wrong."""
    included(tmp_path, "stop_timeout = 2\n")
    assert mistake(tmp_path, text).startswith(line)


def test_a_mistake_in_an_included_file(tmp_path: Path) -> None:
    """It is told with that file's name."""
    included(tmp_path, "x = 2\n")
    assert mistake(tmp_path, 'include = ["more.toml"]') == 'more.toml: key "x": there is no such key'


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    """The line is told."""
    (tmp_path / "more.toml").write_bytes(b"\n\n# \xff\n")
    assert mistake(tmp_path, 'include = ["more.toml"]') == "more.toml: line 3: this is not UTF-8"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """It is the option that is wrong."""
    with pytest.raises(UsageError, match=r"^--config .*nowhere\.toml: no such file or directory$"):
        load(str(tmp_path / "nowhere.toml"))
