"""Settings of the C library's allocator and of the garbage collector, for whole programs, not for the library.

Freed memory stays with the process (docs/performance.md): the C library maps every large block anew and gives it back
when it is freed, so each array of a batch costs a page fault for each of its 4 KiB.
"""

from __future__ import annotations

import ctypes
import gc
import mmap
from pathlib import Path

from gars.library.mapped_arrays import unload_pages

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
"""From malloc.h of the GNU C library."""
_BLOCK = 1 << 30
"""Only larger blocks are mapped."""
_KEPT = 256 << 20
"""Free memory at the end of the heap that is not returned."""
_STEP = 64 << 20
"""Padding by which the heap grows."""
_START_LIBRARIES = "libllvmlite.so", "_polars_runtime.abi3.so"
"""File names of the compiler of kernels and of polars."""
_GC_THRESHOLDS = 20_000, 20, 20
"""A request makes thousands of objects and leaves none: look for cycles less often than every 700."""


def keep_freed_memory() -> None:
    """Configure the allocator of the GNU C library; on others nothing happens."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return
    for option, value in ((_MMAP_THRESHOLD, _BLOCK), (_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, _STEP)):
        mallopt(option, value)


def trim_freed_memory() -> None:
    """Return freed pages to the system once, for a process that needed more while it started than it needs afterwards.

    Later allocations behave as set by ``keep_freed_memory``. Only the GNU C library can; on others nothing happens.
    """
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return


def unload_start_libraries() -> None:
    """Take the code of libraries that a start needs out of this process: the compiler of kernels and polars.

    It comes back from the system's cache when it is called again. Only Linux can; on others nothing happens.
    """
    try:
        madvise = ctypes.CDLL(None).madvise
        mappings = Path("/proc/self/maps").read_text().splitlines()
    except (AttributeError, OSError, TypeError):
        return
    for mapping in mappings:
        addresses, permissions, *_ = mapping.split(maxsplit=2)
        # code is never written to; other pages may hold addresses that the loader wrote, and would lose them
        if mapping.endswith(_START_LIBRARIES) and permissions == "r-xp":
            start, end = (int(address, 16) for address in addresses.split("-"))
            madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), mmap.MADV_DONTNEED)


def resident_mb() -> float | None:
    """Return the resident memory of this process in MB; None where the system does not report it."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * mmap.PAGESIZE / 1e6


def release_start_memory() -> None:
    """Give back what only a start needed, and keep what is left out of the garbage collector's way.

    For a process that has warmed up its model.
    """
    trim_freed_memory()
    unload_pages()
    unload_start_libraries()
    collect_rarely()


def collect_rarely() -> None:
    """Freeze the present objects, and collect garbage among new ones less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)
