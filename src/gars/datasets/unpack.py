"""Take a list out of its wrapper: gzip, bzip2, xz, or a zip archive of one file, also one in another."""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib

from gars.datasets.kinds import only_member, refuse_other_kind
from gars.datasets.lists.inflate import inflate
from gars.domain.errors import InvalidInputError

MAX_LAYERS = 3
MAX_MEMBERS = 1_000
_GZIP, _BZIP2, _XZ, _ZIP = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK"
_STEP = 1 << 16
_DAMAGED = (lzma.LZMAError, OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile, NotImplementedError)
_XZ_MEMORY = 128 << 20


def unpack(content: bytes, limit: int) -> bytes:
    """Decompress nested archives. At no time more than ``limit`` bytes are held.

    Raises:
        InvalidInputError: a wrapper is damaged, encrypted, of several files or of a kind that is not read, or holds
            more than ``limit`` bytes or ``MAX_LAYERS`` wrappers; or the content is no text.
    """
    layers: list[str] = []
    while (wrapper := _wrapper(content)) is not None:
        if len(layers) == MAX_LAYERS:
            raise InvalidInputError(
                f"the file has more than {MAX_LAYERS} wrappers ({', '.join([*layers, wrapper])})",
                hint="unpack it, and give what is in it",
            )
        layers.append(wrapper)
        content = _unpacked(content, wrapper, limit)
    content = inflate(content, limit)  # too long is too long, also without a wrapper
    refuse_other_kind(content[: 1 << 12])
    return content


def _wrapper(content: bytes) -> str | None:
    if content.startswith(_GZIP):
        return "gzip"
    if content.startswith(_XZ):
        return "xz"
    if content.startswith(_BZIP2) and content[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        return "bzip2"
    return "zip" if content[:4] in (b"PK\x03\x04", b"PK\x05\x06") else None


def _unpacked(content: bytes, wrapper: str, limit: int) -> bytes:
    if wrapper == "gzip":
        return inflate(content, limit)
    if len(content) > limit:
        raise _too_long(limit)
    try:
        if wrapper == "zip":
            return _unzip(content, limit)
        return _stream(content, wrapper, limit)
    except (
        lzma.LZMAError,
        OSError,
        EOFError,
        ValueError,
        zlib.error,
        zipfile.BadZipFile,
        NotImplementedError,
    ) as error:
        raise InvalidInputError(f"the {wrapper} file is damaged: {error}", hint="download the export again") from error


def _stream(content: bytes, wrapper: str, limit: int) -> bytes:
    """Unpack xz or bzip2, also several members one after the other."""
    unpacked = bytearray()
    place = members = 0
    while content[place:].strip(b"\x00") if place + _STEP > len(content) else True:
        members += 1
        if members > MAX_MEMBERS:
            raise ValueError(f"it has more than {MAX_MEMBERS:,} members")
        place = _member(content, place, wrapper, unpacked, limit)
    return bytes(unpacked)


def _member(content: bytes, place: int, wrapper: str, unpacked: bytearray, limit: int) -> int:
    """Append the member at ``place`` to ``unpacked``. → the place after it"""
    decompressor = (
        lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY) if wrapper == "xz" else bz2.BZ2Decompressor()
    )
    while not decompressor.eof:
        piece = content[place : place + _STEP] if decompressor.needs_input else b""
        if decompressor.needs_input and not piece:
            raise EOFError("it ends too early")
        place += len(piece)
        unpacked += decompressor.decompress(piece, limit - len(unpacked) + 1)
        if len(unpacked) > limit:
            raise _too_long(limit)
    return place - len(decompressor.unused_data)


def _unzip(content: bytes, limit: int) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = only_member(archive)
        with archive.open(member) as file:
            unpacked = file.read(limit + 1)  # not by the size that the archive claims
    if len(unpacked) > limit:
        raise _too_long(limit)
    return unpacked


def _too_long(limit: int) -> InvalidInputError:
    return InvalidInputError(
        f"the list is longer than {limit:,} bytes",
        hint="is it the right file? the setting GARS_MAX_LIST_BYTES is the limit",
    )
