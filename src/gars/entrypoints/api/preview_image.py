"""Images of link previews: the name and facts of a title, and its cover, before a sun over a sea."""

from __future__ import annotations

import io
import unicodedata
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

WIDTH, HEIGHT = 1200, 630
"""Size of an image, as sites that show previews recommend."""
_PALETTES = (
    ("#1c1a2b", "#8f1d2c", "#e4472b", "#f8a33c"),
    ("#4a1735", "#7c2450", "#e85d75", "#f9b4ab"),
    ("#0a1b33", "#12345f", "#2b86c9", "#67e0d8"),
    ("#0f2f2c", "#1d5a4c", "#3f9d74", "#f0cf72"),
    ("#15101d", "#33184c", "#6f3aa6", "#c84b63"),
    ("#1d2b52", "#344a86", "#7f8fd6", "#f4d68c"),
)
"""Colours of sky, land, sea and sun."""
_FONTS = Path(__file__).parent / "page" / "assets"
_FONT = "bricolage-grotesque-latin-*.woff2"
"""The typeface of the page's headings, there once the page is built."""
_MARGIN = 64
_COVER = 335, 502
_SIZES = 88, 76, 64, 54, 46
"""Font sizes of the title in pixels: the largest that fits is taken."""
_LINES = 4
_FACTS_SIZE = 32
_SHADE = "#0b0912"
_QUALITY = 88

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@lru_cache(maxsize=64)
def draw(seed: int, title: str, facts: str, cover: bytes | None) -> bytes:
    """Draw a preview. ``cover``: a WebP image. Colours and shapes behind them depend on ``seed`` alone. → JPEG

    Letters that the typeface lacks are written as those it has (``ō`` as ``o``), or left out.
    """
    picture = _scenery(seed)
    picture = Image.composite(Image.new("RGB", picture.size, _SHADE), picture, _shade())
    left = _MARGIN
    if cover is not None:
        _paste_cover(picture, cover)
        left += _COVER[0] + 56
    _write(picture, title, facts, left)
    found = io.BytesIO()
    picture.save(found, "JPEG", quality=_QUALITY, subsampling=0)
    return found.getvalue()


def _scenery(seed: int) -> Image.Image:
    """Draw a sun over a sea, at twice the size and then reduced, for smooth edges."""
    rng = np.random.default_rng(seed)
    colours = np.array([list(bytes.fromhex(colour[1:])) for colour in _PALETTES[int(rng.integers(len(_PALETTES)))]])
    y, x = np.arange(2 * HEIGHT)[:, None] / 2, np.arange(2 * WIDTH)[None, :] / 2
    picture = np.zeros((2 * HEIGHT, 2 * WIDTH), np.uint8)
    centre, radius = (rng.integers(300, 900), rng.integers(200, 320)), rng.integers(120, 200)
    picture[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2] = 3
    for _ in range(3):
        peak, height, slope = rng.integers(0, WIDTH), rng.integers(220, 420), rng.uniform(0.5, 1.1)
        picture[y > height + slope * np.abs(x - peak)] = 1
    shore, wave = rng.integers(430, 500), rng.integers(60, 140)
    for line in range(6):
        picture[y > shore + 36 * line + 6 * np.sin(x / wave + line)] = 2 if line % 2 == 0 else 1
    return Image.fromarray(colours.astype(np.uint8)[picture]).reduce(2)


def _shade() -> Image.Image:
    """Return how dark each column is drawn: text is on the left."""
    row = np.interp(np.arange(WIDTH), [0, 0.6 * WIDTH, WIDTH], [165, 150, 40]).astype(np.uint8)
    return Image.fromarray(np.tile(row, (HEIGHT, 1)))


def _paste_cover(picture: Image.Image, cover: bytes) -> None:
    with Image.open(io.BytesIO(cover), formats=("WEBP",)) as source:
        image = ImageOps.fit(source.convert("RGB"), _COVER, method=Image.Resampling.LANCZOS)
    corners = Image.new("L", (4 * _COVER[0], 4 * _COVER[1]))
    ImageDraw.Draw(corners).rounded_rectangle((0, 0, *corners.size), radius=80, fill=255)
    picture.paste(image, (_MARGIN, (HEIGHT - _COVER[1]) // 2), corners.reduce(4))


def _write(picture: Image.Image, title: str, facts: str, left: int) -> None:
    """Write title and facts, in the middle between top and bottom."""
    width = WIDTH - _MARGIN - left
    title = _with_known_letters(title)
    for size in _SIZES:
        font = _font(size)
        lines = _wrap(title, font, width)
        if len(lines) <= _LINES:
            break
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], _shorten(" ".join(lines[_LINES - 1 :]), font, width)]
    small = _font(_FACTS_SIZE)
    leading = round(1.08 * size)
    top = (HEIGHT - leading * len(lines) - 2 * _FACTS_SIZE) / 2
    canvas = ImageDraw.Draw(picture)
    for row, line in enumerate(lines):
        canvas.text((left, top + leading * row), line, font=font, fill="white")
    below = top + leading * len(lines) + _FACTS_SIZE
    canvas.text((left, below), _shorten(_with_known_letters(facts), small, width), font=small, fill="#e6dfee")


@lru_cache(maxsize=len(_SIZES) + 1)
def _font(size: int) -> Font:
    """Return the typeface of the page at its boldest, that of Pillow where the page is not built."""
    for file in sorted(_FONTS.glob(_FONT)):
        try:
            font = ImageFont.truetype(file, size)
            font.set_variation_by_axes([800, 100])
        except OSError:  # a FreeType without WOFF2
            continue
        return font
    return ImageFont.load_default(size)


def _with_known_letters(text: str) -> str:
    """Replace letters without a glyph by their parts that have one, else by a space."""
    font = _font(_FACTS_SIZE)
    unknown = bytes(font.getmask("\U0010ffff"))

    def has_glyph(letter: str) -> bool:
        return letter.isprintable() and bytes(font.getmask(letter)) != unknown

    written = (
        letter
        if has_glyph(letter)
        else "".join(part for part in unicodedata.normalize("NFKD", letter) if has_glyph(part)) or " "
        for letter in text
    )
    return " ".join("".join(written).split())


def _wrap(text: str, font: Font, width: float) -> list[str]:
    """Break text into lines between words, and words that are longer than a line anywhere."""
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
            continue
        lines.append("")
        for letter in word:
            if font.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    return lines


def _shorten(text: str, font: Font, width: float) -> str:
    """Cut text to a width, with an ellipsis where something was cut."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"{text.rstrip()}…") > width:
        text = text[:-1]
    return f"{text.rstrip()}…"
