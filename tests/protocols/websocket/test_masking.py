"""Taking the mask away."""

from __future__ import annotations

import sys
from random import Random

import pytest

from upgradegw.protocols.websocket import masking
from upgradegw.protocols.websocket.masking import Masking, fastest, mask_content, with_integers

RANDOM = Random(5)
SIZES = (*range(20), 31, 32, 99, 100, 101, 125, 126, 1000, 4096, 65_535, 70_001)


def by_the_book(content: bytes, mask: bytes) -> bytes:
    """RFC 6455 section 5.3: octet i of the content is combined with octet i modulo 4 of the mask."""
    return bytes(octet ^ mask[i % 4] for i, octet in enumerate(content))


def kinds() -> list[Masking]:
    """All that are installed; the integers always are."""
    return [kind for kind in (with_integers, masking._from_websockets(), masking._from_nvx()) if kind is not None]


@pytest.mark.parametrize("kind", kinds())
def test_by_the_book(kind: Masking) -> None:
    """Each way gives what the RFC says, as bytes, at every size, and back again."""
    for size in SIZES:
        content, mask = RANDOM.randbytes(size), RANDOM.randbytes(4)
        masked = kind(content, mask)
        assert type(masked) is bytes
        assert masked == by_the_book(content, mask)
        assert kind(masked, mask) == content


def test_the_fastest_is_used() -> None:
    """The function of ``websockets`` comes first; the tests have it installed."""
    assert mask_content is masking._from_websockets()


@pytest.mark.parametrize(
    ("missing", "name"),
    [(["websockets.speedups"], "mask_content"), (["websockets.speedups", "_nvx_xormasker"], "with_integers")],
)
def test_what_is_not_installed(monkeypatch: pytest.MonkeyPatch, missing: list[str], name: str) -> None:
    """Without it NVX is used, and without that integers."""
    for module in missing:
        monkeypatch.setitem(sys.modules, module, None)
    assert fastest().__name__ == name
