"""Link previews: the tags that a shared address carries, and their images."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import pytest

from gars.entrypoints.api import page
from gars.entrypoints.api.previews import HEIGHT, WIDTH, draw

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


def test_an_image_is_a_png_of_its_own_for_each_title(client: Client) -> None:
    answer = client.get("/previews/5114")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert "max-age" in answer.headers["cache-control"]
    content = answer.content
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (WIDTH, HEIGHT)
    at = content.index(b"IDAT")
    (length,) = struct.unpack(">I", content[at - 4 : at])
    assert len(zlib.decompress(content[at + 4 : at + 4 + length])) == HEIGHT * (WIDTH + 1)
    assert len(content) < 60_000
    assert draw(5114) == content != draw(1)
    assert client.get("/previews/999999999").status_code == 404
    assert client.get("/previews/0").status_code == 200
