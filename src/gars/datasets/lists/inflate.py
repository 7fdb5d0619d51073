"""Unpack gzip within limits: bytes, members and time grow with the input, whatever it claims to hold."""

from __future__ import annotations

import zlib

from gars.domain.errors import InvalidInputError

MAX_MEMBERS = 1_000
"""Members of one file. Tools that write many (bgzip, pigz) put 64 kB and more into each."""
_GZIP = b"\x1f\x8b"
_WITH_HEADER = 16 + zlib.MAX_WBITS
_STEP = 16_384
"""Bytes given to zlib at a time: what is left after the end of a member is copied, so this bounds the copy."""


def inflate(content: bytes, limit: int) -> bytes:
    """Return the content, decompressed if it is gzip. Linear in the length of the input and the output.

    Raises:
        InvalidInputError: it is damaged, has more than ``MAX_MEMBERS`` members, or is longer than ``limit`` bytes,
            packed or unpacked.
    """
    if len(content) > limit:
        raise _too_long(limit)
    if not content.startswith(_GZIP):
        return content
    packed = memoryview(content)
    unpacked = bytearray()
    start = members = 0
    while content.startswith(_GZIP, start):  # a gzip file may be several, one after the other
        members += 1
        if members > MAX_MEMBERS:
            raise InvalidInputError(
                f"the gzip file has more than {MAX_MEMBERS:,} members", hint="unpack it, and send what is in it"
            )
        start = _inflate_member(packed, start, unpacked, limit)
    return bytes(unpacked)


def _inflate_member(packed: memoryview, start: int, unpacked: bytearray, limit: int) -> int:
    """Append the member at ``start`` to ``unpacked``. → the place after it"""
    member = zlib.decompressobj(_WITH_HEADER)
    place = start
    while not member.eof:
        step = packed[place : place + _STEP]
        if not step:
            raise _damaged("it ends too early")
        try:
            unpacked += member.decompress(step, limit - len(unpacked) + 1)
        except zlib.error as error:
            raise _damaged(str(error)) from error
        if len(unpacked) > limit:
            raise _too_long(limit)
        place += len(step) - len(member.unused_data) - len(member.unconsumed_tail)
    return place


def _too_long(limit: int) -> InvalidInputError:
    return InvalidInputError(
        f"the list is longer than {limit:,} bytes",
        hint="is it the right file? the setting GARS_MAX_LIST_BYTES is the limit",
    )


def _damaged(why: str) -> InvalidInputError:
    return InvalidInputError(f"the gzip file is damaged: {why}", hint="download the export again")
