"""The options of the access log: mistakes are found before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from upgradegw.service.formats import FORMATS
from upgradegw.service.log_options import LogOptions


def parsed(*arguments: str) -> LogOptions:
    """Parse options, and look at them as ``--check`` does."""
    options = LogOptions()
    options.parseOptions([*arguments])
    options.check_access_log()
    return options


@pytest.mark.parametrize("form", FORMATS)
def test_formats(form: str) -> None:
    """Each format can be named."""
    assert parsed("--access-log-format", form)["access-log-format"] == form


def test_the_default_is_as_it_was() -> None:
    """Without an option: the combined format, in Twisted's log."""
    options = parsed()
    options.open_access_log()
    assert (options["access-log-format"], options["access-log"], options.access_file) == ("combined", None, None)


def test_an_unknown_format_is_a_mistake() -> None:
    """The message lists those that there are."""
    with pytest.raises(UsageError, match=r"^--access-log-format xml: write one of combined, json, logfmt$"):
        parsed("--access-log-format", "xml")


@pytest.mark.parametrize(
    ("path", "message"),
    [("gone/access.log", "no such file or directory"), ("", "is a directory"), ("file/access.log", "no such file")],
)
def test_places_where_no_file_can_be(tmp_path: Path, path: str, message: str) -> None:
    """They are found without an attempt to write there."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=message):
        parsed("--access-log", str(tmp_path / path))
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_no_name_at_all() -> None:
    """An empty name is the current folder, as it is when the file is opened."""
    with pytest.raises(UsageError, match="is a directory"):
        parsed("--access-log", "")


def test_a_place_where_we_may_not_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for a file that is not there yet; root is made to be a user who may not."""
    asked: list[object] = []
    monkeypatch.setattr("os.access", lambda path, _mode: asked.append(path))
    (tmp_path / "old").write_text("")
    for name in ("old", "new"):
        with pytest.raises(UsageError, match="permission denied"):
            parsed("--access-log", str(tmp_path / name))
    assert asked == [str(tmp_path / "old"), str(tmp_path)]


def test_a_file_that_cannot_be_opened_after_all(tmp_path: Path) -> None:
    """What a look could not tell, the attempt does, in one line like the others."""
    (tmp_path / "logs").mkdir()
    options = parsed("--access-log", str(tmp_path / "logs" / "access.log"))
    (tmp_path / "logs").rmdir()
    with pytest.raises(UsageError, match=r"^--access-log \S+: no such file or directory$"):
        options.open_access_log()


def test_looking_opens_nothing(tmp_path: Path) -> None:
    """The file is made when it is opened, and not before."""
    path = tmp_path / "access.log"
    options = parsed("--access-log", str(path))
    assert not path.exists()
    options.open_access_log()
    assert options.access_file is not None
    options.access_file.close()
    assert path.exists()
