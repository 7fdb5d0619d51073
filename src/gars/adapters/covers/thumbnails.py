"""Small copies of cover images: decoded with Pillow, cut to 2:3, encoded as WebP."""

from __future__ import annotations

import io
import threading

from PIL import Image, ImageOps

from gars.domain.errors import InvalidInputError
from gars.domain.pictures import read_header

WIDTH = 400
"""Largest width in pixels; the page shows covers at most 200 CSS pixels wide, on screens of two pixels each."""
_QUALITY = 80
_FORMATS = ("JPEG", "PNG", "WEBP")
_one_at_a_time = threading.Lock()
"""A decoded image of ``MAX_PIXELS`` takes 64 MB, and as much again while it is converted."""


def make_thumbnail(content: bytes) -> bytes:
    """Return the middle of an image at 2:3, at most ``WIDTH`` pixels wide and never enlarged. → WebP

    Nothing of the original file goes on but its pixels: metadata and bytes after the image are left out.

    Raises:
        InvalidInputError: the header is not that of a cover (see ``read_header``), or the image cannot be decoded.
    """
    read_header(content)
    with _one_at_a_time:
        try:
            return _make(content)
        except Exception as error:  # what a decoder raises at hostile bytes is not a closed list
            raise InvalidInputError(f"the image cannot be decoded: {str(error) or type(error).__name__}") from error


def _make(content: bytes) -> bytes:
    with Image.open(io.BytesIO(content), formats=_FORMATS) as source:
        source.draft("RGB", (2 * WIDTH, 3 * WIDTH))  # a JPEG is decoded at a fraction of its size
        source.load()
        picture = ImageOps.exif_transpose(source)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB")
    width = max(1, min(WIDTH, picture.width, picture.height * 2 // 3))
    picture = ImageOps.fit(picture, (width, max(1, round(1.5 * width))), method=Image.Resampling.LANCZOS)
    found = io.BytesIO()
    picture.save(found, "WEBP", quality=_QUALITY)
    return found.getvalue()
