"""Link previews: Open Graph tags in the head of the page, and the images they name.

The tags describe a title, or the kind of page where the address names users: no user data is read for them. Images are
drawn by this service, so that a preview asks no other site: a cover is on one only if it is kept already.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from urllib.parse import quote

from litestar import Response, get

from gars.application.catalogue.catalogue import Catalogue
from gars.domain.anime import Anime
from gars.entrypoints.api.params import AnimeIdPath, ServiceDep
from gars.entrypoints.api.preview_image import HEIGHT, WIDTH, draw

_MOST_TEXT = 200
_GENRES_DRAWN = 3
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
    text = _facts(anime)
    if anime.synopsis and not anime.adult:
        text = " ".join(anime.synopsis.split())
    if len(text) <= _MOST_TEXT:
        return text
    return text[:_MOST_TEXT].rpartition(" ")[0] + " …"


def _facts(anime: Anime, genres: int | None = None) -> str:
    """Return type, year and the first ``genres`` genres, ``None`` for all."""
    facts = [anime.type, str(anime.year) if anime.year else None, ", ".join(anime.genres[:genres]) or None]
    return " · ".join(fact for fact in facts if fact)


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
    """Return the image of a title's preview, with its cover if that is kept; 0 is that of all other addresses."""
    title, facts, cover = "GARS", "Anime recommendations that move when you click", None
    if anime_id:
        anime = service.catalogue.get(anime_id)
        title, facts = anime.title_english or anime.title, _facts(anime, _GENRES_DRAWN)
        if service.covers is not None and anime.image is not None and not anime.adult:
            cover = service.covers.find(anime_id, anime.image)
    content = draw(anime_id, title, facts, cover.content if cover else None)
    return Response(content, media_type="image/jpeg", headers={"Cache-Control": "public, max-age=604800"})
