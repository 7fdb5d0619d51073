"""Link previews: Open Graph tags in the head of the page, and the images they name.

The tags describe a title, or the kind of page where the address names users: no user data is read for them. Images are
drawn by this service, so that a preview asks no other site.
"""

from __future__ import annotations

import html
import re
import struct
import zlib
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

import numpy as np
from litestar import Response, get
from numpy.typing import NDArray

from gars.application.catalogue.catalogue import Catalogue
from gars.domain.anime import Anime
from gars.entrypoints.api.params import AnimeIdPath, ServiceDep

WIDTH, HEIGHT = 1200, 630
"""Size of an image, as sites that show previews recommend."""
_MOST_TEXT = 200
_ANIME = re.compile(r"/anime/(\d{1,10})/?")
_OF_USERS = (
    (re.compile(r"/users/[^/]+/compare/?"), "How well do our anime tastes match?", "Compare your list with mine."),
    (re.compile(r"/users/[^/]+/?"), "An anime list", "What this viewer likes, and what is like it."),
    (
        re.compile(r"/group/?"),
        "What shall we watch together?",
        "Join with your list: titles that all of us will enjoy.",
    ),
    (re.compile(r"/season/?"), "Anime of this season", "What is on now, and what comes next."),
)
_DESCRIPTION = re.compile(r'\s*<meta name="description"[^>]*>')
_TITLE = re.compile(r"<title>[^<]*</title>")
_PALETTES = (
    ("#1c1a2b", "#8f1d2c", "#e4472b", "#f8a33c"),
    ("#4a1735", "#7c2450", "#e85d75", "#f9b4ab"),
    ("#0a1b33", "#12345f", "#2b86c9", "#67e0d8"),
    ("#0f2f2c", "#1d5a4c", "#3f9d74", "#f0cf72"),
    ("#15101d", "#33184c", "#6f3aa6", "#c84b63"),
    ("#1d2b52", "#344a86", "#7f8fd6", "#f4d68c"),
)
"""Colours of sky, land, sea and sun."""


@dataclass(frozen=True, slots=True)
class Preview:
    """Title, text and image that a site shows for a link."""

    title: str
    description: str
    image: str
    """Path of the image on this service."""
    kind: str = "website"


def preview_of(path: str, catalogue: Catalogue) -> Preview | None:
    """Return the preview of an address of the page; ``None`` for an address without one of its own."""
    if (found := _ANIME.fullmatch(path)) is not None:
        anime = catalogue.find(int(found[1]))
        if anime is None:
            return None
        kind = "video.movie" if anime.type == "Movie" else "video.tv_show"
        return Preview(anime.title_english or anime.title, _description(anime), f"/previews/{anime.anime_id}", kind)
    for pattern, title, description in _OF_USERS:
        if pattern.fullmatch(path) is not None:
            return Preview(title, description, "/previews/0")
    return None


def _description(anime: Anime) -> str:
    """Return the synopsis, cut at a word; the facts where there is none, or where it is for adults."""
    facts = [anime.type, str(anime.year) if anime.year else None, ", ".join(anime.genres) or None]
    text = " · ".join(fact for fact in facts if fact)
    if anime.synopsis and not anime.adult:
        text = " ".join(anime.synopsis.split())
    if len(text) <= _MOST_TEXT:
        return text
    return text[:_MOST_TEXT].rpartition(" ")[0] + " …"


def with_tags(page: str, shown: Preview, *, origin: str, path: str) -> str:
    """Return the page with the tags of a preview in its head. ``origin`` is the scheme and host of the service."""
    address = origin + quote(path)
    properties = {
        "og:site_name": "GARS",
        "og:type": shown.kind,
        "og:title": shown.title,
        "og:description": shown.description,
        "og:url": address,
        "og:image": origin + shown.image,
        "og:image:width": str(WIDTH),
        "og:image:height": str(HEIGHT),
    }
    lines = [f'<meta name="description" content="{html.escape(shown.description)}" />']
    lines += [f'<meta property="{name}" content="{html.escape(value)}" />' for name, value in properties.items()]
    lines.append('<meta name="twitter:card" content="summary_large_image" />')
    page = _DESCRIPTION.sub("", page, count=1)
    page = _TITLE.sub(lambda _: f"<title>{html.escape(shown.title)} · GARS</title>", page, count=1)
    return page.replace("</head>", "    " + "\n    ".join(lines) + "\n  </head>", 1)


@get("/previews/{anime_id:int}", include_in_schema=False, sync_to_thread=True)
def get_preview_image(service: ServiceDep, anime_id: AnimeIdPath) -> Response[bytes]:
    """Return the image of a title's preview; 0 is that of all other addresses."""
    if anime_id:
        service.catalogue.get(anime_id)
    return Response(draw(anime_id), media_type="image/png", headers={"Cache-Control": "public, max-age=604800"})


@lru_cache(maxsize=64)
def draw(seed: int) -> bytes:
    """Draw a sun over a sea, whose colours and shapes depend on ``seed`` alone. → PNG of WIDTH x HEIGHT"""
    rng = np.random.default_rng(seed)
    colours = _PALETTES[int(rng.integers(len(_PALETTES)))]
    y, x = np.ogrid[0:HEIGHT, 0:WIDTH]
    picture = np.zeros((HEIGHT, WIDTH), np.uint8)
    centre, radius = (rng.integers(300, 900), rng.integers(200, 320)), rng.integers(120, 200)
    picture[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2] = 3
    for _ in range(3):
        peak, height, slope = rng.integers(0, WIDTH), rng.integers(220, 420), rng.uniform(0.5, 1.1)
        picture[y > height + slope * np.abs(x - peak)] = 1
    shore, wave = rng.integers(430, 500), rng.integers(60, 140)
    for line in range(6):
        ripple = 6 * np.sin(x / wave + line)
        picture[y > shore + 36 * line + ripple] = 2 if line % 2 == 0 else 1
    return _png(picture, colours)


def _png(picture: NDArray[np.uint8], colours: tuple[str, ...]) -> bytes:
    """Encode a picture of indices into ``colours`` (``#rrggbb``) as PNG (ISO/IEC 15948, colour type 3)."""
    height, width = picture.shape
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with filter type 0
    rows[:, 1:] = picture

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    palette = b"".join(bytes.fromhex(colour[1:]) for colour in colours)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            chunk(b"PLTE", palette),
            chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)),
            chunk(b"IEND", b""),
        )
    )
