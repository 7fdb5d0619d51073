"""Freed memory stays with the process: decision 0151 has what that brings.

The C library maps every large block anew and gives it back when it is freed, so each array of a batch costs a page
fault for each of its 4 KiB. That is for the process as a whole to decide: programs call this, the library does not.
"""

from __future__ import annotations

import ctypes

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
"""From malloc.h of the GNU C library."""
_BLOCK = 1 << 30
"""Only larger blocks are mapped."""
_KEPT = 256 << 20
"""So much free memory at the end of the heap is not given back."""
_STEP = 64 << 20
"""The heap grows by so much more than is asked for."""


def keep_freed() -> None:
    """Tell the GNU C library; on any other nothing happens."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return
    for option, value in ((_MMAP_THRESHOLD, _BLOCK), (_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, _STEP)):
        mallopt(option, value)
