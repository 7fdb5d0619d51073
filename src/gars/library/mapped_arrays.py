"""Arrays of a model in .npz files that are mapped into memory: a page is read when it is used, and processes share it.

``numpy.load`` reads these files too. Members are stored as they are, each at a multiple of 64 bytes (``numpy.savez``
puts them anywhere), so that compiled loops read them in place. Nothing writes to an array of a model.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
import weakref
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

_ALIGNMENT = 64
_LOCAL_HEADER, _LENGTHS_AT, _ZIP64_FIELD = 30, 26, 20
"""Bytes before a member's name, before the lengths of name and extra fields, and of the field of 64-bit sizes."""
_ALIGNMENT_FIELD = 0xD935
"""Extra field with which Android's zipalign pads."""

_maps: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()
"""The files whose arrays are in use."""


def write_arrays(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays as .npz; the same arrays give the same bytes."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")  # with the date of 1980
            field = struct.pack("<H", _ALIGNMENT)
            start = file.tell() + _LOCAL_HEADER + len(member.filename.encode()) + 4 + len(field) + _ZIP64_FIELD
            field += bytes(-start % _ALIGNMENT)
            member.extra = struct.pack("<HH", _ALIGNMENT_FIELD, len(field)) + field
            with archive.open(member, "w", force_zip64=True) as target:
                npy.write_array(target, np.asarray(array), allow_pickle=False)  # its header is padded to 64 bytes


def map_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of one .npz file, mapped copy-on-write; those that are compressed or not aligned are read.

    On Windows all are read: a mapped file cannot be deleted there.

    Raises:
        ValueError, OSError, zipfile.BadZipFile: it is damaged.
    """
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        _maps.add(mapped)
        return {member.filename.removesuffix(".npy"): _array(mapped, archive, member) for member in archive.infolist()}


def unload_pages() -> None:
    """Take the pages of all mapped arrays out of this process; those still in use come back from the system's cache.

    For a process that has derived what it needs from most of them. Only Linux can; on others nothing happens.
    """
    if hasattr(mmap, "MADV_DONTNEED") and sys.platform == "linux":
        for mapped in list(_maps):
            mapped.madvise(mmap.MADV_DONTNEED)


def _array(mapped: mmap.mmap, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as content:
        version = npy.read_magic(content)
        read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, is_fortran, dtype = read_header(content)
        header = content.tell()
    lengths = mapped[member.header_offset + _LENGTHS_AT : member.header_offset + _LOCAL_HEADER]
    start = member.header_offset + _LOCAL_HEADER + sum(struct.unpack("<HH", lengths)) + header
    if (
        os.name == "posix"
        and member.compress_type == zipfile.ZIP_STORED
        and start % _ALIGNMENT == 0
        and not dtype.hasobject
    ):
        return np.ndarray(shape, dtype, mapped, start, order="F" if is_fortran else "C")
    with archive.open(member) as content:
        return np.asarray(npy.read_array(content, allow_pickle=False))
