"""Thumbnails of real images, encoded here."""

from __future__ import annotations

import io
import zlib
from typing import Any

import pytest
from PIL import Image

from gars.adapters.covers.thumbnails import make_thumbnail
from gars.domain.errors import InvalidInputError
from gars.domain.pictures import read_header

RED, GREEN, BLUE = (220, 30, 30), (30, 200, 60), (40, 60, 210)


def stripes(width: int, height: int, *colours: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    """Return an image of vertical stripes of equal width."""
    picture = Image.new(mode, (len(colours), 1))
    picture.putdata(colours)
    return picture.resize((width, height), Image.Resampling.NEAREST)


def encoded(picture: Image.Image, kind: str, **settings: Any) -> bytes:
    found = io.BytesIO()
    picture.save(found, kind, **settings)
    return found.getvalue()


def decoded(thumbnail: bytes) -> Image.Image:
    assert read_header(thumbnail).media_type == "image/webp"
    return Image.open(io.BytesIO(thumbnail)).convert("RGB")


def colour_at(picture: Image.Image, x: float, y: float) -> tuple[int, ...]:
    """Return a colour rounded to hundreds, which survives lossy encoding. ``x``, ``y``: shares of the size"""
    found = picture.getpixel((int(x * (picture.width - 1)), int(y * (picture.height - 1))))
    assert isinstance(found, tuple)
    return tuple(int(round(level, -2)) for level in found)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "expected"),
    [((460, 650), (400, 600)), ((2000, 3000), (400, 600)), ((225, 318), (212, 318)), ((100, 150), (100, 150))],
)
def test_a_cover_becomes_two_by_three_and_is_never_enlarged(
    kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    thumbnail = decoded(make_thumbnail(encoded(stripes(*size, RED, BLUE), kind)))
    assert thumbnail.size == expected
    assert [colour_at(thumbnail, x, 0.5) for x in (0.1, 0.9)] == [(200, 0, 0), (0, 100, 200)]


def test_the_middle_of_a_wide_image_is_kept() -> None:
    thumbnail = decoded(make_thumbnail(encoded(stripes(1800, 600, RED, GREEN, BLUE), "PNG")))
    assert thumbnail.size == (400, 600)
    assert {colour_at(thumbnail, x, 0.5) for x in (0.0, 0.5, 1.0)} == {(0, 200, 100)}


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1)])
def test_the_narrowest_images_have_a_thumbnail(size: tuple[int, int]) -> None:
    assert min(decoded(make_thumbnail(encoded(stripes(*size, RED), "PNG"))).size) >= 1


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "LA", "I;16"])
def test_images_of_other_colour_models_are_converted(mode: str) -> None:
    red = stripes(400, 600, RED, RED)
    picture = (
        Image.new("I;16", red.size, 40_000) if mode == "I;16" else red.quantize() if mode == "P" else red.convert(mode)
    )
    thumbnail = decoded(make_thumbnail(encoded(picture, "JPEG" if mode == "CMYK" else "PNG")))
    if mode in ("P", "CMYK", "RGBA"):
        assert colour_at(thumbnail, 0.5, 0.5) == (200, 0, 0)


def test_transparent_parts_are_white() -> None:
    thumbnail = decoded(make_thumbnail(encoded(stripes(400, 600, (*RED, 255), (0, 0, 0, 0), mode="RGBA"), "PNG")))
    assert [colour_at(thumbnail, x, 0.5) for x in (0.1, 0.9)] == [(200, 0, 0), (300, 300, 300)]


def test_an_image_that_a_camera_turned_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: the left edge is the top
    thumbnail = decoded(make_thumbnail(encoded(stripes(600, 400, RED, BLUE), "JPEG", exif=exif)))
    assert thumbnail.size == (400, 600)
    assert [colour_at(thumbnail, 0.5, y) for y in (0.1, 0.9)] == [(200, 0, 0), (0, 100, 200)]


def test_metadata_and_bytes_after_the_image_are_left_out() -> None:
    exif = Image.Exif()
    exif[0x010E] = "PRIVATE PLACE"
    original = encoded(stripes(400, 600, RED), "JPEG", exif=exif) + b"<script>PRIVATE</script>"
    assert b"PRIVATE" in original
    assert b"PRIVATE" not in make_thumbnail(original)


def test_a_cover_takes_some_kilobytes() -> None:
    shapes = Image.effect_noise((46, 65), 60).resize((1380, 1950), Image.Resampling.BICUBIC).convert("RGB")
    original = encoded(shapes, "JPEG", quality=95)
    assert len(original) > 300_000
    assert len(make_thumbnail(original)) < 40_000


def test_an_image_cut_off_is_refused() -> None:
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = encoded(Image.effect_noise((300, 450), 60), kind)
        with pytest.raises(InvalidInputError, match="cannot be decoded"):
            make_thumbnail(whole[: len(whole) // 2])


def test_what_is_no_cover_is_refused() -> None:
    for content in (b"", b"<svg/>", encoded(stripes(20, 30, RED), "GIF")):
        with pytest.raises(InvalidInputError, match="not a JPEG, PNG or WebP"):
            make_thumbnail(content)


def test_an_image_that_declares_too_many_pixels_is_not_decoded() -> None:
    bomb = encoded(Image.new("L", (5000, 5000)), "PNG")
    assert len(bomb) < 50_000
    with pytest.raises(InvalidInputError, match="5000 by 5000 pixels is not a cover"):
        make_thumbnail(bomb)


def test_compressed_text_in_an_image_is_not_expanded_without_limit() -> None:
    whole = encoded(stripes(20, 30, RED), "PNG")
    text = b"zTXt" + b"Comment\0\0" + zlib.compress(b"\0" * 50_000_000)
    chunk = (len(text) - 4).to_bytes(4) + text + zlib.crc32(text).to_bytes(4)
    with pytest.raises(InvalidInputError, match="cannot be decoded"):
        make_thumbnail(whole[:33] + chunk + whole[33:])
