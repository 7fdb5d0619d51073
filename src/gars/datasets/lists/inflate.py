"""Unpack gzip, but never more than was agreed: a small file may claim to hold a disk full."""

from __future__ import annotations

import zlib

from gars.domain.errors import InvalidInputError

_GZIP = b"\x1f\x8b"
_WITH_HEADER = 16 + zlib.MAX_WBITS


def inflate(content: bytes, limit: int) -> bytes:
    """The content itself, or what is in it if it is gzip.

    Raises:
        InvalidInputError: it is damaged, or longer than ``limit`` bytes, packed or unpacked.
    """
    if len(content) > limit:
        raise _too_long(limit)
    if not content.startswith(_GZIP):
        return content
    pieces: list[bytes] = []
    left, rest = limit, content
    while rest.startswith(_GZIP):  # a gzip file may be several, one after the other
        member = zlib.decompressobj(_WITH_HEADER)
        try:
            piece = member.decompress(rest, left + 1)
        except zlib.error as error:
            raise _damaged(str(error)) from error
        left -= len(piece)
        if left < 0:
            raise _too_long(limit)
        if not member.eof:
            raise _damaged("it ends too early")
        pieces.append(piece)
        rest = member.unused_data
    return b"".join(pieces)


def _too_long(limit: int) -> InvalidInputError:
    return InvalidInputError(
        f"the list is longer than {limit:,} bytes",
        hint="is it the right file? the setting GARS_MAX_LIST_BYTES is the limit",
    )


def _damaged(why: str) -> InvalidInputError:
    return InvalidInputError(f"the gzip file is damaged: {why}", hint="download the export again")
