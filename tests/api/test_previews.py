"""Link previews: the tags that a shared address carries, and their images."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from litestar.testing import TestClient
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image

from gars.adapters.covers.store import CoverFiles
from gars.bootstrap import open_service
from gars.config import from_environment
from gars.entrypoints.api import page, preview_image
from gars.entrypoints.api.app import create_app
from gars.entrypoints.api.preview_image import HEIGHT, WIDTH, draw
from gars.testing.anime import sample_catalogue
from gars.testing.engine import FakeEngine

Client = Any
PAGE = (
    '<!doctype html><html><head><meta name="description" content="old" /><title>GARS</title></head><body></body></html>'
)


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(PAGE)
    monkeypatch.setattr(page, "FOLDER", tmp_path)


def test_a_title_has_a_preview_of_its_own(client: Client) -> None:
    anime = client.get("/api/v1/anime/5114").json()
    answer = client.get("/anime/5114")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert f"<title>{anime['title_english'] or anime['title']} · GARS</title>" in answer.text
    assert f'<meta property="og:url" content="{client.base_url}/anime/5114" />' in answer.text
    assert f'<meta property="og:image" content="{client.base_url}/previews/5114" />' in answer.text
    assert answer.text.count('name="description"') == 1
    assert 'content="old"' not in answer.text


def test_an_address_cannot_write_into_the_page(client: Client) -> None:
    answer = client.get('/users/"><script>alert(1)</script>/')
    assert "<script>" not in answer.text
    answer = client.get("/users/%22%3E%3Cscript%3E/compare")
    assert "How well do our anime tastes match?" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("path", ["/", "/search", "/anime/999999999", "/anime/5114/more"])
def test_other_addresses_are_the_page_as_it_was_built(client: Client, path: str) -> None:
    assert client.get(path).text == PAGE


def picture(content: bytes) -> NDArray[np.int16]:
    opened = Image.open(io.BytesIO(content), formats=("JPEG",))
    assert opened.size == (WIDTH, HEIGHT)
    return np.asarray(opened.convert("RGB"), np.int16)


def changed(one: bytes, other: bytes) -> NDArray[np.bool_]:
    """Return which pixels of two images differ clearly. → (HEIGHT, WIDTH)"""
    difference: NDArray[np.int16] = np.abs(picture(one) - picture(other)).max(axis=2)
    return difference > 60


def webp(colour: tuple[int, int, int]) -> bytes:
    found = io.BytesIO()
    Image.new("RGB", (400, 600), colour).save(found, "WEBP")
    return found.getvalue()


def test_an_image_of_its_own_for_each_title(client: Client) -> None:
    answer = client.get("/previews/5114")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert "max-age" in answer.headers["cache-control"]
    picture(answer.content)
    assert len(answer.content) < 150_000
    assert client.get("/previews/1").content != answer.content
    assert client.get("/previews/999999999").status_code == 404
    assert client.get("/previews/0").status_code == 200


def test_title_and_facts_are_written_on_the_image(client: Client) -> None:
    anime = client.get("/api/v1/anime/5114").json()
    title, facts = anime["title_english"] or anime["title"], f"{anime['type']} · {anime['year']}"
    content = client.get("/previews/5114").content
    assert changed(content, draw(5114, "", "", None)).sum() > 5000
    facts += " · " + ", ".join(anime["genres"][:3])
    assert draw(5114, title, facts, None) == content


@pytest.mark.parametrize("cover", [None, webp((250, 250, 250))])
@pytest.mark.parametrize("title", ["A", "Title " * 40, "W" * 200, "☆ のんのん", "A\nB\0C", "<b>&amp;"])
def test_text_stays_within_its_part_of_the_image(title: str, cover: bytes | None) -> None:
    written = changed(draw(3, title, title, cover), draw(3, "", "", cover))
    top, bottom, right = written[:50], written[-50:], written[:, -50:]
    left = written[:, : 64 if cover is None else 430]
    assert [part.any() for part in (top, bottom, left, right)] == [False] * 4


def test_letters_without_a_glyph_are_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(preview_image, "_FONTS", tmp_path)  # the typeface of Pillow: letters of English alone
    preview_image._font.cache_clear()
    draw.cache_clear()
    try:
        assert draw(3, "Kōkaku ☆ Kidōtai", "Pokémon", None) == draw(3, "Kokaku Kidotai", "Pokemon", None)
        assert draw(3, "のんのん", "", None) == draw(3, "", "", None)
    finally:
        preview_image._font.cache_clear()
        draw.cache_clear()


def test_a_kept_cover_is_drawn_and_none_is_fetched(tmp_path: Path) -> None:
    address = "https://unreachable.invalid/cover.jpg"
    adult = 150
    anime = [replace(one, image=address, adult=one.anime_id == adult) for one in sample_catalogue()]
    settings = from_environment({"GARS_COVERS": "proxy"}, home=tmp_path)
    CoverFiles(tmp_path / "covers", max_bytes=100_000).put(5114, address, webp((20, 240, 30)))
    CoverFiles(tmp_path / "covers", max_bytes=100_000).put(adult, address, webp((20, 240, 30)))
    service = open_service(settings, FakeEngine(anime))
    with TestClient(create_app(service)) as client:
        shown = {anime_id: picture(client.get(f"/previews/{anime_id}").content) for anime_id in (5114, 1, adult)}
    service.close()
    green = {anime_id: (image[..., 1] > 200) & (image[..., 0] < 60) for anime_id, image in shown.items()}
    rows, columns = np.nonzero(green[5114])
    assert (np.ptp(columns) + 1) / (np.ptp(rows) + 1) == pytest.approx(2 / 3, abs=0.01)
    assert np.ptp(rows) > 450
    assert not green[1].any(), "it is not kept, and a preview fetches nothing"
    assert not green[adult].any(), "covers for adults are blurred on the page"
