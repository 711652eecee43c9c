"""Taking a client's mask away (RFC 6455 section 5.3), by the fastest means that is installed.

The C function of the ``websockets`` library takes 0.1 µs for a short message and 0.4 µs for 16 KiB. Autobahn's own NVX
pays for short ones with the way into C (0.6 µs) and takes 1.6 µs for 16 KiB. Python's integers are faster than NVX up
to some hundred bytes (0.4 µs for 32), and far slower above (40 µs for 16 KiB); they are always there.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeAlias

#: Takes content and a mask of four bytes; masking and unmasking are the same.
Masking: TypeAlias = Callable[[bytes, bytes], bytes]

#: Bytes from which on the way into NVX pays: measured, between 64 and 125.
_WORTH_NVX = 100


def with_integers(content: bytes, mask: bytes) -> bytes:
    """Mask with one exclusive or of two long integers."""
    size = len(content)
    repeated = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(content, "little") ^ int.from_bytes(repeated, "little")).to_bytes(size, "little")


def _from_websockets() -> Masking | None:
    try:
        from websockets.speedups import apply_mask  # noqa: PLC0415 - there or not, with its extension or without
    except ImportError:
        return None
    return apply_mask


def _from_nvx() -> Masking | None:
    try:
        nvx: Any = import_module("_nvx_xormasker")  # Autobahn has been built with it or not
    except ImportError:
        return None
    return with_nvx(nvx.ffi, nvx.lib)


def with_nvx(ffi: Any, lib: Any) -> Masking:
    """Return what masks with Autobahn's NVX, in place in a copy; short content with integers."""
    begin, process, end, view = lib.nvx_xormask_new, lib.nvx_xormask_process, lib.nvx_xormask_free, ffi.from_buffer

    def mask_content(content: bytes, mask: bytes) -> bytes:
        if len(content) < _WORTH_NVX:
            return with_integers(content, mask)
        masked = bytearray(content)
        state = begin(mask)
        process(state, view(masked), len(masked))
        end(state)
        return bytes(masked)

    return mask_content


def fastest() -> Masking:
    """Return the fastest that can be imported."""
    return _from_websockets() or _from_nvx() or with_integers


#: The one that is used.
mask_content: Masking = fastest()
