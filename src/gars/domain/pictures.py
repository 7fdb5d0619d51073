"""Type and size of an image, read from its header: nothing is decoded."""

from __future__ import annotations

from typing import Literal, NamedTuple

from gars.domain.errors import InvalidInputError

MediaType = Literal["image/jpeg", "image/png", "image/webp"]

MAX_SIDE = 6000
MAX_PIXELS = 16_000_000
"""A decoder allocates memory by the declared size, whatever the size of the file."""

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_JPEG_SIZES = frozenset((*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)))
"""Markers of JPEG segments that hold the size: start of frame."""
_JPEG_EMPTY = frozenset((0x01, *range(0xD0, 0xD8)))
"""Markers without a length."""


class Picture(NamedTuple):
    """Type and size as the header of an image declares them."""

    media_type: MediaType
    width: int
    height: int


def read_header(content: bytes) -> Picture:
    """Return type and size of a JPEG, PNG or WebP image of one frame.

    Raises:
        InvalidInputError: the bytes are something else, cut off, animated, or declare more than ``MAX_SIDE`` pixels a
            side or ``MAX_PIXELS`` in all.
    """
    try:
        found = _read(content)
    except IndexError:
        found = None
    if found is None:
        raise InvalidInputError("the bytes are not a JPEG, PNG or WebP image of one frame")
    if not (0 < found.width <= MAX_SIDE and 0 < found.height <= MAX_SIDE) or found.width * found.height > MAX_PIXELS:
        raise InvalidInputError(f"an image of {found.width} by {found.height} pixels is not a cover")
    return found


def _read(content: bytes) -> Picture | None:
    if content.startswith(_PNG):
        return _png(content)
    if content.startswith(_JPEG):
        return _jpeg(content)
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return _webp(content)
    return None


def _png(content: bytes) -> Picture | None:
    """Read the IHDR chunk; ``acTL`` before the image data marks an animation."""
    if content[12:16] != b"IHDR" or len(content) < 33:
        return None
    at = 33
    while (kind := content[at + 4 : at + 8]) != b"IDAT":
        if kind == b"acTL" or len(kind) < 4:
            return None
        at += 12 + int.from_bytes(content[at : at + 4])
    return Picture("image/png", int.from_bytes(content[16:20]), int.from_bytes(content[20:24]))


def _jpeg(content: bytes) -> Picture | None:
    """Walk over the segments to the start of frame."""
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker in _JPEG_SIZES:
            if len(content) < at + 9:
                return None
            height, width = (int.from_bytes(content[at + place : at + place + 2]) for place in (5, 7))
            return Picture("image/jpeg", width, height)
        if marker in (0xD9, 0xDA):  # the end, or image data without a frame
            return None
        at += 2 if marker in _JPEG_EMPTY else 2 + max(2, int.from_bytes(content[at + 2 : at + 4]))
    return None


def _webp(content: bytes) -> Picture | None:
    """Read the size from the first chunk: VP8 (lossy), VP8L (lossless) or VP8X (extended)."""
    if len(content) < 30:
        return None
    match content[12:16]:
        case b"VP8 " if content[23:26] == b"\x9d\x01\x2a":
            width, height = (int.from_bytes(content[place : place + 2], "little") & 0x3FFF for place in (26, 28))
            return Picture("image/webp", width, height)
        case b"VP8L" if content[20] == 0x2F:
            bits = int.from_bytes(content[21:25], "little")
            return Picture("image/webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        case b"VP8X" if not content[20] & 0x02:  # not animated
            width, height = (int.from_bytes(content[place : place + 3], "little") + 1 for place in (24, 27))
            return Picture("image/webp", width, height)
    return None
