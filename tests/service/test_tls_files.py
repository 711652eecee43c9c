"""Files by name: read together, and seen to change."""

from __future__ import annotations

from pathlib import Path

import pytest
from twisted.python.usage import UsageError

from tests.certificates import self_signed
from upgradegw.service.tls_files import TlsFiles


def test_all_are_read_together(tmp_path: Path) -> None:
    """Certificates, keys and authorities; one that is not there fails all."""
    files = self_signed(tmp_path)
    both = TlsFiles((("localhost.pem", "localhost.key"),), "localhost.pem", client_optional=True, folder=tmp_path)
    material = both.read()
    assert material.pairs[0].names == ("localhost",)
    assert material.authorities == material.pairs[0].chain
    assert material.client_optional
    assert material.same_as(both.read())
    assert not material.same_as(TlsFiles(both.pairs, folder=tmp_path).read())
    files.key.unlink()
    with pytest.raises(UsageError, match=r"--tls-key localhost.key: no such file or directory"):
        both.read()


def test_a_change_of_any_file_is_seen(tmp_path: Path) -> None:
    """Content, a replaced file, a file that goes and comes; and the target of a link is what counts."""
    files = self_signed(tmp_path)
    live = tmp_path / "live.pem"
    live.symlink_to(files.cert)
    watched = TlsFiles((("live.pem", "localhost.key"),), "authority.pem", folder=tmp_path)
    seen = [watched.signature()]
    assert watched.signature() == seen[0]

    def changed() -> bool:
        seen.append(watched.signature())
        return seen[-1] not in seen[:-1]

    with files.key.open("ab") as file:
        file.write(b"\n")
    assert changed()
    (tmp_path / "authority.pem").write_bytes(b"")
    assert changed()
    other = self_signed(tmp_path, "other.example")
    (tmp_path / "next.pem").symlink_to(other.cert)
    (tmp_path / "next.pem").replace(live)  # as certbot does
    assert changed()
    live.unlink()
    assert changed()
